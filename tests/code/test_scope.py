"""Which names of a function are globals, compared with CPython's own answer."""

import symtable
from textwrap import dedent

import pytest

from hitsave.code.analyze import analyze

PROGRAMS = [
    "def f(a):\n    b = c\n    return a + b + d",
    "def f():\n    global g\n    g = h",
    "def f():\n    x = 1\n    def inner():\n        nonlocal x\n        x = y\n    return inner",
    "def f():\n    def inner(): return v + w\n    v = 1\n    return inner",
    "def f(n):\n    return [i + j for i in n if k]",
    "def f(n):\n    return {a: b for a, c in n for b in c}",
    "def f(n):\n    if (m := p(n)):\n        return m",
    "def f(n):\n    return [last := i for i in n], last",
    "def f(n):\n    try:\n        q()\n    except E as error:\n        return error",
    "def f(n):\n    with o() as p, r(p) as (s, *t):\n        return s, t, u",
    "def f(n):\n    for i, (j, *k) in n:\n        pass\n    else:\n        z(i, j, k)",
    "def f(n):\n    import os.path as p, sys\n    from m import q as r\n    return p, sys, r, s",
    "def f(n):\n    class C(B):\n        z = y\n        def go(self): return z, y\n    return C",
    "def f(n):\n    return lambda x, y=d: x + y + e + n",
    "def f(n):\n    match n:\n        case {'a': a, **rest}: return a, rest, b",
    "def f(n):\n    match n:\n        case K(x=[y, *z]): return y, z",
    "def f(n):\n    del n\n    a = b\n    a += c\n    return a",
    "async def f(n):\n    async for i in n:\n        await g(i)\n    return [j async for j in h]",
]


def globals_by_cpython(source: str) -> set[str]:
    """The names that the function `f`, or anything in it, reads from the module or builtins."""
    (table,) = (
        t for t in symtable.symtable(source, "m", "exec").get_children() if t.get_name() == "f"
    )
    found: set[str] = set()
    stack = [table]
    while stack:
        current = stack.pop()
        stack.extend(current.get_children())
        found |= {
            s.get_name() for s in current.get_symbols() if s.is_global() and s.is_referenced()
        }
    return found


@pytest.mark.parametrize("source", PROGRAMS)
def test_the_globals_that_a_function_reads_are_those_that_cpython_sees(source: str) -> None:
    source = dedent(source)
    (found,) = analyze(source.encode()).functions["f"]
    read = {chain.names[0] for chain in found.body.references.chains}
    assert read == globals_by_cpython(source)
