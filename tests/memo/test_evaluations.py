"""Evaluations: what a call ran and read counts, whatever else happens in the process meanwhile."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hitsave import memo
from hitsave.memo.around import under_way

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


# -- beginning and end --------------------------------------------------------------------------


@memo
def fails(x: int) -> int:
    assert under_way
    raise ZeroDivisionError(x)


@memo
def interrupted(x: int) -> int:
    raise KeyboardInterrupt(x)


@memo
def changes(xs: list[int]) -> int:
    xs.append(1)
    return 1


@memo
def unstorable(x: int) -> Any:
    return x, threading.Lock()


@memo
def down(x: int) -> int:
    return len(under_way) if x == 0 else down(x - 1)


@memo
def counting(x: int) -> Iterator[int]:
    yield len(under_way)
    yield x


@memo
async def waiting(x: int) -> int:
    await asyncio.sleep(0 if x else 60)
    return len(under_way)


@pytest.fixture(autouse=True)
def _nothing_under_way() -> Iterator[None]:
    gc.collect()
    assert under_way == []
    yield
    gc.collect()
    assert under_way == []


@pytest.mark.parametrize(
    ("function", "error"), [(fails, ZeroDivisionError), (interrupted, KeyboardInterrupt)]
)
def test_an_exception_ends_the_evaluation(
    function: Callable[[int], int], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        function(1)
    assert under_way == []


@pytest.mark.usefixtures("warned")
def test_a_call_whose_result_is_not_recorded_ends_its_evaluation() -> None:
    changes([1])
    unstorable(1)
    assert under_way == []


def test_each_level_of_a_recursion_is_an_evaluation() -> None:
    assert down(4) == 5
    assert under_way == []


def test_a_generator_is_under_way_until_it_is_exhausted() -> None:
    assert [*counting(1)] == [1, 1]
    assert under_way == []


def test_a_generator_that_was_not_started_is_not_under_way() -> None:
    counting(2)
    assert under_way == []


def test_a_generator_that_is_closed_ends_its_evaluation() -> None:
    begun: Any = counting(3)
    next(begun)
    assert len(under_way) == 1
    begun.close()
    assert under_way == []


def test_a_generator_that_nobody_holds_ends_its_evaluation() -> None:
    begun = counting(4)
    next(begun)
    assert len(under_way) == 1
    del begun
    gc.collect()
    assert under_way == []


def test_a_generator_abandoned_in_a_cycle_ends_its_evaluation() -> None:
    begun = counting(5)
    next(begun)
    cycle: list[object] = [begun]
    cycle.append(cycle)
    del begun, cycle
    gc.collect()
    assert under_way == []


def test_a_coroutine_is_under_way_until_it_returns() -> None:
    assert asyncio.run(waiting(1)) == 1
    assert under_way == []


def test_a_coroutine_that_is_cancelled_ends_its_evaluation() -> None:
    async def main() -> None:
        task = asyncio.create_task(waiting(0))
        await asyncio.sleep(0.01)
        assert len(under_way) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert under_way == []


def test_a_coroutine_that_nobody_awaits_any_more_ends_its_evaluation() -> None:
    begun: Any = waiting(0)
    with pytest.raises(RuntimeError):  # there is no event loop
        begun.send(None)
    del begun
    gc.collect()
    assert under_way == []


def test_evaluations_in_many_threads_all_end() -> None:
    threads = [threading.Thread(target=down, args=(number,)) for number in range(20, 28)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert under_way == []


def test_what_the_threads_around_fill_does_not_count(run: Any) -> None:
    script = """
        import threading
        from hitsave import memo

        found = []

        @memo
        def step(x):
            print("computing")
            return x + 1

        def work(x):
            found.append(step(x))

        for x in range(4):
            thread = threading.Thread(target=work, args=(x,))
            thread.start()
            thread.join()
        print(found)
    """
    assert run(script).stdout == "computing\n" * 4 + "[1, 2, 3, 4]\n"
    assert run(script).stdout == "[1, 2, 3, 4]\n"


# -- what ran, and how it came to run ---------------------------------------------------------

RUNS = {
    "a call": "return step(x)",
    "a thread": """
        found = []
        thread = threading.Thread(target=lambda: found.append(step(x)))
        thread.start()
        thread.join()
        return found
    """,
    "a thread of the module _thread": """
        import _thread
        found, lock = [], _thread.allocate_lock()
        lock.acquire()
        _thread.start_new_thread(lambda: (found.append(step(x)), lock.release()), ())
        lock.acquire()
        return found
    """,
    "a timer": """
        found = []
        timer = threading.Timer(0.01, lambda: found.append(step(x)))
        timer.start()
        timer.join()
        return found
    """,
    "an executor": """
        with ThreadPoolExecutor(2) as pool:
            return [*pool.map(getattr(helper, "st" + "ep"), range(x))]
    """,
    "a task": """
        async def work(x):
            return step(x)
        async def main():
            return await asyncio.gather(*[asyncio.create_task(work(n)) for n in range(x)])
        return asyncio.run(main())
    """,
    "a thread of the event loop": """
        async def main():
            return await asyncio.to_thread(getattr(helper, "st" + "ep"), x)
        return asyncio.run(main())
    """,
    "a generator": "return [*(step(n) for n in range(x))]",
    "a finalizer": """
        found = []
        class Last:
            def __del__(self):
                found.append(step(x))
        Last()
        return found
    """,
    "a weak reference": """
        import weakref
        class Last: pass
        found, last = [], Last()
        weakref.finalize(last, lambda: found.append(step(x)))
        del last
        return found
    """,
    "a signal": """
        import signal
        found = []
        before = signal.signal(signal.SIGUSR1, lambda *_: found.append(step(x)))
        signal.raise_signal(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, before)
        return found
    """,
    "a callback from C": """
        import ctypes
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
        return kind(getattr(helper, "st" + "ep"))(x)
    """,
    "pickle": """
        import copyreg, pickle
        class Odd: pass
        found = []
        copyreg.pickle(Odd, lambda odd: (int, (step(x),)))
        return pickle.loads(pickle.dumps(Odd()))
    """,
}


@pytest.mark.parametrize("body", RUNS.values(), ids=[*RUNS])
def test_what_ran_counts(trial: Any, body: str) -> None:
    trial.check(trial.program(body))


def test_what_a_generator_ran_counts(trial: Any) -> None:
    trial.check("""
        @memo
        def f(x):
            print("ran")
            for n in range(x):
                yield step(n)

        print("answer", [*f(3)])
    """)


def test_what_a_generator_ran_between_its_items_counts_for_each_that_was_under_way(
    trial: Any,
) -> None:
    trial.check("""
        @memo
        def f(x):
            print("ran")
            yield step(x)
            yield step(-x)

        @memo
        def g(x):
            return getattr(helper, "st" + "eps")([x])

        one, two = f(1), f(2)
        found = [next(one), next(two), g(1), next(two), next(one), [*one], [*two]]
        print("answer", found)
    """)


def test_what_a_coroutine_ran_counts(trial: Any) -> None:
    trial.check("""
        @memo
        async def f(x):
            print("ran")
            await asyncio.sleep(0)
            return step(x)

        async def main():
            return await asyncio.gather(f(1), f(2))

        print("answer", asyncio.run(main()))
    """)


def test_a_recursion_depends_on_what_its_levels_ran(trial: Any) -> None:
    trial.check("""
        @memo
        def f(x):
            print("ran")
            return step(x) if x == 0 else 2 * f(x - 1)

        print("answer", f(4))
    """)


NESTED = """
@memo
def inner(x):
    print("ran")
    return {inner}

