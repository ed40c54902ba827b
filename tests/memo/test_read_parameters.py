"""Parameters of functions that do not run, which the program reads by reflection."""

import sys
from pathlib import Path

import pytest

SEEN = sys.version_info >= (3, 12)
"""Whether it is seen at any time whose parameters are read."""

HELPER = """
import functools, inspect
def read(x=1): pass
def other(x=1): pass
class Shape:
    def __init__(self, x=1): pass
    def area(self, x=1): pass
    def unused(self, x=1): pass
def wrapping(f):
    @functools.wraps(f)
    def wrapper(*args): return f(*args)
    return wrapper
@wrapping
def wrapped(x=1): pass
class Lazy:
    def __init__(self, f): self.f = f
    def text(self): return str(inspect.signature(self.f))
LAZY = Lazy(read)
READ_ON_IMPORT = {"read": inspect.signature(read)}
def show(f): return str(inspect.signature(f))
def find(name): return globals()["na" + "me"] if name == "name" else getattr(MODULE, name)
import sys
MODULE = sys.modules[__name__]
"""
SCRIPT = """
{first}
from hitsave import memo
import functools, inspect
import helper

@memo
def f():
    print("ran")
    return {expression}

print(f())
"""


@pytest.fixture
def ran(run, tmp_path: Path):
    """Whether the call runs again after edits of the default arguments of a function."""

    def ran(expression: str, edited: str, first: str = "") -> bool:
        helper = tmp_path / "project" / "helper.py"
        helper.write_text(HELPER)
        script = SCRIPT.replace("{expression}", expression).replace("{first}", first)
        for expected in ("ran", ""):
            assert run(script).stdout.startswith(expected)
        assert "ran" not in run(script).stdout
        changed = HELPER.replace(f"def {edited}x=1)", f"def {edited}x=12)")
        assert changed != HELPER
        helper.write_text(changed)
        again = run(script).stdout
        truth = run(script, HITSAVE_MODE="off").stdout
        assert "ran" in again or again in truth  # never stale
        return "ran" in again

    return ran


@pytest.mark.parametrize(
    ("expression", "edited"),
    [
        ("helper.show(helper.read)", "read("),
        ("str(inspect.signature(helper.read))", "read("),
        ("str(inspect.getfullargspec(helper.read))", "read("),
        ("helper.show(helper.Shape)", "__init__(self, "),
        ("helper.show(helper.Shape.area)", "area(self, "),
        ("helper.show(helper.Shape().area)", "area(self, "),
        ("helper.show(functools.partial(helper.read))", "read("),
        ("helper.show(helper.wrapped)", "wrapped("),
        ("helper.show(helper.find('re' + 'ad'))", "read("),
        ("helper.LAZY.text()", "read("),
        ("str(helper.READ_ON_IMPORT['read'])", "read("),
        ("str(helper.read.__defaults__), 'x=12' * (helper.read.__defaults__ == (12,))", "read("),
    ],
)
def test_what_was_read_counts(ran, expression: str, edited: str) -> None:
    assert ran(expression, edited)


def test_what_nothing_leads_to_does_not_count(ran) -> None:
    assert not ran("helper.show(helper.read)", "other(")


@pytest.mark.parametrize(
    ("expression", "edited"),
    [
        ("helper.show(helper.find('re' + 'ad'))", "other("),
        ("helper.show(helper.Shape.area)", "unused(self, "),
    ],
)
def test_what_was_not_read_does_not_count_where_that_is_seen(
    ran, expression: str, edited: str
) -> None:
    assert ran(expression, edited) is not SEEN


def test_what_may_have_been_read_before_hitsave_was_there_counts(ran) -> None:
    assert ran("helper.show(helper.find('re' + 'ad'))", "other(", "import helper")
