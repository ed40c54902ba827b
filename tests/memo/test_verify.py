"""The mode `verify`: what hits is run as well, and compared with what is recorded."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import Any

import numpy as np
import pytest

from hitsave import inert, memo, mode
from hitsave.events import Event, Verified
from hitsave.session import Session

pytestmark = pytest.mark.usefixtures("warned")

RAN: list[Any] = inert([])
WORLD: dict[str, Any] = inert({})
"""What hitsave is told not to see."""


@pytest.fixture(autouse=True)
def as_new() -> None:
    RAN.clear()
    WORLD.clear()


@pytest.fixture
def outcomes(events: list[Event]) -> Any:
    """What was found out in the test: the outcome of each call that was run."""
    return lambda: [event.outcome for event in events if isinstance(event, Verified)]


@memo
def seen(x: int) -> Any:
    RAN.append(x)
    given = WORLD.get("result", x)
    return given() if callable(given) else given


def test_what_hits_is_run_once_and_is_the_same(outcomes: Any, warned: list[str]) -> None:
    seen(1)
    with mode("verify"):
        assert [seen(1), seen(1)] == [1, 1]
    assert RAN == [1, 1]
    assert outcomes() == ["same"]
    assert warned == []


def test_what_misses_is_recorded(outcomes: Any) -> None:
    with mode("verify"):
        assert seen(2) == 2
    assert seen.cached(2)
    assert RAN == [2]
    assert outcomes() == []


def test_a_stale_result_is_told_of_and_returned(outcomes: Any, warned: list[str]) -> None:
    seen(3)
    WORLD["result"] = "other"
    with mode("verify"):
        assert seen(3) == 3
    assert outcomes() == ["differs"]
    assert len(warned) == 1
    assert "seen gives another result than is recorded: 'other'. Recorded on " in warned[0]
    assert "is 3. (it depends on something" in warned[0]
    assert RAN == [3, 3, 3]
    assert seen.peek(3) == 3


def test_results_that_vary_are_told_from_stale_ones(outcomes: Any, warned: list[str]) -> None:
    seen(4)
    WORLD["result"] = iter(range(10, 20)).__next__
    with mode("verify"):
        assert seen(4) == 4
    assert outcomes() == ["varies"]
    assert "does not give the same result each time that it runs: 10, then 11." in warned[0]


def test_what_is_right_every_other_time_varies(outcomes: Any) -> None:
    seen(5)
    WORLD["result"] = iter([6, 5]).__next__
    with mode("verify"):
        assert seen(5) == 5
    assert outcomes() == ["varies"]


def test_what_raises_is_told_of_and_the_program_goes_on(outcomes: Any, warned: list[str]) -> None:
    seen(6)

    def fail() -> None:
        raise FileNotFoundError("data.csv")

    WORLD["result"] = fail
    with mode("verify"):
        assert seen(6) == 6
    assert outcomes() == ["raises"]
    assert "raises where a result is recorded: FileNotFoundError: data.csv." in warned[0]


def test_an_interrupt_comes_out(outcomes: Any) -> None:
    seen(7)

    def interrupt() -> None:
        raise KeyboardInterrupt

    WORLD["result"] = interrupt
    with mode("verify"), pytest.raises(KeyboardInterrupt):
        seen(7)
    assert outcomes() == []


def test_a_recursive_function_runs_once_for_each_of_its_calls(outcomes: Any) -> None:
    @memo
    def fibonacci(n: int) -> int:
        RAN.append(n)
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    fibonacci(25)
    RAN.clear()
    with mode("verify"):
        assert fibonacci(25) == 75025
    assert sorted(RAN) == list(range(26))
    assert outcomes() == ["same"] * 26


def test_hits_inside_a_call_that_is_recorded_are_left_alone(outcomes: Any) -> None:
    @memo
    def outer(x: int) -> int:
        return int(seen(x)) + 1

    seen(8)
    with mode("verify"):
        assert outer(8) == 9
        assert outcomes() == []
        assert outer(8) == 9
    assert outcomes() == ["same", "same"]


@pytest.mark.parametrize(
    "result",
    [
        float("nan"),
        {"b": 1, "a": {2, 1}},
        np.arange(5.0),
        np.zeros(100_000),
        "x" * 100_000,
        [object],
        (1, [2, {"three": b"4"}]),
    ],
    ids=["nan", "dict", "array", "large array", "large text", "class", "nested"],
)
def test_results_of_many_kinds_are_the_same(outcomes: Any, result: Any) -> None:
    WORLD["result"] = lambda: result
    key = len(repr(result)) + 1000
    seen(key)
    assert seen.cached(key)
    with mode("verify"):
        seen(key)
    assert outcomes() == ["same"]


def test_coroutine_functions_are_awaited(outcomes: Any) -> None:
    @memo
    async def fetch(x: int) -> Any:
        await asyncio.sleep(0)
        return WORLD.get("result", x)

    asyncio.run(fetch.__call__(1))
    with mode("verify"):
        assert asyncio.run(fetch.__call__(1)) == 1
    asyncio.run(fetch.__call__(2))
    WORLD["result"] = 7
    with mode("verify"):
        assert asyncio.run(fetch.__call__(2)) == 2
    assert outcomes() == ["same", "differs"]


def test_generators_are_exhausted(outcomes: Any) -> None:
    @memo
    def count(x: int) -> Generator[int, None, str]:
        yield from range(x)
        yield WORLD.get("result", 0)
        return "end"

    assert list(count(2)) == list(count(2)) == [0, 1, 0]
    with mode("verify"):
        assert list(count(2)) == [0, 1, 0]
    list(count(3))
    WORLD["result"] = 7
    with mode("verify"):
        assert list(count(3)) == [0, 1, 2, 0]
    assert outcomes() == ["same", "differs"]


def test_asynchronous_generators_are_exhausted(outcomes: Any) -> None:
    @memo
    async def count(x: int) -> AsyncGenerator[int, None]:
        for number in range(x):
            yield number
        yield WORLD.get("result", 0)

    async def all_of(x: int) -> list[int]:
        return [item async for item in count(x)]

    asyncio.run(all_of(2))
    with mode("verify"):
        assert asyncio.run(all_of(2)) == [0, 1, 0]
    asyncio.run(all_of(3))
    WORLD["result"] = 7
    with mode("verify"):
        assert asyncio.run(all_of(3)) == [0, 1, 2, 0]
    assert outcomes() == ["same", "differs"]


def test_a_sample_of_what_hits_is_run(outcomes: Any, own_session: Session) -> None:
    before = own_session.settings
    own_session.settings = before._replace(sample=0.2)
    try:
        for number in range(5000, 5300):
            seen(number)
        with mode("verify"):
            for number in range(5000, 5300):
                seen(number)
    finally:
        own_session.settings = before
    # Of 300 with a chance of a fifth each: outside of this once in ten million times.
    assert 24 < len(outcomes()) < 100
