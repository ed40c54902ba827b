"""Objects of a program that hitsave learns about without running any code of theirs."""

from pathlib import Path
from typing import Any

import pytest

LAZY = """
class Lazy:
    @property
    def __class__(self): return woken("__class__")
    @property
    def __dict__(self): return woken("__dict__")
    def __getattribute__(self, name): return woken(name)
    def __call__(self): return woken("()")
    def __iter__(self): return woken("iter")
    def __len__(self): return woken("len")
    def __bool__(self): return woken("bool")
    def __eq__(self, other): return woken("==")
    def __hash__(self): return woken("hash")
    def __repr__(self): return woken("repr")
odd = Lazy()
"""
MODULE = """
class Module(types.ModuleType):
    def __getattribute__(self, name): return woken(name)
odd = sys.modules["odd"] = Module("odd")
"""
METACLASS = """
class Meta(type):
    def __getattribute__(cls, name): return woken(name)
    def __instancecheck__(cls, other): return woken("instance")
    def __subclasscheck__(cls, other): return woken("subclass")
    def __eq__(cls, other): return woken("==")
    def __iter__(cls): return woken("iter")
    __hash__ = type.__hash__
class odd(metaclass=Meta):
    def method(self): return 1
"""
MAPPING = """
class Mapping(dict):
    def __getitem__(self, key): return woken("[]")
    def __iter__(self): return woken("iter")
    def __len__(self): return woken("len")
    def keys(self): return woken("keys")
    def items(self): return woken("items")
    def values(self): return woken("values")
    def __eq__(self, other): return woken("==")
odd = Mapping(a=1)
"""
PROGRAM = """
import queue, sys, types
from hitsave import memo

def woken(name):
    print("woken", name, file=sys.stderr)
    raise RuntimeError(f"{{name}}: there is no request yet")
{odd}
JOBS = queue.SimpleQueue()
held = [odd]
class Holder:
    here = odd
JOBS.put(len([odd, held, Holder]))

def add(x, default=odd):
    return x + JOBS.qsize()

@memo
def f(x):
    return add(x)

@memo
def g(x):
    return x if odd is held else len([held, Holder.here])

print(f(1), g(1))
"""


@pytest.mark.parametrize(
    "odd", [LAZY, MODULE, METACLASS, MAPPING], ids=["lazy", "module", "class", "mapping"]
)
def test_odd_objects_are_not_woken(run: Any, odd: str) -> None:
    first, second = (run(PROGRAM.format(odd=odd), HITSAVE_VERBOSE="1") for _ in range(2))
    assert first.stdout == second.stdout == "2 2\n"
    assert "woken" not in first.stderr + second.stderr
    assert "is not cached" not in first.stderr + second.stderr
    assert second.stderr.count("hitsave: hit") == 2


LAZILY = """
import importlib.util, sys
from hitsave import memo

spec = importlib.util.find_spec("heavy")
spec.loader = importlib.util.LazyLoader(spec.loader)
sys.modules["heavy"] = heavy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(heavy)

@memo
def f(x):
    return x + 1

print(f(1))
"""


def test_a_module_that_is_loaded_lazily_stays_unloaded(run: Any, tmp_path: Path) -> None:
    (tmp_path / "project" / "heavy.py").write_text("print('loaded')\n")
    assert run(LAZILY).stdout == run(LAZILY).stdout == "2\n"
    assert run(LAZILY + "heavy.__doc__\n").stdout == "2\nloaded\n"
