"""Plain data: nested lists, dicts and tuples of scalars, hashed at the speed of C.

Owns the digest of values that consist of exact `None`, `bool`, `int`, `float`, `str`, `bytes`,
`list`, `dict` and `tuple` and nothing else. Refuses everything else: `walk` takes those.

The input hashed for such a value is its pickle, protocol 3, without the memo: every element is
written where it stands, typed and delimited, so sharing does not show. Pickle is used to write
only, never to read, and was chosen over msgpack because msgpack takes a bytearray for bytes and
needs a Python call for each tuple. Protocol 3 was chosen because newer ones write a set in the
order of its hash table, and this one asks the hook first.
"""

import gc
import marshal
from _pickle import Pickler  # `pickle` itself loads `re` and more, on everybody's start-up path
from collections.abc import Iterator
from types import EllipsisType, NoneType
from typing import Any

from blake3 import blake3

from hitsave.errors import NotDigestibleError

LARGE = 1 << 16
"""From this length on, in bytes, a buffer is hashed, stored and read on its own."""

SCALARS = frozenset({NoneType, bool, int, float, complex, str, bytes, EllipsisType})
PLAIN = frozenset({NoneType, bool, int, float, str, bytes, list, dict, tuple})

WHOLE = 1 << 25
"""Most bytes written for a value that is plain as a whole."""

PART = 1 << 18
"""Most bytes written for a plain part of another value.

Less than `WHOLE`, since each object around a part that is too large looks at it once more.
"""

_MAX_DEPTH = 16
_CHUNK = 256
_MARSHAL_VERSION = 2  # the last without references: those depend on reference counts


def scalar_input(value: Any) -> bytes:
    """Return the typed, self-delimiting bytes of `value`, whose exact type is in `SCALARS`."""
    return marshal.dumps(value, _MARSHAL_VERSION)


def scalars_input(values: tuple[Any, ...]) -> bytes:
    """Return the `scalar_input` of each of `values`, one behind the other."""
    # In one step, behind what marshal writes of the tuple: its kind and its length.
    return marshal.dumps(values, _MARSHAL_VERSION)[5:]


def digest_scalar(value: Any) -> bytes:
    """Return the digest of `value`, whose exact type is in `SCALARS`."""
    return blake3(marshal.dumps(value, _MARSHAL_VERSION)).digest()


def plain_input(value: object, limit: int) -> list[bytes] | None:
    """Return the chunks hashed for the plain container `value`; None when it is not plain.

    None also when it is nested deeper than 16 levels or writes `limit` bytes or more: a property
    of the value alone, not of how its parts are shared, so equal values take the same way.
    """
    if not _is_bounded(value, limit):
        return None
    chunks: list[bytes] = []
    pickler = _PlainPickler(_Sink(chunks), 3)
    pickler.fast = True
    # Anything that pickle cannot take (a foreign type, a string over 4 GiB, a container that
    # another thread is changing) is `walk`'s to judge.
    try:
        pickler.dump(value)
    except RecursionError as error:
        # The other way of hashing would give another digest: none is better than two.
        raise NotDigestibleError("Too little stack is left to hash this value.") from error
    except Exception:
        return None
    return chunks if sum(map(len, chunks)) < limit else None


def digest_chunks(chunks: list[bytes]) -> bytes:
    """Return the digest of `chunks` one after the other."""
    hasher = blake3()
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.digest()


def _is_bounded(value: object, limit: int) -> bool:
    """Whether `value`, spelled out, is shallow and small enough for one sweep.

    Ten lists can spell out to 2**100 elements when each holds the next one several times, and a
    list can hold itself. One level after the other is fetched in C; types are looked at in a
    sample only, so as not to wander from an object into the interpreter: the pickler looks at all.
    """
    level: list[object] = [value]
    seen = 0
    for _ in range(_MAX_DEPTH):
        if not PLAIN.issuperset(map(type, level[:: 1 + len(level) // 64])):
            return False
        below: list[object] = []
        for part in _slices(level):
            below += gc.get_referents(*part)
            # Each element seen is at least a byte written: over the limit in either count.
            if seen + len(below) > limit:
                return False
        if not below:
            return True
        seen += len(below)
        level = below
    return False


def _slices(level: list[object]) -> Iterator[list[object]]:
    if len(level) <= _CHUNK:
        yield level
        return
    for start in range(0, len(level), _CHUNK):
        yield level[start : start + _CHUNK]


class _Sink:
    """What a pickler writes to: large bytes arrive as themselves, without a copy."""

    __slots__ = ("write",)

    def __init__(self, chunks: list[bytes]) -> None:
        self.write = chunks.append


class _ForeignError(Exception):
    """Ends a sweep that met something other than plain data."""


class _PlainPickler(Pickler):
    def reducer_override(self, _: object) -> Any:
        raise _ForeignError
