"""What of two sources is executed on import, and whether it is the same."""

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.on_import import changed_functions, executed_parts

SOURCE = """
import os
from json import dumps as write

ONE = [1]
TWO = ONE.pop()


@write
def decorated(x, y=TWO):
    "Say what."
    return x + 1


class Kind(dict):
    field = 1

    def method(self):
        return [each for each in self if each > 1]


def outer():
    def inner():
        return 1

    return inner


if TWO:
    ONE.append(3)
"""


def changed(old: str, new: str) -> list[str] | None:
    found = changed_functions(analyze(old.encode()), analyze(new.encode()))
    return None if found is None else sorted(each.label for each in found)


@pytest.mark.parametrize(
    ("before", "after", "functions"),
    [
        ("import os\n", "import os  # for nothing\n\n\n", []),
        ("return x + 1", "return x + 2", ["decorated"]),
        ("each > 1", "each > 2", ["Kind.method"]),
        ("return [each", "print(self)\n        return [each", ["Kind.method"]),
        ("    return inner", "    print(1)\n\n    return inner", ["outer"]),
        ("        return 1\n", "        return 2\n", ["outer", "outer.<locals>.inner"]),
    ],
)
def test_bodies_of_functions_are_executed_later(
    before: str, after: str, functions: list[str]
) -> None:
    assert SOURCE.count(before) == 1
    assert changed(SOURCE, SOURCE.replace(before, after)) == functions


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ONE = [1]", "ONE = [2]"),
        ("import os", "import sys"),
        ("dumps as write", "dump as write"),
        ("@write", "@write\n@write"),
        ("@write\n", ""),
        ("y=TWO", "y=ONE"),
        ("def outer():", "def other():"),
        ("def outer():", "async def outer():"),
        ("Say what.", "Say it."),
        ("Kind(dict)", "Kind(list)"),
        ("field = 1", "field = 2"),
        ("field = 1", "field = 1\n    print(field)"),
        ("if TWO:", "if not TWO:"),
        ("append(3)", "append(4)"),
        ("if TWO:\n    ONE.append(3)\n", ""),
        ("ONE = [1]\nTWO = ONE.pop()\n", "TWO = ONE.pop()\nONE = [1]\n"),
        ("TWO = ONE.pop()\n", "TWO = ONE.pop()\nTWO = ONE.pop()\n"),
    ],
)
def test_everything_else_is_executed_on_import(before: str, after: str) -> None:
    assert SOURCE.count(before) == 1
    assert changed(SOURCE, SOURCE.replace(before, after)) is None


def test_a_statement_for_effect_in_another_place() -> None:
    call = "if TWO:\n    ONE.append(3)\n"
    moved = SOURCE.replace(call, "").replace("TWO = ONE.pop()\n", f"{call}TWO = ONE.pop()\n")
    assert changed(SOURCE.replace("if TWO", "if ONE"), moved.replace("if TWO", "if ONE")) is None


def test_the_body_of_a_function_is_executed_once_that_has_run() -> None:
    record = analyze(b"import sys\n\n\ndef f(x=sys.path):\n    return sys.argv\n")

    def executed(*ran: str) -> set[str]:
        parts = executed_parts(record, lambda function: function.label in ran)
        return {name for part in parts for chain in part.references.chains for name in chain.names}

    assert executed() == {"sys", "path"}
    assert executed("f") == {"sys", "path", "argv"}
