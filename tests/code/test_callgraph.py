"""The call graph: however a statement comes by an object, it leads to it."""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from hitsave.code import callgraph
from hitsave.code.closure import Closure
from hitsave.code.resolve import ModuleTarget

TABLES = """
import queue
Q = queue.SimpleQueue()
OTHER = queue.SimpleQueue()
"""

LIBRARY = """
import collections, enum, functools, importlib, operator, sys, threading, types
import tables as tables
from tables import Q, OTHER

class Filler:
    def fill(self): self.inner()
    def inner(self): Q.put(1)

class Eager:
    def __init__(self): Q.put(1)

class Slotted:
    __slots__ = ("held",)
    def __init__(self, held): self.held = held
    def fill(self): self.held.put(1)

class Holder:
    def __init__(self): self.filler = Filler()
    def go(self): self.filler.fill()

class Base:
    def __init_subclass__(cls, **options): Q.put(cls.__name__)

class Meta(type):
    def __init__(cls, *parts): Q.put(1)

class Manager:
    def __enter__(self): Q.put(1)
    def __exit__(self, *error): pass

class Adding:
    def __init__(self, queue): self.queue = queue
    def __iadd__(self, other): self.queue.put(other); return self
    def __rshift__(self, other): self.queue.put(other); return self

class Shared:
    jobs = Q

class Runner(threading.Thread):
    def run(self): Q.put(1)

class Named(enum.Enum):
    def __init__(self, value): Q.put(value)

class Seen:
    def __set_name__(self, owner, name): Q.put(name)

class Harmless:
    def work(self): return 1

class Formatted:
    def format(self, *values): Q.put(values)

def decorate(function): Q.put(1); return function
def first(): second()
def second(): third()
def third(): fourth()
def fourth(): fifth()
def fifth(): Q.put(1)
def one(n): two(n - 1)
def two(n): return one(n) if n > 0 else Q.put(1)
def by_name(): globals()["Q"].put(1)
def by_import():
    from tables import Q as found
    found.put(1)
def by_default(queue=Q): queue.put(1)
def make(queue):
    def put(): queue.put(1)
    return put
def give():
    yield Q
def by_whole_import():
    import tables as whole
    other = whole
    other.Q.put(1)
def attributed(): pass
attributed.queue = Q
Pair = collections.namedtuple("Pair", "queue")
@functools.singledispatch
def chosen(value): pass
@chosen.register
def _(value: int): Q.put(value)
def passed(queue): queue.put(1)
def harmless(): OTHER.put(1)

held, slotted, adding, filler = Holder(), Slotted(Q), Adding(Q), Filler()
made, part, put = make(Q), functools.partial(fifth), Q.put
bound, pair, space = functools.partial(passed, Q), Pair(Q), types.SimpleNamespace(queue=Q)
ring, runner, seen, formatted = collections.deque([Q]), Runner(), Seen(), Formatted()
table = {"filler": [Filler()]}
"""

READER = "def size(): return Q.qsize()"

LEADING = r"""
Q.put(1)
tables.Q.put(1)
[Q][0].put(1)
{'a': Q}['a'].put(1)
(Q or 1).put(1)
(Q if Q else 2).put(1)
(lambda: Q)().put(1)
(found := Q).put(1)
print(*[Q])
list(map(lambda x: Q.put(x), [1]))
[each.put(1) for each in [Q]]
[Q for _ in range(2)][0].put(1)
globals()['Q'].put(1)
vars()['Q'].put(1)
exec('Q.put(1)')
getattr(tables, 'Q').put(1)
sys.modules['tables'].Q.put(1)
importlib.import_module('tables').Q.put(1)
operator.methodcaller('put', 1)(Q)
put(1)
first()
one(2)
by_name()
by_import()
by_default()
made()
part()
next(give()).put(1)
filler.fill()
held.go()
Holder().go()
slotted.fill()
table['filler'][0].fill()
Eager()
value = Eager()
adding >> 1
adding += 1
with Manager(): pass
class Sub(Base): pass
class Typed(metaclass=Meta): pass
type('Made', (Base,), {})
@decorate\ndef decorated(): pass
def with_default(value=fifth()): pass
class Body: fifth()
del [fifth()][0]
tables.X = Q
bound()
pair.queue.put(1)
space.queue.put(1)
ring[0].put(1)
Shared.jobs.put(1)
runner.start()
by_whole_import()
class Members(Named): one = 1
class Keeping(Harmless): made_before = seen
""".strip().splitlines()

