"""What cannot be keyed or stored runs as if there were no memo, with one warning."""

import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from hitsave import inert, memo
from hitsave.events import Bypassed, Event

RAN: list[Any] = inert([])


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


class Trained:
    def __init__(self) -> None:
        self.lock = threading.Lock()


@memo
def use(config: Any, depth: int = 1) -> Any:
    RAN.append(depth)
    return config


@memo
def make(kind: str) -> Any:
    RAN.append(kind)
    if kind == "lock":
        return {"held": [threading.Lock()]}
    return (n for n in range(3))


def test_an_argument_is_named_by_its_path_with_the_ways_out(warned: list[str]) -> None:
    config = {"model": Trained(), "rate": 1}
    for depth in (1, 1, 2):
        assert use(config, depth) is config
    assert RAN == [1, 1, 2]
    (said,) = warned
    assert "argument config['model'].lock cannot be digested" in said
    assert "_thread.lock" in said
    for way in ("ignore=('config',)", "key=", "hitsave.register_digest", "__hitsave_digest__"):
        assert way in said


def test_it_is_warned_of_once_whichever_path_it_is(warned: list[str]) -> None:
    use([threading.Lock()])
    use([1, threading.Lock()])
    use({"a": iter([])})
    assert len(warned) == 1


@pytest.mark.usefixtures("warned")
def test_every_such_call_is_told_to_who_listens(events: list[Event]) -> None:
    use(threading.Lock())
    use(threading.Lock())
    assert sum(isinstance(event, Bypassed) for event in events) == 2


def test_a_result_is_returned_untouched_and_named_by_its_path(warned: list[str]) -> None:
    assert isinstance(make("lock")["held"][0], type(threading.Lock()))
    assert make("lock") is not make("lock")
    assert len(RAN) == 3
    (said,) = warned
    assert "result['held'][0] cannot be stored" in said


def test_a_generator_among_results_is_not_used_up(warned: list[str]) -> None:
    assert list(make("generator")) == [0, 1, 2]
    assert list(make("generator")) == [0, 1, 2]
    assert len(warned) == 1


def test_an_iterator_among_arguments_is_not_used_up(warned: list[str]) -> None:
    @memo
    def total(items: Iterator[int]) -> int:
        return sum(items)

    assert total(iter([1, 2])) == 3
    assert total(iter([1, 2])) == 3
    assert len(warned) == 1


def test_warnings_as_errors_do_not_reach_the_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert use(threading.Lock(), 5) is not None
        assert list(make("generator")) == [0, 1, 2]
    assert RAN == [5, "generator"]


class Evil:
    """Fails at whatever is asked of it."""

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError

    def __hash__(self) -> int:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise ZeroDivisionError

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError


class Deceiver:
    """Says that it is something else."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return int


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        Evil(),
        Deceiver(),
        [Evil()],
        {1: Evil()},
        type("Local", (), {})(),
        NotImplemented,
        memoryview(b"abc"),
        range(3),
        object(),
        10**5000,
        "\ud800",
    ],
    ids=lambda value: type(value).__name__,
)
def test_hostile_values_change_nothing(value: Any, warned: list[str]) -> None:
    assert use(value) is value
    found = use(value)
    assert type(found) is type(value)
    assert len(warned) <= 1


@pytest.mark.usefixtures("warned")
def test_cycles_and_deep_nesting_change_nothing() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    for value in (cycle, deep):
        assert use(value) is value
        found = use(value)
        assert type(found) is list
        assert len(found) == 1