@memo
def f(x):
    print("ran")
    return {outer}

{before}
print("answer", f(3))
"""


@pytest.mark.parametrize(
    ("outer", "before"),
    [
        ("inner(x)", ""),
        ("inner(x)", "inner(3)"),
        ("[inner(n) for n in range(x + 1)]", "inner(2)"),
        ("[*ThreadPoolExecutor(1).map(inner, [x])]", "inner(3)"),
        ("globals()['in' + 'ner'](x)", "inner(3); inner(3)"),
    ],
)
def test_what_a_recorded_result_inside_depends_on_counts(
    trial: Any, outer: str, before: str
) -> None:
    trial.check(NESTED.format(inner="step(x)", outer=outer, before=before))


def test_the_inner_hits_while_the_outer_misses(trial: Any) -> None:
    only_inner = NESTED.format(inner="step(x)", outer="0", before="inner(3)")
    program = NESTED.format(inner="step(x)", outer="inner(x) * 2", before="")
    trial.run(only_inner)
    assert trial.run(program)[:2] == ("answer 8", 1)
    assert trial.run(program)[:2] == ("answer 8", 0)
    trial.edit(5)
    assert trial.run(program)[:2] == ("answer 16", 2)


def test_a_helper_whose_result_was_kept_before_the_first_call_counts(trial: Any) -> None:
    trial.check("""
        @functools.lru_cache
        def table():
            return step(10)

        @memo
        def f(x):
            print("ran")
            return x * table()

        table()
        print("answer", f(3))
    """)


def test_a_pool_that_was_there_before_may_run_for_the_call(trial: Any) -> None:
    trial.check("""
        @memo
        def f(x):
            print("ran")
            return POOL.submit(getattr(helper, "st" + "ep"), x).result()

        with ThreadPoolExecutor(1) as POOL:
            POOL.submit(int).result()
            print("answer", f(3))
    """)
