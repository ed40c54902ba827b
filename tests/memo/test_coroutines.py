"""Coroutine functions: awaited once, and never in the way of the event loop."""

import asyncio
import subprocess
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hitsave import MissError, inert, memo, mode
from hitsave.memo import call

Run = Callable[..., "subprocess.CompletedProcess[str]"]

RAN: list[Any] = inert([])


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


@memo
async def fetch(x: int) -> int:
    RAN.append(x)
    await asyncio.sleep(0)
    return x + 1


def test_what_is_awaited_is_recorded() -> None:
    async def main() -> list[int]:
        return [await fetch(3), await fetch(3)]

    assert asyncio.run(main()) == [4, 4]
    assert RAN == [3]


def test_it_can_be_gathered() -> None:
    async def main() -> list[int]:
        await fetch(0)
        return await asyncio.gather(*(fetch(0) for _ in range(20)))

    assert asyncio.run(main()) == [1] * 20
    assert RAN == [0]


def test_tasks_that_start_together_compute_one_result_once() -> None:
    async def main() -> list[int]:
        return await asyncio.gather(*(fetch(7) for _ in range(20)))

    assert asyncio.run(main()) == [8] * 20
    assert RAN == [7]


LOOPS = """
import asyncio, threading
from hitsave import inert, memo

ran = inert([])

@memo
async def slow(x):
    ran.append(x)
    await asyncio.sleep(0.1)
    return x + 1

# On Python 3.11 everything counts that runs beside other threads.
got = inert([])

def call():
    got.append(asyncio.run(slow.__call__(5)))

threads = [threading.Thread(target=call) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(got, ran)
"""


def test_tasks_of_several_event_loops_compute_one_result_once(run: Run) -> None:
    done = run(LOOPS)
    assert (done.stdout, done.stderr) == ("[6, 6, 6, 6] [5]\n", "")


def test_a_waiting_task_holds_up_no_other() -> None:
    release = inert([False])

    @memo
    async def slow(x: int) -> int:
        RAN.append(x)
        while not release[0]:
            await asyncio.sleep(0)
        return x

    async def main() -> list[int]:
        waiting = [asyncio.create_task(slow(1)) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert await fetch(30) == 31
        release[0] = True
        return await asyncio.gather(*waiting)

    assert asyncio.run(main()) == [1, 1, 1]
    assert RAN == [1, 30]


def test_a_cancelled_call_is_taken_over_by_one_that_waits() -> None:
    @memo
    async def slow(x: int) -> int:
        RAN.append(x)
        await asyncio.sleep(60 if len(RAN) == 1 else 0)
        return x

    async def main() -> int:
        first, second = asyncio.create_task(slow(2)), asyncio.create_task(slow(2))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert asyncio.run(main()) == 2
    assert RAN == [2, 2]


def test_a_cancelled_waiter_leaves_the_others_alone() -> None:
    @memo
    async def slow(x: int) -> int:
        RAN.append(x)
        await asyncio.sleep(0.05)
        return x

    async def main() -> list[int]:
        first, second, third = (asyncio.create_task(slow(3)) for _ in range(3))
        await asyncio.sleep(0.01)
        second.cancel()
        return await asyncio.gather(first, third)

    assert asyncio.run(main()) == [3, 3]
    assert RAN == [3]


def test_a_task_may_ask_for_what_it_is_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Were it to wait for itself, it would be for long.
    monkeypatch.setattr(call, "LEASE_LIMIT", 60.0)

    @memo
    async def countdown(x: int) -> int:
        RAN.append(x)
        return await countdown(x) if len(RAN) < 3 else x

    assert asyncio.run(countdown.__call__(1)) == 1
    assert RAN == [1, 1, 1]


def test_without_an_event_loop_a_coroutine_is_computed_at_once() -> None:
    @memo
    async def plain(x: int) -> int:
        RAN.append(x)
        return x

    coroutine: Any = plain(4)
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value == 4
    assert plain.peek(4) == 4


def test_methods_and_partials_of_coroutine_functions() -> None:
    class Client:
        @memo
        async def get(self, x: int) -> int:
            RAN.append(x)
            return -x

    async def add(a: int, b: int) -> int:
        RAN.append(a)
        return a + b

    async def main() -> None:
        assert [await Client().get(1), await Client().get(1)] == [-1, -1]
        added = memo(partial(add, 1))
        assert [await added(2), await added(b=2)] == [3, 3]

    asyncio.run(main())
    assert RAN == [1, 1]


def test_exceptions_pass_through_and_are_not_recorded() -> None:
    error = ValueError("no")

    @memo
    async def fail(x: int) -> int:
        if x:
            raise error
        return x

    async def main() -> None:
        with pytest.raises(ValueError, match="no") as caught:
            await fail(1)
        assert caught.value is error
        frames = traceback.extract_tb(error.__traceback__)
        assert sum("hitsave/memo" in frame.filename for frame in frames) == 1

    asyncio.run(main())
    assert not fail.cached(1)


def test_a_cancelled_call_is_not_recorded() -> None:
    @memo
    async def forever(x: int) -> int:
        await asyncio.sleep(x * 60)
        return x

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(forever(1), 0.01)

    asyncio.run(main())
    assert not forever.cached(1)


def test_questions_are_answered_without_awaiting() -> None:
    with pytest.raises(MissError):
        fetch.peek(5)
    asyncio.run(fetch(5))
    assert fetch.peek(5) == 6
    assert fetch.cached(5)
    assert fetch.explain(5).hit


def test_refresh_holds_for_the_call_whenever_it_is_awaited() -> None:
    async def main() -> None:
        await fetch(1)
        await fetch.refresh(1)
        with mode("refresh"):
            late = fetch(1)
        await late
        await fetch(1)

    asyncio.run(main())
    assert RAN == [1, 1, 1]


def test_a_coroutine_that_is_never_awaited_is_told_of_by_python() -> None:
    with pytest.warns(RuntimeWarning, match="never awaited"):
        fetch(1)


def test_modes_are_each_tasks_own() -> None:
    async def calm(x: int) -> int:
        with mode("read-only"):
            await asyncio.sleep(0)
            return await fetch(x)

    async def main() -> None:
        await asyncio.gather(calm(1), fetch(2), calm(3), fetch(4))

    asyncio.run(main())
    assert [fetch.cached(x) for x in (1, 2, 3, 4)] == [False, True, False, True]
