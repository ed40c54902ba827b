"""The layout of an object: several buffers in one file.

Owns how parts become one run of bytes and come apart again. Refuses to know what the parts are.

A mark of 8 bytes, the number of parts, the length of each (8 bytes, little-endian), then the parts,
each of which starts at a multiple of 64 bytes: mapped from the start of a page, a buffer lies as
arrays and vector instructions want it.
"""

import os
from collections.abc import Iterator, Sequence
from struct import Struct

from blake3 import blake3

from hitsave.digest import Digest
from hitsave.errors import DamagedError

MARK = b"hitsave\x01"
ALIGNMENT = 64

THREADS = min(os.cpu_count() or 1, 8)
THREADS_FROM = 8 * 1024 * 1024
"""How many threads digest an object of how many bytes or more."""

Part = bytes | bytearray | memoryview

_NUMBER = Struct("<Q")
_FIRST_LENGTH = len(MARK) + _NUMBER.size


def frame(parts: Sequence[Part]) -> Iterator[bytes | memoryview]:
    """Give the pieces that make up the object of `parts`, without copying a part."""
    views = [_flat(part) for part in parts]
    header = b"".join((MARK, _NUMBER.pack(len(views)), *(_NUMBER.pack(len(v)) for v in views)))
    yield header
    length = len(header)
    for view in views:
        yield bytes(-length % ALIGNMENT)
        yield view
        length = len(view)


def digest_frame(parts: Sequence[Part]) -> Digest:
    """Return the digest of the object of `parts`: that of its bytes, as `b3sum` prints it."""
    hasher = _hasher(sum(map(_size, parts)))
    for piece in frame(parts):
        hasher.update(piece)
    return hasher.digest()


def digest_framed(framed: memoryview) -> Digest:
    """Return the digest of an object already laid out: the same as `digest_frame` of its parts."""
    return _hasher(len(framed)).update(framed).digest()


def _hasher(size: int) -> blake3:
    # Never `blake3.AUTO`: its pool of threads is one per process and is gone in the child of a
    # fork, which then waits for it for ever. A number makes a pool of the hasher's own (35 us).
    return blake3(max_threads=THREADS if size >= THREADS_FROM else 1)


def _size(part: Part) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part)


def _flat(part: Part) -> memoryview:
    view = memoryview(part)
    # `cast` refuses a view with a zero in its shape.
    return view.cast("B") if view.nbytes else memoryview(b"")


def split_parts(framed: memoryview) -> tuple[memoryview, ...]:
    """Return the parts that `frame` was given, as views into `framed`. Raises DamagedError."""
    lengths = _lengths(framed)
    parts = []
    position = _FIRST_LENGTH + _NUMBER.size * len(lengths)
    for length in lengths:
        position += -position % ALIGNMENT
        parts.append(framed[position : position + length])
        position += length
    if position != len(framed):
        raise DamagedError(f"An object has {len(framed)} bytes where its parts need {position}.")
    return tuple(parts)


def _lengths(framed: memoryview) -> tuple[int, ...]:
    if len(framed) < _FIRST_LENGTH or framed[: len(MARK)] != MARK:
        raise DamagedError("An object does not start as objects do.")
    (count,) = _NUMBER.unpack_from(framed, len(MARK))
    if count > (len(framed) - _FIRST_LENGTH) // _NUMBER.size:
        raise DamagedError(f"An object is too short for the {count} parts that it announces.")
    table = framed[_FIRST_LENGTH : _FIRST_LENGTH + _NUMBER.size * count]
    return tuple(length for (length,) in _NUMBER.iter_unpack(table))