LEADING_WHERE_LOADED = r"""
attributed.queue.put(1)
chosen(1)
""".strip().splitlines()

NOT_LEADING = r"""
OTHER.put(1)
harmless()
print(1 + 2)
len([1])
Harmless().work()
print("{}".format(1))
',' .join(["a"])
def later(): Q.put(1)
later_too = lambda: Q.put(1)
class Later:\n    def later(self): Q.put(1)
class Plain(Harmless): pass
""".strip().splitlines()

# In this order: statements of the second look for modules by computed names, and find any.
MODULES = {"not_leading": NOT_LEADING, "leading": (*LEADING, *LEADING_WHERE_LOADED)}

Counted = dict[str, frozenset[str]]
NONE: frozenset[str] = frozenset()


def _written(statements: Iterable[str]) -> tuple[str, dict[int, str]]:
    """A module that executes all of some statements, and the one on each line."""
    text, lines = LIBRARY, {}
    for statement in statements:
        first = text.count("\n") + 1
        text += statement.replace("\\n", "\n") + "\n"
        lines.update(dict.fromkeys(range(first, text.count("\n") + 1), statement))
    return text + READER, lines


def _counted(closure: Closure, name: str) -> frozenset[str]:
    """The statements of a module that count for its function that reads Q."""
    module = closure.resolver.module(name)
    assert isinstance(module, ModuleTarget)
    closure.add_target(closure.resolver.name(module.module, "size"))
    closure.finish()
    lines = _written(MODULES[name])[1]
    found = (d for d in closure.found.values() if d.symbol.name.startswith("<statement"))
    return frozenset(lines.get(dependency.place.line, "") for dependency in found)


@pytest.fixture(scope="module")
def counted(
    tmp_path_factory: pytest.TempPathFactory, closure_in: Callable[[Path], Closure]
) -> Iterator[Counted]:
    """The statements that count, while their modules are not loaded, and once they are.

    Once for all of them: every closure looks at all the modules that are loaded.
    """
    root = tmp_path_factory.mktemp("project")
    (root / "tables.py").write_text(TABLES)
    for name, statements in MODULES.items():
        (root / f"{name}.py").write_text(_written(statements)[0])

    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        found: Counted = {}
        for name in MODULES:
            found["not loaded"] = found.get("not loaded", NONE) | _counted(closure_in(root), name)
            importlib.import_module(name)
            found["loaded"] = found.get("loaded", NONE) | _counted(closure_in(root), name)
        patch.setattr(callgraph, "MOST_OBJECTS", 0)
        yield {**found, "full": _counted(closure_in(root), "not_leading")}
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("state", ["loaded", "not loaded"])
@pytest.mark.parametrize("statement", LEADING)
def test_a_statement_that_comes_by_an_object_counts(
    counted: Counted, statement: str, state: str
) -> None:
    assert statement in counted[state]


@pytest.mark.parametrize("statement", LEADING_WHERE_LOADED)
def test_an_object_that_a_live_function_holds_or_is_given(counted: Counted, statement: str) -> None:
    assert statement in counted["loaded"]


@pytest.mark.parametrize("state", ["loaded", "not loaded"])
@pytest.mark.parametrize("statement", NOT_LEADING)
def test_a_statement_that_comes_by_others_does_not(
    counted: Counted, statement: str, state: str
) -> None:
    assert statement not in counted[state]


def test_where_there_is_too_much_to_look_into_every_statement_counts(counted: Counted) -> None:
    assert "OTHER.put(1)" in counted["full"]
