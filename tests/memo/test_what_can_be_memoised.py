"""What can be memoised: functions of every kind; and what cannot is refused with a way out."""

import functools
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from typing import Any

import pytest

from hitsave import OptionError, experiment, inert, memo

RAN: list[Any] = inert([])


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


def add(a: int, b: int = 10) -> int:
    RAN.append((a, b))
    return a + b


class Box:
    def __init__(self, held: int) -> None:
        self.held = held

    def add(self, x: int, by: int = 1) -> int:
        RAN.append((self.held, x, by))
        return self.held + x * by

    @memo
    @classmethod
    def above(cls, x: int) -> str:
        RAN.append(x)
        return f"{cls.__name__}{x}"

    @classmethod
    @memo
    def below(cls, x: int) -> str:
        RAN.append(x)
        return f"{cls.__name__}{x}"

    @memo
    @staticmethod
    def plain_above(x: int) -> int:
        RAN.append(x)
        return -x

    @staticmethod
    @memo
    def plain_below(x: int) -> int:
        RAN.append(x)
        return -x

    @property
    @memo
    def doubled(self) -> int:
        RAN.append(self.held)
        return 2 * self.held


class Crate(Box):
    pass


def twice(call: Callable[[], Any], result: Any, runs: int = 1) -> None:
    """Call it twice, on objects made anew; the function runs `runs` times."""
    assert call() == result
    assert call() == result
    assert len(RAN) == runs


def test_a_lambda() -> None:
    double = memo(lambda x: RAN.append(x) or 2 * x)
    twice(lambda: double(4), 8)


def test_a_nested_function_counts_what_it_closes_over() -> None:
    def scaled(by: int) -> Callable[[int], int]:
        @memo
        def scale(x: int) -> int:
            RAN.append(x)
            return x * by

        return scale

    twice(lambda: scaled(2)(5), 10)
    twice(lambda: scaled(3)(5), 15, runs=2)


def test_a_partial() -> None:
    twice(lambda: memo(partial(add, b=2))(1), 3)
    twice(lambda: memo(partial(add, 1))(2), 3)
    twice(memo(partial(partial(add, 1), b=5)), 6, runs=2)


def test_a_bound_method() -> None:
    twice(lambda: memo(Box(5).add)(2), 7)
    twice(lambda: memo(Box(6).add)(2), 8, runs=2)


def test_a_partial_of_a_bound_method() -> None:
    twice(memo(partial(Box(5).add, 2, by=3)), 11)
    twice(lambda: memo(partial(Box(5).add, by=4))(2), 13, runs=2)


@pytest.mark.parametrize("name", ["above", "below"])
def test_a_class_method_in_either_order(name: str) -> None:
    twice(lambda: getattr(Box, name)(1), "Box1")
    twice(lambda: getattr(Box(0), name)(1), "Box1")
    twice(lambda: getattr(Crate, name)(1), "Crate1", runs=2)


@pytest.mark.parametrize("name", ["plain_above", "plain_below"])
def test_a_static_method_in_either_order(name: str) -> None:
    twice(lambda: getattr(Box, name)(1), -1)
    twice(lambda: getattr(Box(0), name)(1), -1)
    assert getattr(Box, name).cached(1)


def test_a_property() -> None:
    twice(lambda: Box(4).doubled, 8)


@pytest.mark.parametrize("order", ["memo first", "abstract first"])
def test_an_abstract_method_stays_abstract(order: str) -> None:
    def area(self: Any) -> int:
        return id(self)

    made: Any = memo(abstractmethod(area)) if order == "memo first" else abstractmethod(memo(area))

    class Shape(ABC):  # noqa: B024 - it has one, made above
        size = made

    with pytest.raises(TypeError, match="abstract"):
        Shape()  # type: ignore[abstract]

    class Square(Shape):
        @memo
        def size(self) -> int:
            return 2

    assert Square().size() == 2


def test_a_wrapper_is_looked_through() -> None:
    cached = memo(lru_cache(add))
    twice(lambda: cached(1, b=2), 3)
    assert cached.cached(b=2, a=1)


def test_a_decorated_function() -> None:
    def logged(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def wrapper(*args: int, **kwargs: int) -> int:
            RAN.append("wrapper")
            return function(*args, **kwargs) + 100

        return wrapper

    loud = memo(logged(add))
    assert loud(1) == loud(1) == 111
    assert RAN == ["wrapper", (1, 10)]


def test_a_memo_of_a_memo() -> None:
    outer = memo(memo(add))
    twice(lambda: outer(1), 11)


@pytest.mark.parametrize("decorate", [memo, memo(version=1), experiment])
@pytest.mark.parametrize(
    ("given", "way"),
    [
        (Box, "decorate a function that makes the instance"),
        (len, "wrap it in a Python function"),
        (operator.itemgetter(0), "wrap it in a Python function"),
        (partial(len), "wrap it in a Python function"),
        (property(lambda _: 1), "put @property above @memo"),
        (cached_property(lambda _: 1), "put @cached_property above @memo"),
        (3, "decorate a function"),
        ("name", "decorate a function"),
        (staticmethod(len), "wrap it in a Python function"),
    ],
)
def test_anything_else_is_refused_with_a_way_out(decorate: Any, given: Any, way: str) -> None:
    with pytest.raises(OptionError) as refused:
        decorate(given)
    assert "cannot be memoised" in refused.value.message
    assert refused.value.hint.startswith(way)


def test_nothing_given_is_refused() -> None:
    # `memo(None)` is what a decorator that returned nothing leaves behind.
    with pytest.raises(OptionError):
        memo(None)  # type: ignore[call-overload]
