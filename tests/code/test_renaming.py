"""Which locals may be renamed without a trace, and what imports call by another name."""

import ast

import pytest

from hitsave.code.scope import Scopes


@pytest.mark.parametrize(
    ("body", "hidden"),
    [
        ("y = x; return y", {"y"}),
        ("y = x; return locals()", set()),
        ("y = x; return lambda: y", set()),
        ("y = x; return [y for _ in x]", {"y"}),
        ("y = x; z = sys._getframe(); return z", set()),
        ("y = z = x; return numexpr.evaluate('y + 1')", {"z"}),
        ("y = x; return (lambda: inspect.currentframe().f_back)()", set()),
        ("import y; return y", set()),
        ("global y; y = 1; return y", set()),
        ("def y(): pass\n    return y", set()),
    ],
)
def test_only_locals_that_nothing_else_can_see_may_be_renamed(body: str, hidden: set[str]) -> None:
    tree = ast.parse(f"def f(x):\n    {body}\n")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert Scopes(tree)[function].renameable() == hidden


def test_an_alias_is_known_by_what_it_stands_for() -> None:
    tree = ast.parse(
        "import operator as o\nfrom sys import modules\ndef f():\n    from a.b import c as d\n"
    )
    assert Scopes(tree).aliases == {
        "o": ("operator",),
        "modules": ("sys", "modules"),
        "d": ("a", "b", "c"),
    }
