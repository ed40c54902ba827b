"""What leaves a trace in the digest of a function, and what it refers to, by construct."""

import textwrap

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.definition import FunctionDefinition


def _outer(source: str) -> FunctionDefinition:
    (found,) = analyze(source.encode()).functions["outer"]
    return found


def _digests(source: str) -> tuple[bytes, ...]:
    found = _outer(source)
    return found.header.digest, *(d.digest for d in found.decorators), found.body.digest


SAME = [
    ("return 0x10", "return 16"),
    ("return 'a' 'b'", 'return "ab"'),
    ("return (x)", "return x"),
    ("y = x\n    return y", "z = x\n    return z"),
    ("y: int = x\n    return y", "y = x\n    return y"),
    ("'''Doc.'''\n    return x", "return x"),
    ("...\n    return x", "return x"),
    ("from __future__ import annotations\n    return x", "return x"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_cannot_matter_leaves_no_trace(one: str, other: str) -> None:
    assert _digests(f"def outer(x):\n    {one}\n") == _digests(f"def outer(x):\n    {other}\n")


DIFFERENT = [
    ("return g(f(x), a)", "return g(f(x).a)"),
    ("return f(x), a", "return f(x).a,"),
    ("return 1", "return True"),
    ("return 1", "return 1.0"),
    ("return '1'", "return b'1'"),
    ("return f(a=x, b=a)", "return f(b=x, a=a)"),
    ("return [*x, a]", "return [x, *a]"),
    ("return {**x, 'k': a}", "return {'k': a, **x}"),
    ("return f'{x}'", "return f'{x!r}'"),
    ("return f'{x:>3}'", "return f'{x:<3}'"),
    ("return f'{x=}'", "return f'{x}'"),
    ("return x.modules['a']", "return x.modules['b']"),
    ("return sys.modules['a']", "return sys.modules['b']"),
    ("return [y for y in x]", "return {y for y in x}"),
    ("return [y async for y in x]", "return [y for y in x]"),
    ("return [y for y in x if y for z in y]", "return [y for y in x for z in y if y]"),
    ("return lambda y: x", "return lambda *y: x"),
    ("return lambda y=x: y", "return lambda y=a: y"),
    ("def g(): return x\n    return g", "def h(): return x\n    return h"),
    ("class C(a): pass\n    return C", "class C(metaclass=a): pass\n    return C"),
    ("@a\n    class C: pass\n    return C", "class C(a): pass\n    return C"),
    ("@a\n    def g(): pass\n    return g", "@b\n    def g(): pass\n    return g"),
    ("class C: y = x\n    return C", "class C: z = x\n    return C"),
    ("match x:\n        case a.B(): return 1", "match x:\n        case a.B(1): return 1"),
    ("match x:\n        case a(y=1): return 1", "match x:\n        case a(z=1): return 1"),
    ("match x:\n        case [1, *_]: return 1", "match x:\n        case [1, _]: return 1"),
    ("match x:\n        case 1 | 2: return 1", "match x:\n        case 1 | 3: return 1"),
    ("y = a; z = b\n    return f(y, z)", "y = a; z = b\n    return f(z, y)"),
    ("y = a; z = b; return y.getattr(x, 'n')", "y = a; z = b; return z.getattr(x, 'n')"),
    (
        "y = 1; z = 2\n    return ne.evaluate('y - z')",
        "z = 1; y = 2\n    return ne.evaluate('y - z')",
    ),
    ("y = 1; z = 2\n    return locals()", "z = 1; y = 2\n    return locals()"),
    ("y = 1; return [y for y in x]", "y = 1; return [y for z in x]"),
    ("global y; y = x", "y = x"),
    ("x.y: int", "x.z: int"),
    ("return 0x" + "f" * 5000, "return 0x" + "f" * 4999 + "e"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_can_matter_shows(one: str, other: str) -> None:
    sources = [f"async def outer(x):\n    {body}\n" for body in (one, other)]
    assert _digests(sources[0]) != _digests(sources[1])


def _references(body: str, before: str = "") -> tuple[set[str], set[tuple[str, ...]], set[str]]:
    """The dotted chains, the lookups and the attributes that a body asks for."""
    source = before + "\ndef outer(x):\n" + textwrap.indent(body, "    ")
    _, found = _outer(source).header, _outer(source).body.references
    chains = {".".join(chain.names) for chain in found.chains}
    imports = {f"{'.' * i.level}{i.module}:{'.'.join(i.attributes)}" for i in found.imports}
    lookups = {(d.kind, ".".join(d.target), d.prefix, d.suffix) for d in found.dynamics}
    return chains | imports, lookups, {name for name, _ in found.attributes}


ANY_ATTRIBUTE = ("attribute", "", "", "")
ANY_IMPORT = ("import", "", "", "")
MODULES = ("modules", "", "", "")
NAMESPACE = ("namespace", "", "", "")


@pytest.mark.parametrize(
    ("body", "lookup"),
    [
        ("return getattr(x, name)", ANY_ATTRIBUTE),
        ("return getattr(mod, 'do_' + x)", ("attribute", "mod", "do_", "")),
        ("return getattr(mod, f'{x}_done')", ("attribute", "mod", "", "_done")),
        ("return vars(mod)[x]", ("attribute", "mod", "", "")),
        ("return inspect.getmembers(mod)", ("attribute", "mod", "", "")),
        ("return mod.Class.__dict__[x]", ("attribute", "mod.Class", "", "")),
        ("return object.__getattribute__(x, x)", ("attribute", "object", "", "")),
        ("return mod.__getattribute__(x)", ("attribute", "mod", "", "")),
        ("return eval(x)", ANY_ATTRIBUTE),
        ("return map(getattr, x, x)", ANY_ATTRIBUTE),
        ("return map(vars, x)", ANY_ATTRIBUTE),
        ("return operator.attrgetter(x)", ANY_ATTRIBUTE),
        ("import operator\nreturn map(operator.attrgetter, x)", ANY_ATTRIBUTE),
        ("from operator import attrgetter as ag\nreturn ag(x)", ANY_ATTRIBUTE),
        ("from builtins import getattr as ga\nreturn ga(x, x)", ANY_ATTRIBUTE),
        ("return importlib.import_module(x)", ANY_IMPORT),
        ("from importlib import import_module as load\nreturn load(x)", ANY_IMPORT),
        ("return importlib.import_module('.a', x)", ("import", "", "", ".a")),
        ("return __import__('plugins.' + x)", ("import", "", "plugins.", "")),
        ("return sys.modules[x]", MODULES),
        ("import sys as s\nreturn s.modules[x]", MODULES),
        ("from sys import modules\nreturn modules[x]", MODULES),
        ("return sys.modules.get(x)", MODULES),
        ("return list(sys.modules.values())", MODULES),
        ("return vars(sys)[x]['a']", MODULES),
        ("return inspect.getmodule(x)", MODULES),
        ("return find(sys, x)", MODULES),
        ("return mod.go.__globals__[x]", ("namespace", "mod.go", "", "")),
        ("return globals()[x]", NAMESPACE),
        ("return eval(x)", NAMESPACE),
        ("return builtins.exec(x)", NAMESPACE),
        ("return x.__globals__['y']", NAMESPACE),
        ("return x.__class__.__subclasses__()", ("subclasses", "", "", "")),
    ],
)
def test_a_computed_name_is_noted(body: str, lookup: tuple[str, ...]) -> None:
    assert lookup in _references(body)[1]


@pytest.mark.parametrize(
    "body",
    [
        "return model.eval()",
        "return x.eval()",
        "return modules[x]",
        "return vars()",
        "return x.vars(1)",
        "dir = x\nreturn dir(x)",
        "return getattr(x, 'name')",
        "return importlib.import_module('a.b')",
        "return sys.modules['a']",
    ],
)
def test_what_only_looks_like_a_computed_name_widens_nothing(body: str) -> None:
    assert _references(body)[1] == set()


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ("return importlib.import_module(NAME)", "NAME"),
        ("return operator.methodcaller(NAME)", "NAME"),
        ("return getattr(mod, 'name')", "mod.name"),
        ("return getattr(mod, NAME)", "NAME"),
        ("return importlib.import_module('a.b')", "a.b:"),
        ("return importlib.import_module('.b', 'a')", "a.b:"),
        ("return importlib.import_module('.b', package='a')", "a.b:"),
        ("return importlib.import_module('.b', __package__)", ".b:"),
        ("return importlib.import_module('.b', __name__)", "\0name\0.b:"),
        ("return pkgutil.resolve_name('a.b:c.d')", "a.b:c.d"),
        ("return sys.modules[__name__].helper", "\0name\0:"),
        ("return frame.query('x > @LIMIT')", "LIMIT"),
        ("import a.b as c\nreturn c.d", "a.b:d"),
        ("from . import a\nreturn a.b", ".:a.b"),
        ("from .a import b as c\nreturn lambda: c.d", ".a:b.d"),
        ("return [y for y in (lambda: LIMIT)()]", "LIMIT"),
        ("return [(lambda: (LIMIT := 1))() for y in x], LIMIT", "LIMIT"),
        ("return [0 for x[LIMIT] in x]", "LIMIT"),
        ("match x:\n    case mod.Kind(): return 1", "mod.Kind"),
        ("x += LIMIT", "LIMIT"),
        ("global LIMIT\nLIMIT += 1", "LIMIT"),
        ("def g(y=LIMIT): pass", "LIMIT"),
        ("@LIMIT\ndef g(y: int): pass", "int"),
        ("class C(LIMIT): pass", "LIMIT"),
        ("class C:\n    LIMIT = LIMIT", "LIMIT"),
        ("LIMIT = 1\nclass C:\n    OTHER = LIMIT\n    def m(self): return LAST", "LAST"),
        ("async def g():\n    async with LIMIT: pass", "LIMIT"),
        ("try: pass\nexcept* LIMIT: pass", "LIMIT"),
    ],
)
def test_a_reference_is_noted(body: str, reference: str) -> None:
    assert reference in _references(body)[0]


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ("return x.a.b", "b"),
        ("return x().a", "a"),
        ("return getattr(x, 'a')", "a"),
        ("return operator.attrgetter('b.a')", "a"),
        ("return operator.methodcaller('a', 1)", "a"),
        ("return '{0.a}'.format(x)", "a"),
        ("return '{rows[0].a:>3}'.format_map(x)", "a"),
        ("return '{0:{w.a}}'.format(x)", "a"),
        ("return '{0.a} {'.format(x)", "a"),
        ("return '{0.a} {rows[0]a}'.format(x)", "a"),
        ("return f'{x.a}'", "a"),
        ("match x:\n    case K(a=1): return 1", "a"),
        ("match x:\n    case K(1): return 1", "__match_args__"),
        ("return x.import_module('y')", "import_module"),
        ("return x.getattr(x, 'y')", "getattr"),
        ("print(1, file=x)", "write"),
        ("return mod.f.__doc__", "__doc__"),
        ("from inspect import getdoc as about\nreturn about(x)", "getdoc"),
        ("x.a: int", "a"),
        ("del x.a", "a"),
        ("x.a += 1", "a"),
        ("with x.a: pass", "a"),
    ],
)
def test_an_attribute_is_asked_for(body: str, attribute: str) -> None:
    assert attribute in _references(body)[2]


def test_an_alias_made_by_a_later_import_counts_too() -> None:
    source = "def outer(x):\n    return ag(x)\nfrom operator import attrgetter as ag\n"
    kinds = {dynamic.kind for dynamic in _outer(source).body.references.dynamics}
    assert kinds == {"attribute"}


def test_a_match_by_position_asks_for_what_match_args_names() -> None:
    record = analyze(b"class C:\n    __match_args__ = ('area', 'side')\n")
    (binding,) = record.classes["C"][0].bindings
    assert {name for name, _ in binding.part.references.attributes} == {"area", "side"}
