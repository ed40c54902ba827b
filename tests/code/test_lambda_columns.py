"""Which of the lambdas on one line a code object comes from."""

import ast
import itertools
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from types import CodeType

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hitsave.code.analyze import analyze
from hitsave.code.columns import NEXT_LINE
from hitsave.code.definition import FunctionDefinition
from hitsave.code.project import Module
from hitsave.code.source import Source

thorough = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

# -- bodies in every form, each written with brackets, breaks and letters of several bytes ------

leaves = st.sampled_from(["x", "1", "'é'", "None", "x.y", "()", "...", "f()", "f'{x}'", "[1, 2]"])


def _bodies(depth: int) -> st.SearchStrategy[str]:
    if not depth:
        return leaves
    inner = st.one_of(_bodies(depth - 1), st.builds("({})".format, _bodies(depth - 1)))
    broken = st.builds("(\n{}  # ü\n)".format, _bodies(depth - 1))
    part = st.one_of(inner, broken)
    templates = [
        *("{} + {}", "{} if {} else {}", "{} and {}", "not {}", "{} or {}", "{} < {} < {}"),
        *("[{} for é in {} if {}]", "{{{}: {} for x in {}}}", "({} for x in {})", "f({}, {})"),
        *("({}).z", "({})\n.go\n({}).z", "({})[{}]", "(w := {})", "1 if True else {}"),
        *("{} if False else {}", "True and {}", "(1) + 2", "({}, {})", "[*{}, 1]", "-1"),
        *("(yield {})", "(yield)", "(yield from {})", "f'''\n{{x}} {{x!r:>3}}'''", "f'a' f'{{x}}'"),
        *("{} in [1, 2]", "'%s' % ({},)", "(lambda p={}: {})", "__debug__ and {}", "super().z"),
    ]
    forms = [st.builds(text.format, *(part,) * text.count("{}")) for text in templates]
    return st.one_of(leaves, *forms)


bodies = _bodies(2)


def _source(several: list[str]) -> str:
    """A line of lambdas, one for each body, told apart by their parameters `p0`, `p1`, ..."""
    lambdas = (f"lambda p{number}: {body}" for number, body in enumerate(several))
    return f"class K:\n    'é'; found = [{', '.join(lambdas)}]\n"


def _compiled(source: str) -> CodeType | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile(source, "generated", "exec")
        except SyntaxError:
            return None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in filter(lambda constant: isinstance(constant, CodeType), code.co_consts):
        yield inner
        yield from _codes(inner)


def _functions_of(source: str) -> Callable[[CodeType], tuple[FunctionDefinition, ...]]:
    content = source.encode()
    record = analyze(content)
    return Module("m", Source("m", "m.py", content, False, True), record, None).functions_of


def _parameters(source: str) -> list[str]:
    """The first parameter of each lambda directly in the class, in the order of the source."""
    (found,) = ast.parse(source).body[0].body[1:]  # type: ignore[attr-defined]
    return [element.args.args[0].arg for element in found.value.elts]


@thorough
@given(st.lists(bodies, min_size=2, max_size=4))
def test_the_definition_that_a_lambda_comes_from_is_among_those_found(several: list[str]) -> None:
    source = _source(several)
    compiled = _compiled(source)
    assume(compiled is not None)
    assert compiled is not None
    functions_of = _functions_of(source)
    definitions = dict(
        zip(_parameters(source), analyze(source.encode()).functions["K.<lambda>"], strict=True)
    )
    codes = [code for code in _codes(compiled) if code.co_qualname == "K.<lambda>"]
    assert {code.co_varnames[0] for code in codes} == set(definitions)
    for code in codes:
        assert definitions[code.co_varnames[0]] in functions_of(code), source


DOING = (
    *("x + 1", "(x) + 1", "x", "x.go()", "(x)", "[x]", "{x: 1}", "f(x)", "not x"),
    *("f'é{x}'", "[y for y in x]", "(y for y in x)", "lambda y: x", "x if x else x"),
    *("(yield)", "(yield x) + 1", "(yield from x)", "(w := x)", "x[0]", "(x) if x else 1"),
)


@pytest.mark.parametrize(
    ("one", "other"),
    [*itertools.pairwise(DOING), *itertools.pairwise(reversed(DOING)), ("x + 1", "x + 1")],
)
def test_one_definition_is_found_where_bodies_do_something(one: str, other: str) -> None:
    source = f"'é'; a = [lambda x: {one}, lambda x: {other}]\n"
    functions_of = _functions_of(source)
    found = [
        functions_of(code)
        for code in _codes(compile(source, "m.py", "exec"))
        if code.co_qualname == "<lambda>"
    ]
    every = analyze(source.encode()).functions["<lambda>"]
    assert found == [(definition,) for definition in every]


WITHOUT_POSITIONS = """
from hitsave.code.analyze import analyze
from hitsave.code.project import Module
from hitsave.code.source import Source
source = b"a = [lambda x: x + 1, lambda x: x + 2]; b = [\\n lambda x: x]"
module = Module("m", Source("m", "m.py", source, False, True), analyze(source), None)
exec(compile(source, "m.py", "exec"))
print(*(len(module.functions_of(function.__code__)) for function in (*a, *b)))
"""


@pytest.mark.parametrize(
    ("options", "found"), [((), "1 1 1"), (("-X", "no_debug_ranges"), "2 2 1")]
)
def test_every_lambda_of_a_line_is_found_where_code_has_no_positions(
    options: tuple[str, ...], found: str
) -> None:
    command = [sys.executable, *options, "-c", WITHOUT_POSITIONS]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == found


def test_a_body_is_found_on_whatever_lines_it_stands() -> None:
    source = "a = [lambda x: x + 1, lambda x: f(x,\n x + 2), lambda x: (\n x), lambda x: x]\n"
    first, second, third = analyze(source.encode()).functions["<lambda>"][:3]
    assert (first.column, first.end_column) == (15, 20)
    assert (second.column, second.end_column) == (32, NEXT_LINE + 7)
    assert (third.column, third.end_column) == (NEXT_LINE + 1, NEXT_LINE + 2)
    functions_of = _functions_of(source)
    codes = [c for c in _codes(compile(source, "m.py", "exec")) if c.co_name == "<lambda>"]
    assert [len(functions_of(code)) for code in codes] == [1, 1, 1, 1]


def test_only_lambdas_have_a_column() -> None:
    (definition,) = analyze(b"def f(): return 1\n").functions["f"]
    assert (definition.column, definition.end_column) == (-1, -1)
    assert definition.covers(-1)
    assert definition.covers(3)
