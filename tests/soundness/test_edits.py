"""The edits themselves: each changes the code as its name says, and leaves a program."""

import ast

import pytest
from tests.soundness.definitions import definitions, parse_file
from tests.soundness.edits import (
    INERT,
    Edit,
    apply,
    edits_inside,
    edits_of_class,
    edits_of_module,
    inert_edits,
)

TEXT = '''\
"""Module."""
from os import path, sep
from math import gcd

LIMIT = 3


class Base:
    """Base."""

    first = 1
    second = 2

    def go(self, x):
        return x


class Child(Base):
    def step(self, x):
        return len(x)


def naïve(x, k=1):
    """Text."""
    if x > k and x:
        return f"é{x}" + "é"
    return None


def plain(x):
    return x - max(1, 1)


def other(x):
    return x
'''


def _all_edits() -> list[Edit]:
    file = parse_file("module.py", TEXT)
    assert file is not None
    found = [*edits_of_module(file), *inert_edits(file)]
    for each in definitions(file):
        is_class = isinstance(each.node, ast.ClassDef)
        found += edits_of_class(each) if is_class else edits_inside(each)
    return found


EDITS = _all_edits()


def _after(kind: str) -> list[str]:
    return [apply(TEXT, edit) for edit in EDITS if edit.kind == kind]


def test_every_edit_leaves_a_program_that_differs() -> None:
    for edit in EDITS:
        after = apply(TEXT, edit)
        assert after != TEXT, edit
        ast.parse(after)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("body: constant", "    return x - max((1 + 1), 1)"),
        ("body: constant", "        return f\"é{x}\" + 'éq'"),
        ("body: condition", "    if (not (x > k and x)):"),
        ("body: operator", "    return (x + max(1, 1))"),
        ("body: comparison", "    if (x <= k) and x:"),
        ("body: return None", "    return None"),
        ("body: raises", "    raise RuntimeError('edited')"),
        ("default: constant", "def naïve(x, k=(1 + 1)):"),
        ("value: constant", "LIMIT = (3 + 1)"),
        ("class: base replaced", "class Child(object):"),
        ("class: method overridden", "    def go(self, *args, **kwargs): return None"),
        ("class: protocol method added", "    def __len__(self, *args): return 0"),
        ("class: method removed", "    pass"),
        ("module: builtin shadowed", "def len(*args, **kwargs): return None"),
        ("module: imports swapped", "from os import path as sep, sep as path"),
        ("module: import rebound", "path = None"),
        ("module: another import", "from math import hypot as gcd"),
        ("body: another builtin", "    return x - min(1, 1)"),
        ("new method", "    def unused_method_of_an_edit(self): return 1"),
        ("docstring", "    'An edited docstring.'"),
    ],
)
def test_an_edit_does_what_its_kind_says(kind: str, line: str) -> None:
    assert any(line in after.split("\n") for after in _after(kind)), _after(kind)


def test_values_of_a_class_change_places() -> None:
    wanted = "    second = 2\n    first = 1\n"
    assert any(wanted in after for after in _after("class: values swapped"))


def test_functions_change_places() -> None:
    (after,) = _after("reorder")
    assert after.index("def other") < after.index("def plain")
    assert sorted(after) == sorted(TEXT)


def test_an_inert_edit_leaves_what_the_module_does() -> None:
    for edit in EDITS:
        if edit.kind in INERT:
            module: dict[str, object] = {}
            exec(compile(apply(TEXT, edit), "module.py", "exec"), module)
            said = eval("LIMIT, plain(3), naïve(2), Child().step('ab')", module)
            assert said == (3, 2, "é2é", 2)


def test_what_is_inserted_in_front_of_decorators_leaves_them_in_place() -> None:
    text = "@staticmethod\ndef f(x):\n    return x\n"
    file = parse_file("module.py", text)
    assert file is not None
    (after, *_) = (apply(text, edit) for edit in inert_edits(file) if edit.kind == "new function")
    assert "\n@staticmethod\ndef f(x):" in after
    ast.parse(after)
