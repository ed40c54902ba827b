"""The code objects behind a module's definitions, as far as its namespace leads to them."""

from collections.abc import Callable
from textwrap import dedent
from types import CodeType, ModuleType
from typing import Any

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.live import Codes, codes_of
from hitsave.code.project import Module
from hitsave.code.source import Source


def _module(text: str) -> Module:
    text = dedent(text)
    live = ModuleType("m")
    exec(compile(text, "/p/m.py", "exec"), vars(live))
    source = Source("m", "/p/m.py", text.encode(), False, executed=True)
    return Module("m", source, analyze(text.encode()), vars(live))


def _found(module: Module, codes: Codes) -> dict[str, list[CodeType]]:
    assert module.record is not None
    return {
        definition.name: codes.of(definition)
        for definitions in module.record.functions.values()
        for definition in definitions
    }


def _names(text: str) -> set[str]:
    """The definitions whose code is found; each by code of its own name and line."""
    module = _module(text)
    found = _found(module, codes_of(module))
    assert all(code.co_qualname == name for name, codes in found.items() for code in codes)
    return {name for name, codes in found.items() if codes}


WRAPPED = """
    from functools import {imported}
    {decorator}
    def f(x=None): return 1
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(): return 1", {"f"}),
        ("f = lambda: 1", {"<lambda>"}),
        ("class A:\n    def f(self): return 1", {"A.f"}),
        ("class A:\n    class B:\n        def f(self): return 1", {"A.B.f"}),
        ("class A:\n    @property\n    def f(self): return 1", {"A.f"}),
        ("class A:\n    @staticmethod\n    def f(): return 1", {"A.f"}),
        ("class A:\n    @classmethod\n    def f(cls): return 1", {"A.f"}),
        ("def f():\n    def g(): return 1\n    return g", {"f", "f.<locals>.g"}),
        ("def f():\n    return lambda: 1\ng = f()", {"f", "f.<locals>.<lambda>"}),
        ("T = {'a': lambda: 1}", {"<lambda>"}),
        ("T = [[(lambda: 1,)]]", {"<lambda>"}),
        ("def f(): return 1\nT = {f}; del f", {"f"}),
        ("def f(): return 1\ng = f; del f", {"f"}),
        (WRAPPED.format(imported="cache", decorator="@cache"), {"f"}),
        (WRAPPED.format(imported="partial", decorator="@partial"), {"f"}),
        (WRAPPED.format(imported="singledispatch", decorator="@singledispatch"), {"f"}),
        ("def f(): return 1\ndel f", set()),
        ("def f(): return 1\nT = iter([f]); del f", set()),
    ],
)
def test_code_is_found_where_the_namespace_leads_to_it(text: str, names: set[str]) -> None:
    assert names <= _names(text)
    assert names or not _names(text)


def test_code_behind_a_wrapper_is_found() -> None:
    text = """
        from functools import wraps
        def around(function):
            @wraps(function)
            def inner(*args): return function(*args)
            return inner
        @around
        def f(): return 1
        @around
        @around
        def g(): return 1
    """
    assert {"f", "g", "around", "around.<locals>.inner"} == _names(text)


def test_code_in_a_cell_is_found_without_wraps() -> None:
    text = """
        def around(function):
            return lambda *args: function(*args)
        @around
        def f(): return 1
    """
    assert "f" in _names(text)


def test_lambdas_on_one_line_are_told_apart() -> None:
    # Python 3.12 does not say where the body of a lambda stands that is a constant.
    module = _module("one, two = lambda: -x, lambda: +x")
    assert module.record is not None
    definitions = [d for found in module.record.functions.values() for d in found]
    codes = codes_of(module)
    found = [codes.of(definition) for definition in definitions]
    namespace = module.namespace or {}
    assert found == [[namespace["one"].__code__], [namespace["two"].__code__]]


def test_definitions_of_one_name_are_told_apart_by_their_lines() -> None:
    module = _module("def f(): return 1\nold = f\ndef f(): return 2")
    assert module.record is not None
    codes = codes_of(module)
    found = [codes.of(definition) for definition in module.record.functions["f"]]
    assert [code.co_consts[-1] for (code,) in found] == [1, 2]


def test_an_earlier_definition_that_is_gone_is_not_found() -> None:
    module = _module("def f(): return 1\ndef f(): return 2")
    assert module.record is not None
    codes = codes_of(module)
    assert [len(codes.of(definition)) for definition in module.record.functions["f"]] == [0, 1]


def test_cycles_end() -> None:
    text = """
        T = []
        T.append(T)
        D = {}
        D["self"] = D
        class A: pass
        A.own = A
        def f(): return f
        f.__wrapped__ = f
        def g():
            def h(): return h
            return h
        h = g()
    """
    assert {"f", "g", "g.<locals>.h"} == _names(text)


def test_a_cell_that_is_not_filled_yet_is_passed_over() -> None:
    text = """
        def f():
            def inner(): return later
            if False:
                later = 1
            return inner
        g = f()
    """
    assert {"f", "f.<locals>.inner"} == _names(text)


def _raises(*_: object) -> Any:
    raise AssertionError("code of the user's ran")


@pytest.mark.parametrize(
    "name", ["__getattribute__", "__getattr__", "__eq__", "__hash__", "__len__"]
)
def test_nothing_of_the_users_is_run(name: str) -> None:
    module = _module("def f(): return 1")
    kind: Callable[[], object] = type("Odd", (), {name: _raises})
    assert module.namespace is not None
    module.namespace["odd"] = kind()
    module.namespace["inside"] = [kind()]
    assert [*_found(module, codes_of(module))] == ["f"]


def test_a_module_that_is_not_loaded_has_none() -> None:
    module = _module("def f(): return 1").hidden()
    assert _found(module, codes_of(module)) == {"f": []}
