"""Which items of a global are read by constant keys, and when the whole of it counts."""

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.definition import Chain
from hitsave.code.records import pack_module, unpack_module


def _chains(body: str) -> tuple[Chain, ...]:
    record = analyze(f"def f(x):\n    {body}\n".encode())
    assert unpack_module(pack_module(record)) == record
    (definition,) = record.functions["f"]
    return definition.body.references.chains


def _read(body: str) -> set[tuple[str, tuple[str | int, ...]]]:
    """What a body reads of C, or of m.C: the container, and the keys of an item of it."""
    return {
        (".".join(chain.container), chain.keys)
        for chain in _chains(body)
        if "C" in chain.names or "m" in chain.names
    }


@pytest.mark.parametrize(
    ("expression", "item"),
    [
        ("C['a']", ("C", ("a",))),
        ("C[0]", ("C", (0,))),
        ("C[-1]", ("C", (-1,))),
        ("C['a'][0]['b']", ("C", ("a", 0, "b"))),
        ("C.get('a')", ("C", ("a",))),
        ("C.get('a', None)", ("C", ("a",))),
        ("C.get('a')['b']", ("C", ("a", "b"))),
        ("C['a'].get('b', 1).get(2)", ("C", ("a", "b", 2))),
        ("m.C['a']", ("m.C", ("a",))),
        ("m.n.C.get('a')", ("m.n.C", ("a",))),
        ("C['a'].b", ("C", ("a",))),
        ("C['a'](x)", ("C", ("a",))),
        ("C['a'][x]", ("C", ("a",))),
        ("C['a'].get(x)", ("C", ("a",))),
        ("C['a'].go(1)['b']", ("C", ("a",))),
        ("x[C['a']]", ("C", ("a",))),
        ("[y for y in C['a']]", ("C", ("a",))),
        ("[C['a'] for y in x]", ("C", ("a",))),
        ("lambda: C['a']", ("C", ("a",))),
        ("f'{C[\"a\"]}'", ("C", ("a",))),
    ],
)
def test_an_item_is_read_by_constant_keys(expression: str, item: object) -> None:
    assert _read(f"return {expression}") == {item}


@pytest.mark.parametrize(
    "body",
    [
        *("return C", "return C[x]", "return C['a':]", "return C[True]", "return C[1.0]"),
        *("return C[b'a']", "return C[None]", "return C['a', 'b']", "return C[-x]", "return C[~1]"),
        *("return C.get(x)", "return C.get('a', x)", "return C.get('a', default=1)"),
        *("return C.get()", "return C.get(*x)", "return C.get('a', 1, 2)", "return C.get"),
        *("return 'a' in C", "return len(C)", "return {**C}", "return [y for y in C]"),
        *("return C.items()", "return C.pop('a')", "return C.setdefault('a', 1)"),
        *("C['a'] = 1", "C['a'] += 1", "del C['a']", "for C['a'] in x: pass"),
        *("C['a']['b'] = 1", "C['a']['b'] += 1", "del C['a']['b']", "C['a'].b = 1"),
        *("C.get('a')['b'] = 1", "C.get('a').b = 1", "del C['a'].b", "C['a'].b['c'] = 1"),
        *("C['a'].go(1)['b'] = 1", "C['a'][0].b += 1", "with x as C['a']['b']: pass"),
        *("y: C = 1; return C", "return C['a'], C", "return (lambda: C)(), C['a']"),
        *("return C['a'], C.get(x)", "return C['a'], C.items()", "return C.get('a'), C[x]"),
        *("return C['\\ud800']", "return C[99999999999999999999]"),
    ],
)
def test_anything_else_is_a_use_of_the_whole(body: str) -> None:
    assert {keys for _, keys in _read(body)} == {()}


def test_several_items_of_one_global_are_kept_apart() -> None:
    found = _read("return C['a'], C.get('b'), m.C['c'], m.D, (lambda: C['d'])")
    items = {("C", ("a",)), ("C", ("b",)), ("m.C", ("c",)), ("C", ("d",))}
    assert found == {*items, ("m.D", ())}


def test_what_is_stored_is_told_from_what_is_read_beside_it() -> None:
    assert _read("m.C[C['a']]['b'] = C['c']") == {("m.C", ()), ("C", ("a",)), ("C", ("c",))}


@pytest.mark.parametrize(
    "body",
    [
        "return x['a']",
        "C = x; return C['a']",
        "return [C['a'] for C in x]",
        "import C; return C['a']",
        "return (lambda C: C['a'])",
    ],
)
def test_items_of_locals_are_not_followed(body: str) -> None:
    assert _read(body) == set()


def test_tables_that_python_keeps_are_looked_into_as_ever() -> None:
    (definition,) = analyze(b"def f(): return C.__dict__['a'], os.environ['b']").functions["f"]
    kinds = {dynamic.kind for dynamic in definition.body.references.dynamics}
    chains = {(chain.names, chain.keys) for chain in definition.body.references.chains}
    assert kinds == {"attribute"}
    assert chains == {(("C", "__dict__"), ()), (("os", "environ"), ("b",))}


def test_a_method_that_is_called_get_stays_a_call() -> None:
    (chain,) = _chains("return C.get('a')")
    assert (chain.names, chain.opaque) == (("C", "get"), False)
    attributes = analyze(b"def f(): return C['a'].get('b')").functions["f"][0].body.references
    assert "get" in dict(attributes.attributes)


def test_a_private_global_is_named_as_its_class_sees_it() -> None:
    record = analyze(b"class K:\n    def f(self): return __c['a']\n")
    (chain,) = record.functions["K.f"][0].body.references.chains
    assert (chain.names, chain.keys) == (("_K__c",), ("a",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C['a']", "C['b']"),
        ("C['a']", "C.get('a')"),
        ("C.get('a')", "C.get('a', None)"),
        ("C[1]", "C['1']"),
        ("C[1]", "C[True]"),
        ("C['a']['b']", "C['a'], ['b']"),
        ("C['a'].get('b')", "C['a']['b']"),
        ("C.get('a')", "D.get('a')"),
        ("C.get('a').b", "C.get('a', b)"),
    ],
)
def test_reads_of_other_items_have_other_digests(one: str, other: str) -> None:
    found = [analyze(f"def f(x):\n    return {e}".encode()) for e in (one, other)]
    first, second = (record.functions["f"][0].body.digest for record in found)
    assert first != second


@pytest.mark.parametrize(
    "expression",
    [
        *("getattr(x, '\\ud800')", "getattr(x, f'a\\ud800{x}')", "'{0.\\ud800}'.format(x)"),
        *("import_module('\\ud800')", "attrgetter('\\ud800.b')(x)", "x.query('\\ud800 a')"),
    ],
)
def test_names_that_no_text_can_hold_are_unknown_ones(expression: str) -> None:
    record = analyze(f"def f(x): return {expression}\nC = ('\\ud800',)\n".encode())
    assert unpack_module(pack_module(record)) == record
