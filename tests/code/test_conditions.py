"""What decides whether a definition is bound, in the records of the analyser."""

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.definition import Binding, ModuleRecord
from hitsave.code.records import pack_module, unpack_module


def record_of(source: str) -> ModuleRecord:
    return analyze(source.encode())


def conditions(source: str, name: str = "f") -> list[bytes]:
    return [b.condition.digest if b.condition else b"" for b in bindings(source, name)]


def bindings(source: str, name: str = "f") -> tuple[Binding, ...]:
    return record_of(source).bindings[name]


def names(source: str, name: str = "f") -> set[str]:
    found = [binding.condition for binding in bindings(source, name) if binding.condition]
    chains = (".".join(c.names) for part in found for c in part.references.chains)
    return set(chains) | {r.module for part in found for r in part.references.imports}


IF = "if FAST:\n    def f(x):\n        return x\nelse:\n    def f(x):\n        return -x\n"
TRY = (
    "try:\n    import fast\n    fast.check(LIMIT)\n    def f(x):\n        return fast.go(x)\n"
    "except (ImportError, fast.Error):\n    def f(x):\n        return -x\n"
)


def test_what_always_stands_there_has_no_condition() -> None:
    assert conditions("def f(): pass\ndef f(): pass\n") == [b"", b""]
    assert conditions("if FAST:\n    f = 1\n") == [b""]
    assert conditions("import f\n") == [b""]


def test_the_branches_of_an_if_have_different_conditions() -> None:
    one, other = conditions(IF)
    assert b"" not in (one, other)
    assert one != other
    assert names(IF) == {"FAST"}


def test_every_enclosing_statement_counts() -> None:
    inner = "if FAST:\n    if DEEP:\n        import f\n"
    assert names(inner) == {"FAST", "DEEP"}
    assert conditions(inner) != conditions(inner.replace("if FAST", "if not FAST"))


def test_what_a_try_comes_to_counts() -> None:
    assert names(TRY) == {"fast", "fast.check", "fast.Error", "LIMIT", "ImportError"}
    assert conditions(TRY) != conditions(TRY.replace("LIMIT", "0"))
    assert conditions(TRY) != conditions(TRY.replace("import fast", "import fast, slow"))


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        (IF, "return x", "return x + LIMIT"),
        (IF, "return -x", "return 0 - x"),
        (TRY, "return fast.go(x)", "return fast.step(x)"),
        (
            TRY,
            "    def f(x):\n        return fast",
            "    def g(): pass\n    def f(x):\n        return fast",
        ),
        (TRY, "return -x", "return 0 - x"),
    ],
)
def test_what_the_functions_do_is_no_condition(source: str, before: str, after: str) -> None:
    assert before in source
    assert conditions(source) == conditions(source.replace(before, after, 1))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("for i in ROWS:", {"ROWS"}),
        ("while STATE.on:", {"STATE.on"}),
        ("with OPEN() as i:", {"OPEN"}),
        ("match LEVEL:\n  case 1 if DEEP:", {"LEVEL", "DEEP"}),
    ],
)
def test_the_head_of_every_kind_of_block_counts(head: str, expected: set[str]) -> None:
    source = f"{head}\n    def f(): return OTHER\n"
    assert conditions(source) != [b""]
    assert names(source) == expected


def test_what_a_definition_in_a_try_executes_counts() -> None:
    source = "try:\n    @mark(LIMIT)\n    def f(x=SIZE): return OTHER\nexcept KeyError: pass\n"
    assert names(source) == {"mark", "LIMIT", "SIZE", "KeyError"}
    source = "try:\n    class f(BASE):\n        size = SIZE\n        def go(self): return OTHER\n"
    assert names(source + "finally: pass\n") == {"BASE", "SIZE"}


def test_a_star_import_has_a_condition() -> None:
    (always, sometimes) = record_of("from a import *\nif FAST:\n    from b import *\n").stars
    assert always.condition is None
    assert sometimes.condition is not None


def test_conditions_are_kept_in_records() -> None:
    record = record_of(IF + TRY + "if FAST:\n    from b import *\n")
    assert unpack_module(pack_module(record)) == record


def test_the_methods_of_a_compound_statement_are_no_part_of_the_class() -> None:
    source = "class K:\n    if FAST:\n        def go(self): return 1\n        size = SIZE\n"

    def shape(text: str) -> list[bytes]:
        return [effect.part.digest for effect in record_of(text).classes["K"][0].effects]

    assert shape(source) == shape(source.replace("return 1", "return 2"))
    assert shape(source) != shape(source.replace("FAST", "SLOW"))
    assert shape(source) != shape(source.replace("SIZE", "0"))
