"""Generators, synchronous and not: recorded when exhausted, replayed with every right of one."""

import asyncio
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hitsave import inert, memo

RAN: list[Any] = inert([])


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


@memo
def count(n: int) -> Generator[int, None, str]:
    RAN.append(n)
    yield from range(n)
    return "done"


@memo
def echo(n: int) -> Generator[Any, Any, list[Any]]:
    RAN.append("echo")
    got = []
    for i in range(n):
        try:
            got.append((yield i))
        except ValueError as error:
            got.append(f"caught {error}")
    return got


@memo
async def ticks(n: int) -> AsyncIterator[int]:
    RAN.append(n)
    for i in range(n):
        await asyncio.sleep(0)
        yield i


def outcome(generator: Generator[Any, Any, Any], *answers: Any) -> tuple[list[Any], Any]:
    """Drive a generator with these answers, the rest with None: its items, and what it returns."""
    items, answers_left, value = [], list(answers), None
    while True:
        try:
            step = generator.throw if isinstance(value, Exception) else generator.send
            items.append(step(value))
        except StopIteration as stop:
            return items, stop.value
        value = answers_left.pop(0) if answers_left else None


def test_an_exhausted_run_is_replayed_with_its_return_value() -> None:
    assert outcome(count(3)) == ([0, 1, 2], "done")
    assert outcome(count(3)) == ([0, 1, 2], "done")
    assert RAN == [3]


def test_nothing_runs_before_the_first_item_is_asked_for() -> None:
    count(3)
    assert RAN == []


def test_arguments_that_do_not_fit_are_refused_by_the_call_itself() -> None:
    with pytest.raises(TypeError):
        count()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        ticks(1, 2)  # type: ignore[call-arg]


def test_a_run_that_is_left_early_is_not_recorded_and_is_closed() -> None:
    closed: list[str] = inert([])

    @memo
    def guarded(n: int) -> Iterator[int]:
        try:
            yield from range(n)
        finally:
            closed.append("closed")

    for item in guarded(5):
        if item == 2:
            break
    assert closed == ["closed"]
    assert not guarded.cached(5)


def test_a_run_that_raises_is_not_recorded() -> None:
    @memo
    def failing(n: int) -> Iterator[int]:
        yield n
        raise ValueError(n)

    for _ in range(2):
        with pytest.raises(ValueError, match="7"):
            list(failing(7))
    assert not failing.cached(7)


def test_a_run_that_was_sent_something_is_not_recorded() -> None:
    assert outcome(echo(2), "a", "b") == ([0, 1], ["a", "b"])
    assert not echo.cached(2)


def test_what_is_sent_into_a_replay_reaches_the_function() -> None:
    assert outcome(echo(3)) == ([0, 1, 2], [None] * 3)
    assert outcome(echo(3), None, "b") == ([0, 1, 2], [None, "b", None])
    assert outcome(echo(3), None, None, "c") == ([0, 1, 2], [None, None, "c"])
    assert RAN == ["echo"] * 3


def test_what_is_thrown_into_a_replay_reaches_the_function() -> None:
    assert outcome(echo(2)) == ([0, 1], [None, None])
    assert outcome(echo(2), ValueError("x")) == ([0, 1], ["caught x", None])
    replay = echo(2)
    next(replay)
    with pytest.raises(KeyError):
        replay.throw(KeyError("y"))


def test_a_replay_can_be_closed() -> None:
    list(count(3))
    replay = count(3)
    assert next(replay) == 0
    replay.close()
    assert list(replay) == []


def test_items_are_recorded_as_they_were_when_yielded() -> None:
    @memo
    def growing(n: int) -> Iterator[list[int]]:
        buffer: list[int] = []
        for i in range(n):
            buffer.append(i)
            yield buffer

    assert [list(item) for item in growing(3)] == [[0], [0, 1], [0, 1, 2]]
    assert [list(item) for item in growing(3)] == [[0], [0, 1], [0, 1, 2]]


