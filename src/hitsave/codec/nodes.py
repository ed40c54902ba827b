"""Nodes: what one object contributes to a digest.

Owns the shape that every type's opener returns. Refuses to know any type.
"""

import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

Buffer = bytes | bytearray | memoryview


class Node(NamedTuple):
    """One object opened for the walk.

    `tag` names the kind and is hashed first, then the children in order (sorted by their input
    when `ordered` is False), then the bytes of `buffers`, `size` in all: the children must tell
    the size. `steps(i)` is the path, as Python
    source, from the object to child `i`. `mutable`: the object can be changed in place.
    `reduced`: the children came from code that is not ours and must prove to be deterministic.
    `owns` are the names in the object's `__dict__` that the children have told of.
    """

    tag: str
    children: Sequence[object] = ()
    steps: Callable[[int], str] = lambda _: ""
    mutable: bool = False
    ordered: bool = True
    buffers: Iterable[Buffer] = ()
    size: int = 0
    reduced: bool = False
    owns: frozenset[str] = frozenset()


class Context(Protocol):
    """What an opener may ask of the walk."""

    reduce: bool

    def name(self, value: object) -> str | None:
        """Return the project's name of a function, class or module, noting it as a symbol."""

    def method_name(self, value: types.MethodType | types.BuiltinFunctionType) -> str | None:
        """Return the name of a method of no project class that counts by one; None for others."""


Opener = Callable[[Any, Context], Node]


def index_step(position: int) -> str:
    """Return the path to an element of a sequence."""
    return f"[{position}]"


def field_steps(names: Sequence[str], offset: int = 0) -> Callable[[int], str]:
    """Return the steps of children that are the fields `names`, after `offset` other children."""
    end = offset + len(names)
    return lambda at: f".{names[at - offset]}" if offset <= at < end and names[at - offset] else ""
