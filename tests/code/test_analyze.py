"""The cutting of a module into definitions, bindings and effects."""

import warnings

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.definition import ModuleRecord
from hitsave.errors import SourceError

MODULE = '''"""About it."""
import a.b
from .c import d as e, f
from g import *

LIMIT = 3
TABLE: dict[str, int] = {}

if LIMIT:
    def go(x): return x
else:
    def go(x): return -x

class Shape(Base, metaclass=Meta, slots=True):
    """A shape."""
    kind: str
    sides = 4
    def area(self, k=LIMIT): return (lambda: k)()
    class Inner: pass
    for name in "ab":
        print(name)

def set_limit(n):
    global LIMIT
    LIMIT = n

if __name__ == "__main__":
    RESULT = go(1)
    print(RESULT)
else:
    OTHER = 1
'''


@pytest.fixture(scope="module")
def record() -> ModuleRecord:
    return analyze(MODULE.encode())


def test_every_function_has_its_qualified_name(record: ModuleRecord) -> None:
    assert set(record.functions) == {
        "go",
        "Shape.area",
        "Shape.area.<locals>.<lambda>",
        "set_limit",
    }
    assert set(record.classes) == {"Shape", "Shape.Inner"}


def test_both_definitions_of_a_conditional_function_are_kept_apart(record: ModuleRecord) -> None:
    one, other = record.functions["go"]
    assert (one.first_line, other.first_line) == (10, 12)
    assert one.body.digest != other.body.digest


def test_names_are_bound_in_the_way_they_are_written(record: ModuleRecord) -> None:
    kinds = {name: {b.kind for b in found} for name, found in record.bindings.items()}
    assert kinds == {
        "a": {"import"},
        "e": {"import"},
        "f": {"import"},
        "LIMIT": {"value"},
        "TABLE": {"value"},
        "go": {"function"},
        "Shape": {"class"},
        "set_limit": {"function"},
        "RESULT": {"value"},
        "OTHER": {"value"},
    }
    (imported,) = record.bindings["e"]
    assert (imported.level, imported.module, imported.attribute) == (1, "c", "d")
    assert [star.module for star in record.stars] == ["g"]


def test_a_function_that_declares_a_global_binds_it_too(record: ModuleRecord) -> None:
    assert [binding.part.line for binding in record.bindings["LIMIT"]] == [6, 23]


def test_only_immutable_literals_can_be_told_without_running(record: ModuleRecord) -> None:
    assert record.bindings["LIMIT"][0].literal
    assert not record.bindings["TABLE"][0].literal


def test_the_main_block_is_driver_code_and_its_else_is_not(record: ModuleRecord) -> None:
    assert [b.driver for b in record.bindings["RESULT"]] == [True]
    assert [b.driver for b in record.bindings["OTHER"]] == [False]
    assert [effect.driver for effect in record.effects if ("go",) in effect.touches] == [True]


def test_a_class_has_its_bindings_in_their_order(record: ModuleRecord) -> None:
    (shape,) = record.classes["Shape"]
    names = [binding.name for binding in shape.bindings]
    assert names == ["kind", "sides", "area", "Inner", "name"]
    assert len(shape.effects) == 1
    assert {c.names for c in shape.head.references.chains} == {("Base",), ("Meta",)}


def test_a_docstring_is_kept_apart() -> None:
    one, other = (analyze(f'"""{text}"""\nx = 1\n'.encode()) for text in "ab")
    assert one.doc != other.doc
    assert one.bindings["x"][0].part.digest == other.bindings["x"][0].part.digest


