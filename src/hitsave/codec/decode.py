"""Bytes to results.

Owns the reading of payloads that may be damaged or hostile. Refuses to make anything that no
format names, to recurse, and to believe a length.
"""

from collections.abc import Sequence
from typing import Any

from msgpack import unpackb

from hitsave.codec.encode import GRAPH, PICKLE, PLAIN, ROWS, TREE, VERSION
from hitsave.codec.format import Format
from hitsave.codec.formats import FORMATS
from hitsave.errors import DamagedError


def decode(
    payload: bytes | memoryview, buffers: Sequence[memoryview], *, allow_pickle: bool
) -> object:
    """Return the value that `encode` wrote as `payload` and `buffers`: new objects each time.

    An array lies in its buffer itself where that is writable, and the buffer then is the
    caller's; from a read-only one it is copied. Raises DamagedError for anything malformed, of
    another version, or pickled when `allow_pickle` is False.
    """
    # Damaged bytes can raise anything, from msgpack's errors to a constructor's; pickles also run
    # the constructors of classes that may have changed or gone since.
    try:
        return _decode(payload, buffers, allow_pickle)
    except DamagedError:
        raise
    except Exception as error:
        raise DamagedError(
            f"A stored result cannot be read: {type(error).__name__}: {error}"
        ) from error


def _decode(
    payload: bytes | memoryview, buffers: Sequence[memoryview], allow_pickle: bool
) -> object:
    content = _unpack(payload)
    if type(content) is not list or len(content) < 3 or content[0] != VERSION:
        raise DamagedError("A stored result is not of a format that this version reads.")
    mode, rest = content[1], content[2:]
    if mode == PLAIN and len(rest) == 1:
        return rest[0]
    if mode == GRAPH and len(rest) == 2:
        return _Reader(rest[0], rest[1], buffers).read()
    if mode == PICKLE and len(rest) == 2:
        return _unpickle(rest[0], rest[1], buffers, allow_pickle)
    raise DamagedError("A stored result is of an unknown layout.")


def _unpack(payload: bytes | memoryview) -> Any:
    return unpackb(
        payload, strict_map_key=False, unicode_errors="surrogatepass", ext_hook=_refuse_extension
    )


def _refuse_extension(code: int, _: bytes) -> object:
    raise DamagedError(f"A stored result holds an extension of unknown type {code}.")


def _unpickle(
    sizes: list[int], content: bytes, buffers: Sequence[memoryview], allow_pickle: bool
) -> object:
    if not allow_pickle:
        raise DamagedError(
            "A stored result is a pickle, and pickles from there are not trusted.",
            "It will be computed again.",
        )
    # Only a value that needs it pays for loading pickle, which loads `re` and more.
    import pickle

    if sizes != [buffer.nbytes for buffer in buffers]:
        raise DamagedError("A stored result lacks some of its bytes.")
    return pickle.loads(content, buffers=[_writable(buffer) for buffer in buffers])


def _writable(buffer: memoryview) -> memoryview | bytearray:
    return bytearray(buffer) if buffer.readonly else buffer


_Record = tuple[int, Format, list[Any]]


class _Reader:
    """Builds the records of one payload: empty shells, then what is complete, then contents."""

    def __init__(
        self, names: list[str], records: list[list[Any]], buffers: Sequence[memoryview]
    ) -> None:
        self._buffers = buffers
        self._objects: list[Any] = [_MISSING] * len(records)
        self._whole: list[_Record] = []
        self._shells: list[_Record] = []
        for place, (number, *parts) in enumerate(records):
            name = names[number]
            if name == TREE:
                (self._objects[place],) = parts
            elif name == ROWS:
                self._objects[place] = list(map(tuple, *parts))
            else:
                self._sort(place, FORMATS[name], parts)

    def _sort(self, place: int, entry: Format, parts: list[Any]) -> None:
        if list in map(type, parts):
            parts = [self._buffer(part) if _is_buffer(part) else part for part in parts]
        (self._whole if entry.fill is None else self._shells).append((place, entry, parts))

    def read(self) -> object:
        """Return the value: the last record."""
        objects = self._objects
        for place, entry, parts in self._shells:
            objects[place] = entry.build(parts)
        for place, entry, parts in self._whole:
            objects[place] = entry.build(self._resolved(parts))
        for place, entry, parts in self._shells:
            entry.fill(objects[place], self._resolved(parts))  # type: ignore[misc]
        return objects[-1]

    def _resolved(self, parts: list[Any]) -> list[Any]:
        if list not in map(type, parts):
            return parts
        return [self._object(part) if type(part) is list else part for part in parts]

    def _object(self, reference: list[Any]) -> Any:
        (place,) = reference
        found = self._objects[place] if place >= 0 else _MISSING
        if found is _MISSING:
            raise DamagedError("A stored result refers to a part before it is there.")
        return found

    def _buffer(self, reference: list[int]) -> memoryview:
        place, size = reference
        buffer = self._buffers[place]
        if place < 0 or buffer.nbytes != size:
            raise DamagedError("A stored result lacks some of its bytes.")
        return buffer


_MISSING = object()


def _is_buffer(part: object) -> bool:
    return type(part) is list and len(part) == 2
