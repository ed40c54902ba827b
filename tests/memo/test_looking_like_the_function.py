"""A memoised function looks like the function, to people and to other libraries."""

import asyncio
import copy
import functools
import inspect
import pickle
import pydoc
import subprocess
import sys
import weakref
from functools import partial
from typing import Any

import pytest

from hitsave import memo


@memo
def area(width: int, height: int = 2) -> int:
    """The area of a rectangle."""
    return width * height


def slow(x: int) -> int:
    return -x


quick = memo(slow)


def rectangle(width: int, height: int = 2) -> int:
    return width * height


halved = memo(partial(rectangle, height=1))


class Model:
    def __init__(self, weight: int) -> None:
        self.weight = weight

    @memo
    def predict(self, x: int) -> int:
        """A prediction."""
        return x * self.weight

    @memo
    @classmethod
    def make(cls, x: int) -> str:
        return cls.__name__ * x


@memo
async def fetch(x: int) -> int:
    return x


@memo
def count(n: int) -> Any:
    yield from range(n)


@memo
async def ticks(n: int) -> Any:
    for i in range(n):
        yield i


def test_name_docstring_and_signature_are_the_functions() -> None:
    assert (area.__name__, area.__qualname__, area.__module__) == ("area", "area", __name__)
    assert area.__doc__ == "The area of a rectangle."
    assert str(inspect.signature(area)) == "(width: int, height: int = 2) -> int"
    assert inspect.getsource(area).startswith("@memo\ndef area")
    assert area.__wrapped__(2) == 4


def test_methods_have_signatures_without_self() -> None:
    assert str(inspect.signature(Model(2).predict)) == "(x: int) -> int"
    assert str(inspect.signature(Model.predict)) == "(self, x: int) -> int"
    assert str(inspect.signature(Model.make)) == "(x: int) -> str"
    assert Model(2).predict.__name__ == "predict"
    assert Model(2).predict.__wrapped__(3) == 6


def test_a_partial_has_the_signature_that_is_left() -> None:
    assert str(inspect.signature(halved)) == "(width: int, *, height: int = 1) -> int"
    assert halved.__name__ == "rectangle"


def test_help_shows_the_function() -> None:
    shown = pydoc.plain(pydoc.render_doc(area))
    assert "area(width: int, height: int = 2) -> int" in shown
    assert "The area of a rectangle." in shown
    assert "A prediction." in pydoc.plain(pydoc.render_doc(Model))


def test_kinds_of_functions_are_recognised() -> None:
    assert inspect.iscoroutinefunction(fetch)
    assert asyncio.iscoroutinefunction(fetch)
    assert inspect.isgeneratorfunction(count)
    assert inspect.isasyncgenfunction(ticks)
    for other in (area, count, ticks, Model(1).predict):
        assert not inspect.iscoroutinefunction(other)
        assert not asyncio.iscoroutinefunction(other)
    assert inspect.iscoroutinefunction(memo(partial(fetch.__wrapped__, 1)))
    assert inspect.isroutine(area)


def test_a_coroutine_function_is_recognised_whatever_is_loaded_first() -> None:
    program = (
        "from hitsave import memo\n"
        "@memo\nasync def f(): pass\n"
        "import sys; assert 'asyncio' not in sys.modules and 'inspect' not in sys.modules\n"
        "import asyncio, inspect\n"
        "assert asyncio.iscoroutinefunction(f) and inspect.iscoroutinefunction(f)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_attributes_of_the_function_are_kept_and_can_be_set() -> None:
    def plain() -> None:
        pass

    plain.tag = "a"  # type: ignore[attr-defined]
    kept: Any = memo(plain)
    kept.count = 3
    assert (kept.tag, kept.count) == ("a", 3)


def test_wrapping_a_memo_copies_nothing_of_its_own() -> None:
    @functools.wraps(area)
    def wrapper(*args: Any) -> Any:
        return area(*args)

    assert set(vars(wrapper)) <= {"__wrapped__", *functools.WRAPPER_ASSIGNMENTS}
    assert vars(wrapper)["__wrapped__"] is area
    assert str(inspect.signature(wrapper)) == "(width: int, height: int = 2) -> int"
    assert memo(wrapper)(3) == 6


def test_a_copy_is_the_function_itself() -> None:
    assert copy.copy(area) is copy.deepcopy(area) is area
    assert copy.deepcopy([halved])[0] is halved
    assert weakref.ref(area)() is area


def test_bound_methods_are_equal_as_pythons_own_are() -> None:
    one, other = Model(1), Model(1)
    assert one.predict == one.predict
    assert hash(one.predict) == hash(one.predict)
    assert one.predict != other.predict
    assert one.predict != Model.make
    assert one.predict.__self__ is one
    assert one.predict.__func__ is Model.predict


def test_a_deep_copy_of_a_bound_method_has_an_instance_of_its_own() -> None:
    bound = Model(3).predict
    copied = copy.deepcopy(bound)
    assert copied.__self__ is not bound.__self__
    assert copied(2) == 6
    assert copy.copy(bound) == bound


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_pickled_by_name(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    assert pickle.loads(pickle.dumps(area, protocol)) is area
    assert pickle.loads(pickle.dumps(Model.predict, protocol)) is Model.predict
    assert pickle.loads(pickle.dumps(Model(3).predict, protocol))(2) == 6
    assert pickle.loads(pickle.dumps(Model.make, protocol))(2) == "ModelModel"


def test_under_another_name_it_is_pickled_from_its_function() -> None:
    again = pickle.loads(pickle.dumps(quick))
    assert again(3) == -3
    assert again.cached(3)
    assert pickle.loads(pickle.dumps(halved))(3) == 3


def test_a_nested_function_is_refused_by_pickle_as_ever() -> None:
    def inner() -> None:
        pass

    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(memo(inner))
