"""One call: what is computed once, what is never recorded, and what the user's code sees."""

import sys
import threading
import time
import traceback
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hitsave import inert, memo
from hitsave.code.tracker import Tracker
from hitsave.events import Bypassed, Event, Hit, Miss, Stored

PACKAGE = str(Path(sys.modules["hitsave"].__file__ or "").parent)


def own_frames(error: BaseException) -> list[str]:
    """The functions of the library in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.name for frame in frames if frame.filename.startswith(PACKAGE)]


def test_a_call_is_computed_once() -> None:
    ran: list[int] = inert([])

    @memo
    def double(x: int) -> int:
        ran.append(x)
        return 2 * x

    assert [double(3), double(3), double(4)] == [6, 6, 8]
    assert ran == [3, 4]
    assert double.cache_info() == (1, 2)


def test_arguments_are_bound_before_they_are_compared() -> None:
    ran: list[int] = inert([])

    @memo
    def join(a: int, b: int = 2, *rest: int, c: int = 3, **more: int) -> tuple[Any, ...]:
        ran.append(a)
        return a, b, rest, c, more

    assert join(1) == join(1, 2) == join(b=2, a=1) == join(1, c=3) == (1, 2, (), 3, {})
    assert len(ran) == 1
    assert join(1, 2, 3, d=4) == (1, 2, (3,), 3, {"d": 4})
    assert len(ran) == 2


@pytest.mark.parametrize("other", [True, 1.0, "1", b"1", (1,), [1], None])
def test_values_of_other_types_are_other_calls(other: Any) -> None:
    @memo
    def kind(x: Any) -> str:
        return type(x).__name__

    assert kind(1) == "int"
    assert kind(other) == type(other).__name__


def test_arguments_of_one_text_are_told_apart_by_where_they_end() -> None:
    @memo
    def pair(a: str, b: str) -> str:
        return f"{a}|{b}"

    assert pair("ab", "c") == "ab|c"
    assert pair("a", "bc") == "a|bc"
    assert pair("a" * 100_000, "b") == "a" * 100_000 + "|b"
    assert pair("a" * 99_999, "ab") == "a" * 99_999 + "|ab"


def test_wrong_arguments_raise_what_the_function_raises() -> None:
    def plain(x: int) -> int:
        return x

    kept = memo(plain)
    with pytest.raises(TypeError) as wrapped:
        kept(1, 2)  # type: ignore[call-arg]
    with pytest.raises(TypeError) as bare:
        plain(1, 2)  # type: ignore[call-arg]
    assert str(wrapped.value) == str(bare.value)
    assert own_frames(wrapped.value) == ["__call__"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_a_function_raises_is_the_same_object_and_never_recorded(
    kind: type[BaseException],
) -> None:
    raised: list[BaseException] = inert([])

    @memo
    def fail(x: int) -> int:
        raised.append(kind(x))
        raise raised[-1]

    for _ in range(2):
        with pytest.raises(kind) as caught:
            fail(3)
        assert caught.value is raised[-1]
        assert caught.value.__context__ is None
        assert own_frames(caught.value) == ["__call__"]
    assert len(raised) == 2
    assert not fail.cached(3)


def test_a_method_too_has_one_frame_of_the_library_in_its_traceback() -> None:
    class Model:
        @memo
        def fail(self) -> None:
            raise ValueError

    with pytest.raises(ValueError, match=r"^$") as caught:
        Model().fail()
    assert own_frames(caught.value) == ["__call__"]


def test_recursion_computes_each_number_once() -> None:
    ran: list[int] = inert([])

    @memo
    def fibo(n: int) -> int:
        ran.append(n)
        return n if n < 2 else fibo(n - 1) + fibo(n - 2)

    assert fibo(25) == 75025
    assert sorted(ran) == list(range(26))


def test_each_level_of_a_recursion_costs_one_frame_more() -> None:
    depths: list[int] = inert([])

    def depth() -> int:
        frame, found = sys._getframe(1), 0
        while frame is not None:
            frame, found = frame.f_back, found + 1  # type: ignore[assignment]
        return found

    @memo
    def down(n: int) -> int:
        depths.append(depth())
        return down(n - 1) if n else 0

    down(10)
    assert {later - earlier for earlier, later in pairwise(depths)} == {2}


def test_a_recursion_without_end_ends_as_it_does_without_a_memo() -> None:
    @memo
    def forever(n: int) -> int:
        return forever(n + 1)

    with pytest.raises(RecursionError):
        forever(0)


def test_a_hit_gives_a_fresh_object_each_time() -> None:
    @memo
    def numbers(n: int) -> list[int]:
        return list(range(n))

    numbers(3).append(99)
    numbers(3).append(99)
    assert numbers(3) == [0, 1, 2]


def test_the_first_call_returns_what_the_function_itself_returned() -> None:
    made: list[list[int]] = inert([])

    @memo
    def numbers(n: int) -> list[int]:
        made.append(list(range(n)))
        return made[-1]

    assert numbers(3) is made[0]
    assert numbers(3) is not made[0]


def test_a_call_that_changes_its_argument_is_not_recorded_and_says_which(
    warned: list[str], events: list[Event]
) -> None:
    ran: list[int] = inert([])

    @memo
    def extend(first: list[int], second: list[int]) -> int:
        ran.append(1)
        second.append(len(first))
        return len(second)

    items: list[int] = []
    assert extend([1], items) == 1
    assert extend([1], items) == 2
    assert extend([1], [0]) == 2
    assert len(ran) == 3
    assert len(warned) == 1
    assert "changed its argument second" in warned[0]
    assert sum(isinstance(event, Bypassed) for event in events) == 3


class Model:
    """A class with a cached property, as people write them."""

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.inner: list[Model] = []

    @cached_property
    def squared(self) -> int:
        return self.weight**2

    @cached_property
    def cubed(self) -> int:
        return self.weight**3

    @memo
    def score(self, x: int) -> int:
        return self.squared + x

    @memo
    def inner_score(self) -> int:
        return sum(model.cubed for model in self.inner)

    @memo
    def spoil(self) -> int:
        self.weight += 1
        return self.squared


def test_a_cached_property_filled_by_the_call_is_no_changed_argument(warned: list[str]) -> None:
    assert Model(2).score(1) == 5
    assert Model.score.cached(Model(2), 1)
    assert warned == []


def test_a_cached_property_filled_inside_an_argument_is_no_changed_argument(
    warned: list[str],
) -> None:
    def outer() -> Model:
        made = Model(1)
        made.inner = [Model(2), Model(3)]
        # One was filled before, and is part of what the argument is.
        assert made.inner[0].squared == 4
        return made

    assert outer().inner_score() == 35
    assert outer().inner_score.cached()
    assert warned == []


def test_a_field_changed_beside_a_cached_property_is_a_changed_argument(warned: list[str]) -> None:
    assert Model(2).spoil() == 9
    assert not Model(2).spoil.cached()
    assert "changed its argument self" in warned[0]


def test_a_cached_property_set_by_hand_counts() -> None:
    by_hand = Model(2)
    by_hand.squared = 100
    assert Model(2).score(1) == 5
    assert by_hand.score(1) == 101


RAN: list[int] = inert([])


def test_threads_that_want_one_result_compute_it_once() -> None:
    RAN.clear()
    barrier = threading.Barrier(32)
    results: list[int] = []

    @memo
    def slow(x: int) -> int:
        RAN.append(x)
        # Long enough for every other thread to arrive.
        time.sleep(0.05)
        return x + 1

    def work() -> None:
        barrier.wait()
        results.append(slow(1))

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (RAN, results) == ([1], [2] * 32)
    assert slow.cache_info() == (31, 1)


def test_a_waiter_whose_time_is_up_looks_again_before_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[int] = inert([])

    @memo
    def slow(x: int) -> int:
        ran.append(x)
        return x

    class TimeIsUp:
        """A lease that another holder kept for too long, and whose result has just come in."""

        def __enter__(self) -> bool:
            monkeypatch.undo()
            other = threading.Thread(target=slow, args=(1,))
            other.start()
            other.join()
            return False

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(sys.modules["hitsave.memo.call"], "lease", lambda _: TimeIsUp())
    assert slow(1) == 1
    assert ran == [1]


def test_a_nested_call_of_the_same_key_goes_straight_through() -> None:
    depth: list[int] = inert([])

    @memo
    def again(x: int) -> int:
        depth.append(x)
        return again(x) if len(depth) < 2 else x

    assert again(1) == 1
    assert depth == [1, 1]


def test_the_events_of_a_call_tell_its_story(events: list[Event]) -> None:
    @memo
    def double(x: int) -> int:
        return 2 * x

    double(3)
    double(3)
    story = [e for e in events if isinstance(e, (Hit, Miss, Stored))]
    assert [type(event) for event in story] == [Miss, Stored, Hit]
    assert isinstance(story[0], Miss)
    assert story[0].reason == "it has no earlier call"
    # A call that misses has no key yet: what it depends on is known once it has run.
    assert story[1].key == story[2].key


def test_a_recursion_forms_its_code_digest_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = inert([])

    @memo
    def down(n: int) -> int:
        ran.append(n)
        return n and down(n - 1)

    computed: list[object] = []
    whole = Tracker.compute

    def compute(self: Tracker, *arguments: Any) -> Any:
        computed.append(arguments)
        return whole(self, *arguments)

    monkeypatch.setattr(Tracker, "compute", compute)
    down(6)
    assert ran == [6, 5, 4, 3, 2, 1, 0]
    assert len(computed) < 7
