"""Whatever an argument does when it is looked at, the call gives what the plain function gives."""

import collections
import copyreg
import functools
import threading
import types
import unittest.mock
import weakref
from typing import Any

import numpy as np
import pytest

from hitsave import memo, register_digest
from hitsave.codec import registered_digests as registered
from hitsave.session import Session


def outcome(value: Any) -> Any:
    return [type(value), 7]


memoised = memo(outcome)


def raising(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("hostile")


def recursing(*args: Any, **kwargs: Any) -> Any:
    return recursing(*args, **kwargs)


COMMON = ["__eq__", "__hash__", "__iter__", "__len__", "__getattribute__", "__reduce_ex__"]
SPECIAL = [
    *COMMON, "__repr__", "__bool__", "__reduce__", "__getstate__", "__getattr__", "__sizeof__",
    "__getnewargs_ex__", "__hitsave_digest__", "__array__", "__fspath__", "__index__", "__call__",
    "__get__", "__copy__", "__deepcopy__", "__contains__", "__getitem__",
]  # fmt: skip


@pytest.mark.parametrize("base", [object, list, dict, str, int, set, tuple, Exception, np.ndarray])
@pytest.mark.parametrize("act", [raising, recursing, lambda *_: NotImplemented])
@pytest.mark.usefixtures("warned")
def test_methods_that_raise_recurse_or_lie(base: Any, act: Any) -> None:
    for name in SPECIAL if base is object else COMMON:
        kind = type("Hostile", (base,), {name: act, "__module__": __name__})
        value = np.zeros(2).view(kind) if base is np.ndarray else base.__new__(kind)
        for given in (value, {"a": (value, 1)}):
            assert memoised(given) == memoised(given) == outcome(given)


@pytest.mark.usefixtures("warned")
@pytest.mark.parametrize("act", [raising, recursing, lambda *_: 3])
def test_metaclasses_and_properties_that_raise_recurse_or_lie(
    act: Any, own_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A class that cannot be hashed ends what hitsave does with it, and not the call.
    monkeypatch.setattr(own_session, "settings", own_session.settings._replace(strict=False))
    for name in ("__hash__", "__eq__", "__getattribute__", "__instancecheck__", "__call__"):
        meta = type("Meta", (type,), {name: act})
        kind = type.__call__(meta, "Odd", (), {"__module__": __name__})
        value = object.__new__(kind)
        assert memoised(value)[1] == memoised([value])[1] == 7
    for name in ("__class__", "__dict__", "__wrapped__", "__name__", "dtype"):
        kind = type("Odd", (), {name: property(act), "__module__": __name__})
        assert memoised(kind()) == memoised(kind()) == outcome(kind())


class Weak:
    def __init__(self, *_: Any) -> None:
        pass


def nested(depth: int, kind: Any) -> Any:
    value: Any = kind()
    for _ in range(depth):
        value = {"k": value} if kind is dict else kind([value])
    return value


def cyclic() -> list[Any]:
    ring: list[Any] = [1]
    ring.append(ring)
    table: dict[Any, Any] = {}
    table["own"] = table
    knot = Weak()
    knot.own = knot  # type: ignore[attr-defined]
    queue: collections.deque[Any] = collections.deque()
    queue.append(queue)
    array = np.empty(1, dtype=object)
    array[0] = array
    space = types.SimpleNamespace()
    space.own = space
    return [ring, table, knot, queue, array, space, functools.partial(ring.append, ring)]


@pytest.mark.usefixtures("warned")
def test_cycles_and_ten_thousand_levels() -> None:
    deep = [nested(10_000, kind) for kind in (list, dict, collections.deque)]
    for value in (*cyclic(), *deep):
        assert memoised(value) == memoised(value) == outcome(value)
    while deep:  # one level at a time: C would take them down by recursion
        inner = deep.pop()
        deep += inner.values() if type(inner) is dict else inner


@pytest.mark.usefixtures("warned")
def test_proxies_and_mocks() -> None:
    owner = Weak()
    values = [
        weakref.proxy(owner), weakref.ref(owner), unittest.mock.Mock(), unittest.mock.MagicMock(),
        unittest.mock.NonCallableMagicMock(), unittest.mock.sentinel.odd, unittest.mock.ANY,
        types.MappingProxyType(collections.UserDict()), unittest.mock.create_autospec(Weak),
    ]  # fmt: skip
    for value in values:
        assert memoised(value) == memoised(value) == outcome(value)


@pytest.mark.usefixtures("warned")
def test_reductions_that_mean_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    class Foreign:
        pass

    Foreign.__module__, Foreign.__qualname__ = "foreign", "Foreign"
    counted = iter(range(10**9))
    for reduction in (
        raising, recursing, lambda _: None, lambda _: (), lambda _: "name", lambda _: (1, 2, 3),
        lambda _: (Foreign, (), {"n": next(counted)}), lambda each: (Foreign, (each,)),
        lambda _: (Foreign, (), None, 5), lambda _: (Foreign, (Foreign(),)),
    ):  # fmt: skip
        monkeypatch.setitem(copyreg.dispatch_table, Foreign, reduction)
        assert memoised(Foreign()) == memoised([Foreign()])[:0] + outcome(Foreign())


@pytest.mark.usefixtures("warned")
def test_registered_functions_that_mean_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_by_type", {})
    counted = iter(range(10**9))
    for function in (
        raising,
        recursing,
        lambda each: each,
        lambda _: Weak(),
        lambda _: next(counted),
    ):
        register_digest(Weak, function)
        assert memoised(Weak()) == memoised(Weak()) == outcome(Weak())


@pytest.mark.usefixtures("warned")
def test_objects_that_another_thread_changes() -> None:
    table: dict[Any, Any] = {number: [number] for number in range(200)}
    holder = Weak()
    holder.table, holder.items = table, set(range(100))  # type: ignore[attr-defined]
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            table.pop(number % 200, None)
            table[number % 300] = [number]
            holder.items ^= {number % 150}  # type: ignore[attr-defined]
            setattr(holder, f"x{number % 50}", number)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(20):
            assert memoised(holder) == outcome(holder)
            assert memoised([table, {1}]) == outcome([])
    finally:
        stop.set()
        thread.join()
