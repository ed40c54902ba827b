"""Results: how they are recorded, and what a hit gives."""

import json

import pytest

from hitsave import memo

SCRIPT = """
import hitsave, json
from hitsave import memo

class Kept:
    def __init__(self, x):
        self.x = x

def write(value):
    return value.x, []

def read(data, _):
    return Kept(data {more})

if {registered}:
    hitsave.register_codec(Kept, "script.kept", {version}, write, read)

@memo
def make(x):
    print("computing")
    return [Kept(x)]

print(json.dumps([make(n)[0].x for n in (1, 2)]))
"""


def printed(run, **choices):
    chosen = {"quiet": True, "registered": True, "version": 1, "more": "", **choices}
    # Not by a filter in the program: that would count.
    done = run(SCRIPT.format(**chosen), "-W", "ignore" if chosen["quiet"] else "always")
    *computed, last = done.stdout.splitlines()
    return len(computed), json.loads(last), done.stderr


def test_a_registered_codec_keeps_results_and_its_code_does_not_count(run):
    assert printed(run)[:2] == (2, [1, 2])
    assert printed(run)[:2] == (0, [1, 2])
    assert printed(run, more="* 10")[:2] == (0, [10, 20])


def test_a_record_whose_codec_is_not_registered_is_a_miss_and_one_warning(run):
    assert printed(run, version=3)[0] == 2
    computed, found, said = printed(run, quiet=False, registered=False)
    assert (computed, found) == (2, [1, 2])
    assert said.count("script.kept") == 1
    assert "Traceback" not in said


MODELS = """
import dataclasses, enum
from typing import NamedTuple

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Point:
    x: int
    {field}

class Pair(NamedTuple):
    a: object
    b: object
"""
LAZY = """
from hitsave import memo

@memo
def make(x):
    import models
    print("computing")
    return [models.Point(x), models.Point(x)], models.Pair(1, models.Colour.RED)

print(make(1))
"""


def test_modules_that_the_function_imports_are_imported_for_a_hit(run, tmp_path):
    models = tmp_path / "project" / "models.py"
    models.write_text(MODELS.format(field=""))
    first, second = run(LAZY).stdout, run(LAZY).stdout
    assert first == f"computing\n{second}"
    assert "Point(x=1)" in second
    models.write_text(MODELS.format(field="y: int = 5"))
    assert "computing" in (third := run(LAZY).stdout)
    assert "Point(x=1, y=5)" in third


@memo
def given(value):
    return [value, {"inside": value}]


def test_a_result_that_holds_an_argument_is_a_copy_each_time():
    argument = {"a": [1]}
    computed = given(argument)
    assert computed[0] is argument
    one, two = given(argument), given(argument)
    assert one[0] is one[1]["inside"]
    assert one[0] is not argument
    assert one[0] is not two[0]
    one[0]["a"].append(2)
    assert given(argument) == [{"a": [1]}, {"inside": {"a": [1]}}]


PASSED_ON = """
from hitsave import inert, memo, session

told = inert([])
whole = session.digest_value

def digest_value(value, **options):
    if not options.get("partial"):  # as globals are
        told.append(type(value).__name__)
    return whole(value, **options)

session.digest_value = digest_value

@memo
def make(n):
    return {made}

@memo
def use(value):
    print("computing")
    return value[0] + value[1]

for _ in range(2):
    told.clear()
    made = make(5)
    use(made)
    print(told)
told.clear()
use({equal})
print(told)
"""


@pytest.mark.parametrize(
    ("made", "equal", "kind"),
    [
        ("bytes([n]) * 200_000", "bytes([5]) * 200_000", "bytes"),
        ("chr(n) * 200_000", "chr(5) * 200_000", "str"),
        ("tuple(range(100_000)) * n", "tuple(range(100_000)) * 5", "tuple"),
    ],
)
def test_a_large_result_that_nobody_can_change_is_passed_on_unread(run, made, equal, kind) -> None:
    printed = run(PASSED_ON.format(made=made, equal=equal)).stdout.splitlines()
    assert printed == ["computing", str(["int", kind]), "[]", str([kind])]
    assert run(PASSED_ON.format(made=made, equal=equal)).stdout.splitlines() == ["[]"] * 2 + [
        str([kind])
    ]


FIXED = """
import numpy

def fixed(n):
    made = numpy.full(50_000, n)
    made.setflags(write={writeable})
    return made
"""


@pytest.mark.parametrize("writeable", [False, True])
def test_an_array_that_may_not_be_written_to_is_passed_on_unread(run, writeable) -> None:
    pytest.importorskip("numpy")
    text = PASSED_ON.format(made="fixed(n)", equal="fixed(5)")
    script = FIXED.format(writeable=writeable) + text
    if writeable:
        script = script.replace("use(made)", "use(made); made[0] = 7; use(made)")
    run(script)
    printed = run(script).stdout.splitlines()
    assert printed == ([str(["ndarray"] * 2)] * 2 if writeable else ["[]"] * 2) + ["['ndarray']"]


BROUGHT = """
import sys
sys.path.insert(0, "site-packages")
from hitsave import memo
from maker import fixed

@memo
def make(n):
    return fixed(n)

@memo
def use(value):
    print("computing")
    return int(value[0])

for made in ({first}, {second}):
    print(use(made))
"""


@pytest.mark.parametrize("order", [("make(5)", "fixed(5)"), ("fixed(5)", "make(5)")])
def test_a_result_is_the_same_argument_passed_on_or_not(run, tmp_path, order) -> None:
    pytest.importorskip("numpy")
    packages = tmp_path / "project" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "maker.py").write_text(FIXED.format(writeable=False))
    script = BROUGHT.format(first=order[0], second=order[1])
    assert run(script).stdout.split() == ["computing", "5", "5"]
    assert run(script).stdout.split() == ["5", "5"]
