"""What leaves a trace in a definition's digest, and what does not."""

import ast
import re
from textwrap import dedent

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.definition import FunctionDefinition

SOURCE = dedent(
    '''
    def f(x, *, k=1):
        """Say what it does."""
        total = 0
        for item in range(x):
            if item % 2:
                total += helper(item) * k
        return [total, f"{total!r:>5}", {"a": (1, 2)}, lambda y: y + total]
    '''
)


def function(source: str, name: str = "f") -> FunctionDefinition:
    (found,) = analyze(source.encode()).functions[name]
    return found


def digests(source: str) -> tuple[bytes, bytes]:
    found = function(source)
    return found.body.digest, found.header.digest


@pytest.mark.parametrize(
    "edited",
    [
        SOURCE.replace("total = 0", "total = 0  # a remark"),
        SOURCE.replace("Say what it does.", "Say it in other words."),
        SOURCE.replace('    """Say what it does."""\n', ""),
        SOURCE.replace("total = 0", "total: int = 0"),
        SOURCE.replace("def f(x, *, k=1):", "def f(x: int, *, k: int = 1) -> list:"),
        SOURCE.replace("total = 0", "total = (0)"),
        SOURCE.replace('"a"', "'a'"),
        SOURCE.replace("item", "element"),
        "\n\n# moved down\n" + SOURCE,
        ast.unparse(ast.parse(SOURCE)),
    ],
)
def test_an_edit_that_changes_nothing_leaves_no_trace(edited: str) -> None:
    assert edited != SOURCE
    assert digests(edited) == digests(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total = 0", "total = False"),
        ("total = 0", "total = 0.0"),
        ("range(x)", "range(x, 9)"),
        ("item % 2", "item % 3"),
        ("item % 2", "not item % 2"),
        ("+=", "-="),
        ("helper(item)", "other(item)"),
        ("helper(item)", "helper(x)"),
        ("!r:>5", "!s:>5"),
        ("!r:>5", "!r:>6"),
        ('"a"', 'b"a"'),
        ("(1, 2)", "[1, 2]"),
        ("y + total", "total + y"),
        ("for item in range(x):", "for item in range(x):\n        continue"),
        ("return [", "return *["),
        ("k=1", "k=2"),
        ("*, k=1", "k=1"),
        ("def f(x", "def f(z"),
        ("def f", "async def f"),
    ],
)
def test_an_edit_that_can_change_something_leaves_a_trace(old: str, new: str) -> None:
    edited = SOURCE.replace(old, new, 1)
    assert edited != SOURCE
    if old == "def f(x":
        edited = edited.replace("range(x)", "range(z)")
    assert digests(edited) != digests(SOURCE)


@pytest.mark.parametrize(
    "source",
    [
        "def f(a):\n    b = a\n    return locals()",
        "def f(a):\n    b = a\n    return eval('b')",
        "def f(a):\n    b = a\n    return lambda: b",
        "def f(a):\n    global b\n    b = a",
        "def f(a):\n    import b\n    return b",
        "def f(a):\n    def b(): return 1\n    return b",
    ],
)
def test_a_local_that_something_else_can_see_keeps_its_name(source: str) -> None:
    assert digests(re.sub(r"\bb\b", "c", source)) != digests(source)


def test_a_renamed_local_never_hides_a_global() -> None:
    local = "def f(x):\n    scale = 2\n    return x * scale"
    outer = "def f(x):\n    rate = 2\n    return x * scale"
    assert digests(local) != digests(outer)


def test_a_comprehension_variable_is_no_reference() -> None:
    found = function("def f(x):\n    return [n + base for n in rows(x) if n]")
    assert {chain.names for chain in found.body.references.chains} == {("base",), ("rows",)}


def test_constant_names_in_lookups_are_asked_for() -> None:
    found = function("def f(x):\n    return getattr(x, 'do_' + 'it'), '{0.label}'.format(x)")
    asked = {name for name, _ in found.body.references.attributes}
    assert {"do_it", "label"} <= asked
    assert not found.body.references.dynamics


@pytest.mark.parametrize(
    ("expression", "kind", "prefix", "suffix"),
    [
        ("getattr(x, 'visit_' + name)", "attribute", "visit_", ""),
        ("getattr(x, f'{name}_end')", "attribute", "", "_end"),
        ("importlib.import_module(f'plugins.{name}')", "import", "plugins.", ""),
        ("__import__(name)", "import", "", ""),
        ("globals()[name]", "namespace", "", ""),
        ("eval('x.label')", "namespace", "", ""),
        ("sys.modules[name]", "modules", "", ""),
        ("Base.__subclasses__()", "subclasses", "", ""),
    ],
)
def test_a_computed_name_is_noted_as_far_as_it_is_known(
    expression: str, kind: str, prefix: str, suffix: str
) -> None:
    found = function(f"def f(x, name):\n    return {expression}")
    noted = {(d.kind, d.prefix, d.suffix) for d in found.body.references.dynamics}
    assert noted == {(kind, prefix, suffix)}


def test_a_text_that_is_evaluated_asks_for_the_names_in_it() -> None:
    known = function("def f(x):\n    return eval('x.label')").body.references
    assert "label" in {name for name, _ in known.attributes}
    unknown = function("def f(x, name):\n    return eval('x.' + name)").body.references
    kinds = {(d.kind, d.prefix, d.suffix) for d in unknown.dynamics}
    assert kinds == {("namespace", "", ""), ("attribute", "", "")}
