"""The column of a lambda: in the syntax tree and in the code object."""

import ast
import sys
from collections.abc import Iterator
from types import CodeType

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hitsave.code.columns import NEXT_LINE, NO_COLUMN, lambda_column

BODIES = [
    "x + 1",
    "(x) + 1",
    "x if x else (lambda y: y + x)",
    "(x) or y",
    "[i for i in range(3)]",
    "(i for i in x)",
    "(yield)",
    "(yield x) + 2",
    "(yield from x)",
    "(w := x)",
    "(\n    x\n    + 1)",
    "x(1,\n  2)",
    "not x",
    "x < 1 < 2",
    "f'{x}{y!r}'",
    "{**x}",
    "((((x))))",
    "x and x.y or x.z",
    "'é' + x",
    "(lambda: (lambda: x))",
]


def codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_in(constant)


def lambda_codes(text: str) -> list[CodeType]:
    return [code for code in codes_in(compile(text, "x", "exec")) if code.co_name == "<lambda>"]


def place(node: ast.Lambda) -> int:
    return (node.body.lineno - node.lineno) * NEXT_LINE + node.body.col_offset


def end(node: ast.Lambda) -> int:
    assert node.body.end_lineno is not None
    assert node.body.end_col_offset is not None
    return (node.body.end_lineno - node.lineno) * NEXT_LINE + node.body.end_col_offset


def lambdas(text: str) -> list[ast.Lambda]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Lambda)]


@pytest.mark.parametrize("body", BODIES)
def test_the_column_is_that_of_the_body(body: str) -> None:
    text = f"é = [lambda x: x, lambda x: {body}]\n"
    wanted = sorted(place(node) for node in lambdas(text))
    assert sorted(map(lambda_column, lambda_codes(text))) == wanted


def test_other_code_and_code_without_positions_have_none() -> None:
    assert lambda_column(test_other_code_and_code_without_positions_have_none.__code__) == -1
    code = (lambda: NEXT_LINE).__code__.replace(co_linetable=b"")
    assert lambda_column(code) == NO_COLUMN


ATOMS = st.sampled_from(["x", "y.z", "1", "'é'", "None", "()", "f'{x}'"])
FORMS = [
    "({})",
    "({}) + ({})",
    "({}) or ({})",
    "({}) if ({}) else ({})",
    "(lambda x: {})",
    "[({}), {}]",
    "[({}) for x in ({})]",
    "(yield {})",
    "f({},\n{})",
    "not ({})",
    "{{({}): {}}}",
]


def wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    filled = st.tuples(st.sampled_from(FORMS), inner, inner, inner)
    return filled.map(lambda drawn: drawn[0].format(*drawn[1:]))


def compiles(text: str) -> bool:
    try:
        compile(text, "x", "exec")
    except SyntaxError:
        return False
    return True


@given(st.lists(st.recursive(ATOMS, wider, max_leaves=8), min_size=2, max_size=3))
def test_each_code_object_lies_within_its_own_lambda(bodies: list[str]) -> None:
    text = "a = [" + ", ".join(f"lambda x: {body}" for body in bodies) + "]\n"
    assume(compiles(text))
    # The walk is by depth, so the outermost come first.
    nodes = lambdas(text)[: len(bodies)]
    codes = [code for code in lambda_codes(text) if code.co_qualname == "<lambda>"]
    columns = [lambda_column(code) for code in codes]
    if len(codes) < len(nodes):
        # Lambdas that are the same have one code object where a constant has no place (3.12).
        assert NO_COLUMN in columns
        return
    for number, (code, column) in enumerate(zip(codes, columns, strict=True)):
        on_line = [n for n, node in enumerate(nodes) if node.lineno == code.co_firstlineno]
        around = [n for n in on_line if place(nodes[n]) <= column < end(nodes[n])]
        # On 3.12 a constant alone has no place: then every lambda on the line may be it.
        is_constant = sys.version_info[:2] == (3, 12) and column == NO_COLUMN
        assert around == [number] or is_constant
