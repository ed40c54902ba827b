"""The shape of a format: how one type is taken apart for storing and built again.

Owns that shape. Refuses to know any type: `formats` lists them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Blob(NamedTuple):
    """Bytes that go out of line when they are many."""

    content: bytes | bytearray | memoryview


class Format(NamedTuple):
    """How one type is stored.

    `take(value)` gives its parts: values, or a `Blob`. `build(parts)` makes it again. For a type
    that can hold itself, `build` makes an empty one, before its parts exist (it sees scalar parts
    as they are), and `fill(shell, parts)` completes it. What they raise means damage. With
    `is_foreign` the bytes are read by a library's own parser, which is not proof against bytes
    made to break it.
    """

    name: str
    take: Callable[[Any], list[Any]]
    build: Callable[[list[Any]], Any]
    fill: Callable[[Any, list[Any]], object] | None = None
    is_foreign: bool = False


class NotStorableError(Exception):
    """This value of a stored type is beyond its format; pickle may take it."""
