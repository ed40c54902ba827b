"""Functions that have no source."""

from collections.abc import Callable
from typing import Any

import pytest

from hitsave.code.bytecode import code_digest, code_references


def _made(source: str, filename: str = "<made>") -> Callable[..., Any]:
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace)
    made: Callable[..., Any] = namespace["f"]
    return made


def _digest(source: str, filename: str = "<made>") -> bytes:
    return code_digest(_made(source, filename).__code__)


def test_where_a_function_was_made_leaves_no_trace() -> None:
    assert _digest("def f(x): return x + 1") == _digest("\n\n\ndef f(x):\n  return x + 1", "other")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x + 1", "x + 2"),
        ("x + 1", "x - 1"),
        ("x.a", "x.b"),
        ("g(x)", "h(x)"),
        ("x + 1", "x + 1.0"),
        ("x in {1, 2}", "x in {1, 3}"),
        ("(1, (2, 3))", "(1, (2, 4))"),
        ("lambda: 1", "lambda: 2"),
        ("[y for y in x]", "[y for y in x if y]"),
    ],
)
def test_what_a_function_does_shows(one: str, other: str) -> None:
    assert _digest(f"def f(x): return {one}") != _digest(f"def f(x): return {other}")


def _references(source: str) -> tuple[set[str], set[str], set[str], set[str]]:
    found = code_references(_made(source).__code__)
    return (
        {chain.names[0] for chain in found.chains},
        {"." * i.level + i.module for i in found.imports},
        {name for name, _ in found.attributes},
        {dynamic.kind for dynamic in found.dynamics},
    )


def test_names_of_every_nested_code_object_are_found() -> None:
    chains, _, attributes, _ = _references("def f(x): return lambda: [g(y).a for y in x]")
    assert "g" in chains
    assert "a" in attributes


def test_imports_are_found() -> None:
    names = "\n".join(f"    name_{i}" for i in range(300))
    source = f"def f():\n{names}\n    import a.b\n    from c import d\n    from .e import g\n"
    imports = _references(source)[1]
    assert {"a.b", "c", ".e"} <= imports


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("getattr(x, 'a')", "attribute"),
        ("eval(x)", "namespace"),
        ("importlib.import_module(x)", "import"),
        ("x.__subclasses__()", "subclasses"),
    ],
)
def test_a_name_that_looks_things_up_widens(expression: str, kind: str) -> None:
    assert kind in _references(f"def f(x): return {expression}")[3]


def test_a_format_string_asks_for_attributes() -> None:
    assert "name" in _references("def f(x): return '{0.name}'.format(x)")[2]