@pytest.mark.parametrize(
    ("statement", "touched"),
    [
        ("TABLE['a'] = 1", ("TABLE",)),
        ("TABLE['a']['b']['c'] = 1", ("TABLE",)),
        ("TABLE['a'].append(1)", ("TABLE",)),
        ("TABLE.rows['a'].append(1)", ("TABLE", "rows")),
        ("del TABLE['a']", ("TABLE",)),
        ("TABLE.field += 1", ("TABLE",)),
        ("for table in (TABLE, 1): table['a'] = 1", ("TABLE",)),
        ("for table in TABLE: table['a'] = 1", ("TABLE",)),
        ("[t.append(1) for t in (TABLE, OTHER)]", ("OTHER",)),
        ("with TABLE as t: t['a'] = 1", ("TABLE",)),
        ("register(TABLE)", ("TABLE",)),
        ("register([TABLE, {'a': OTHER}])", ("OTHER",)),
        ("register(*TABLE, key=OTHER)", ("OTHER",)),
        ("x = register(TABLE)", ("TABLE",)),
        ("@adds_to(TABLE)\ndef f(): pass", ("TABLE",)),
        ("@TABLE.register\ndef f(): pass", ("TABLE", "register")),
        ("@TABLE['a'].register\nclass C: pass", ("TABLE",)),
        ("if True:\n    @TABLE.add\n    def f(): pass", ("TABLE", "add")),
        ("class C:\n    TABLE['a'] = 1", ("TABLE",)),
        ("class C:\n    @TABLE.add\n    def f(self): pass", ("TABLE", "add")),
        ("def f(x=register(TABLE)): pass", ("TABLE",)),
        ("x: TABLE = register(OTHER)", ("OTHER",)),
        ("try: register(TABLE)\nfinally: pass", ("TABLE",)),
        ("match register(TABLE):\n    case _: pass", ("TABLE",)),
    ],
)
def test_a_statement_says_what_it_may_change(statement: str, touched: tuple[str, ...]) -> None:
    (effect,) = analyze(statement.encode()).effects
    assert touched in effect.touches


@pytest.mark.parametrize(
    ("body", "stores"),
    [
        ("lib.options.depth = 1", {(0, "", ("lib", "options"), "depth")}),
        ("lib.table['a'] = 1", {(0, "", ("lib", "table"), "")}),
        ("lib.rows[0].depth += 1", {(0, "", ("lib", "rows"), "")}),
        ("lib.context()[0].depth = 1", {(0, "", ("lib", "context"), "")}),
        (
            "del lib.depth, lib.table[0]",
            {(0, "", ("lib",), "depth"), (0, "", ("lib", "table"), "")},
        ),
        ("setattr(lib.options, 'depth', 1)", {(0, "", ("lib", "options"), "depth")}),
        ("setattr(lib.context(), name(), 1)", {(0, "", ("lib", "context"), "")}),
        ("import lib\nlib.depth = 1", {(0, "lib", (), "depth")}),
        ("from .lib import a as b\nb.c.depth = 1", {(1, "lib", ("a", "c"), "depth")}),
        (
            "(lambda: [lib for x in y])\n(a, lib.b), *lib.c[0] = d",
            {(0, "", ("lib",), "b"), (0, "", ("lib", "c"), "")},
        ),
        ("def inner(): lib.depth = 1", {(0, "", ("lib",), "depth")}),
        ("lib = 1\nlib.depth = 1", set()),
        ("local = lib.table\nlocal.setattr(lib, 'a', 1)", set()),
        ("lib.depth, lib[0], lib().depth", set()),
        ("'a'.depth = {}['a'] = 1", set()),
    ],
)
def test_a_function_says_what_it_stores_into(body: str, stores: set[object]) -> None:
    lines = body.replace("\n", "\n    ")
    (function,) = analyze(f"def f():\n    {lines}\n".encode()).functions["f"]
    assert set(function.body.references.stores) == stores