def test_what_the_caller_does_to_an_item_never_reaches_the_cache() -> None:
    @memo
    def rows(n: int) -> Iterator[dict[str, int]]:
        for i in range(n):
            yield {"i": i}

    for _ in range(3):
        found = [dict(row) for row in map(spoiled, rows(2))]
        assert found == [{"i": 0, "x": 1}, {"i": 1, "x": 1}]
    assert rows.cached(2)


def spoiled(row: dict[str, int]) -> dict[str, int]:
    assert "x" not in row
    row["x"] = 1
    return row


def test_items_that_cannot_be_stored_pass_through(warned: list[str]) -> None:
    @memo
    def makers(n: int) -> Iterator[Any]:
        for i in range(n):
            yield (i for _ in range(2))

    assert [list(maker) for maker in makers(2)] == [[0, 0], [1, 1]]
    assert not makers.cached(2)
    assert len(warned) == 1
    assert "item [0]" in warned[0]


def test_a_run_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, warned: list[str]) -> None:
    monkeypatch.setattr(sys.modules["hitsave.memo.replay"], "MOST_BYTES", 10_000)

    @memo
    def numbers() -> Iterator[int]:
        yield from range(10_000)

    assert sum(numbers()) == sum(range(10_000))
    assert not numbers.cached()
    assert len(warned) == 1


def test_a_generator_can_be_a_context_manager() -> None:
    @contextmanager
    @memo
    def opened(name: str) -> Iterator[str]:
        RAN.append(name)
        yield name.upper()

    for _ in range(2):
        with opened("a") as found:
            assert found == "A"
    assert RAN == ["a"]


def test_peek_and_refresh_give_generators() -> None:
    list(count(2))
    assert outcome(count.peek(2)) == ([0, 1], "done")
    assert RAN == [2]
    assert outcome(count.refresh(2)) == ([0, 1], "done")
    assert RAN == [2, 2]


def test_an_asynchronous_run_is_replayed() -> None:
    async def main() -> list[list[int]]:
        return [[item async for item in ticks(3)] for _ in range(2)]

    assert asyncio.run(main()) == [[0, 1, 2]] * 2
    assert RAN == [3]


def test_an_asynchronous_run_that_is_left_early_is_closed_and_not_recorded() -> None:
    closed: list[str] = inert([])

    @memo
    async def guarded(n: int) -> AsyncIterator[int]:
        try:
            for i in range(n):
                yield i
        finally:
            closed.append("closed")

    async def main() -> None:
        generator: Any = guarded(5)
        async for item in generator:
            if item == 2:
                break
        await generator.aclose()
        assert closed == ["closed"]

    asyncio.run(main())
    assert not guarded.cached(5)


@memo
async def answering(n: int) -> Any:
    RAN.append("answering")
    got: list[Any] = []
    for _ in range(n):
        try:
            got.append((yield list(got)))
        except ValueError as error:
            got.append(str(error))
    yield got


def test_what_is_sent_into_an_asynchronous_run_reaches_the_function() -> None:
    async def drive(*answers: Any) -> list[Any]:
        generator = answering(2)
        items = [await anext(generator)]
        for answer in answers:
            is_error = isinstance(answer, Exception)
            items.append(await (generator.athrow if is_error else generator.asend)(answer))
        return items

    async def main() -> None:
        assert await drive("a", "b") == [[], ["a"], ["a", "b"]]
        assert not answering.cached(2)
        assert [item async for item in answering(2)] == [[], [None], [None, None]]
        assert answering.cached(2)
        assert await drive(None, "b") == [[], [None], [None, "b"]]
        assert await drive(ValueError("c"), None) == [[], ["c"], ["c", None]]

    asyncio.run(main())


def test_a_cancelled_run_is_not_recorded() -> None:
    @memo
    async def endless(n: int) -> AsyncIterator[int]:
        yield n
        await asyncio.Event().wait()

    async def main() -> None:
        async def consume() -> None:
            async for _ in endless(1):
                started.set()

        started = asyncio.Event()
        task = asyncio.create_task(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not endless.cached(1)