@pytest.mark.parametrize(
    "statement",
    [
        *("x = 1", "import a", "class C: pass", "x: int", "'text'", "x = y = z"),
        *("def f(): g(TABLE)", "if x:\n    def f(): g(TABLE)", "f = lambda: g(TABLE)"),
        "class C:\n    x = 1\n    @property\n    def m(self): g(TABLE)",
    ],
)
def test_a_plain_definition_is_no_effect(statement: str) -> None:
    assert analyze(statement.encode()).effects == ()


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("(a, *b), c = d", {"a", "b", "c"}),
        ("for a, b in c: e = 1", {"a", "b", "e"}),
        ("with a as b, c as (d, e): pass", {"b", "d", "e"}),
        ("a += 1", {"a"}),
        ("if (a := b): pass", {"a"}),
        ("x = [a := b for c in d]", {"x", "a"}),
        ("x = any(c for c in d)", {"x"}),
        ("x = lambda: (a := 1)", {"x"}),
        ("match x:\n    case {'k': a, **b}: pass\n    case [c, *d] | K(c, e=d): pass", {*"abcd"}),
        ("try: import a\nexcept ImportError: a = None", {"a"}),
        ("while a: b = 1\nelse: c = 1", {"b", "c"}),
        ("class C:\n    global D\n    D = 1", {"C", "D"}),
        ("def f():\n    global g, h\n    def g(): pass\n    import h", {"f", "g", "h"}),
    ],
)
def test_every_name_that_a_statement_binds_is_found(statement: str, names: set[str]) -> None:
    assert set(analyze(statement.encode()).bindings) == names


def test_an_annotation_in_brackets_declares_no_field() -> None:
    one, other = (
        analyze(f"def f():\n    {name} = 1\n    class C(x):\n        ({name}): int".encode())
        for name in ("a", "b")
    )
    assert one.functions["f"][0].body.digest == other.functions["f"][0].body.digest


def _function(source: str) -> tuple[bytes, ...]:
    """What counts of a function: its annotations where something decorates it."""
    (found,) = analyze(source.encode()).functions["f"]
    seen = [found.annotations.digest] if found.decorators else []
    return found.header.digest, found.body.digest, *seen


def test_annotations_of_a_function_count_where_the_module_hands_it_to_something() -> None:
    one, other = "def f(x: int): pass\n", "def f(x: str): pass\n"
    assert _function(one) == _function(other)
    assert _function(one + "go.register(f)") != _function(other + "go.register(f)")
    assert _function(one + "f = memo(f)") == _function(other + "f = memo(f)")


def test_annotations_of_a_class_count_where_something_can_read_them() -> None:
    def parts(source: str) -> bytes:
        (found,) = analyze(source.encode()).classes["C"]
        return found.bindings[0].part.digest

    assert parts("class C:\n    x: int") == parts("class C:\n    x: str")
    assert parts("@d\nclass C:\n    x: int") != parts("@d\nclass C:\n    y: int")
    for before, after in [("@d\n", ""), ("", "\nD = dataclass(C)")]:
        one, other = (f"{before}class C:\n    x: {kind}{after}" for kind in ("int", "str"))
        assert parts(one) != parts(other)


@pytest.mark.parametrize(
    "source", [b"def f(:", b"\0", b"# coding: nonsense\n", b"x = '\xff'", b"(" * 5000]
)
def test_a_source_that_cannot_be_parsed_is_a_source_error(source: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be parsed"):
        analyze(source)


def test_a_source_in_another_encoding_is_analysed() -> None:
    record = analyze("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    assert record.bindings["x"][0].literal


def test_analysis_says_nothing_of_what_python_has_warned_of_already() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = analyze(rb"x = '\d'")
    assert "x" in record.bindings


BESIDE = """
class Box:
    if LIMIT:
        def size(self): return {body}
    else:
        size = {value}
if LIMIT:
    @register
    class Inner:
        def area(self): return {body}
        side = {value}
@register
def handler(x={value}): return {body}
"""


def _statements(**parts: int) -> list[bytes]:
    """The digests of all that counts by what a statement says, and not by what functions do."""
    found = analyze(BESIDE.format(**{"body": 1, "value": 2, **parts}).encode())
    (box,) = found.classes["Box"]
    beside = [binding.part.digest for binding in box.bindings if binding.kind == "value"]
    return [*beside, *(effect.part.digest for effect in (*box.effects, *found.effects))]


def test_statements_that_define_functions_do_not_change_with_what_these_do() -> None:
    assert _statements() == _statements(body=3)
    changed = zip(_statements(), _statements(value=3), strict=True)
    assert all(one != other for one, other in changed)
    found = analyze(BESIDE.format(body=1, value=2).encode())
    assert [effect.defines for effect in found.effects] == [("Inner",), ("handler",)]
