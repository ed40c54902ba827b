"""Results to bytes.

Owns the layout of a payload. Refuses to run code of the value's, except pickle's protocol where
no format fits, and that is marked.

A payload is msgpack: `[VERSION, mode, ...]`. `PLAIN`: the value itself, for unshared lists and
dicts of scalars. `GRAPH`: `[names, records]`, one record for each object, children before
parents; a record is `[name, part, ...]` and a part is a scalar, `[record]`, or `[buffer, size]`.
`PICKLE`: a pickle of the whole, so that what its parts share stays shared.
"""

from collections.abc import Iterator
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple

from msgpack import Packer

from hitsave.codec.format import Blob, NotStorableError
from hitsave.codec.formats import find_format
from hitsave.codec.instances import instance_fields
from hitsave.codec.naming import type_label
from hitsave.codec.plain import LARGE
from hitsave.codec.sharing import unshared_tree
from hitsave.codec.summary import summarize
from hitsave.errors import NotEncodableError

VERSION = 1
PLAIN, GRAPH, PICKLE = 0, 1, 2
TREE = "tree.1"
"""The name of a record that is an unshared tree of lists and dicts, written in one piece."""

ROWS = "rows.1"
"""The name of a record that is a list of tuples of scalars, written in one piece."""

_SCALARS = frozenset({NoneType, bool, int, float, str, bytes})
_INT_MIN, _INT_MAX = -(1 << 63), (1 << 64) - 1


class Encoded(NamedTuple):
    """A value as bytes: `payload`, and `buffers` of 64 KiB or more each, contiguous.

    `pickled` says whether anything in it went through pickle.
    """

    payload: bytes
    buffers: tuple[memoryview | bytes, ...]
    pickled: bool


def encode(value: object) -> Encoded:
    """Return `value` as bytes. Raises NotEncodableError, with the path to what has no encoding.

    The buffers are the value's own memory: write them before anybody changes the value.
    """
    if _fits_inline(value) or unshared_tree(value, LARGE) is not None:
        try:
            return Encoded(_pack([VERSION, PLAIN, value]), (), False)
        except (OverflowError, ValueError):  # a large int, or more than msgpack can count
            return _encode_graph(value, trees=False)
    return _encode_graph(value, trees=True)


def _encode_graph(value: object, trees: bool) -> Encoded:
    # A value that changes in another thread while it is taken apart raises almost anything.
    try:
        return _Graph(trees).encode(value)
    except _NotATreeError:
        return _encode_graph(value, trees=False)
    except Exception:
        return _encode_pickle(value)


def _pack(value: object) -> bytes:
    packed: bytes = Packer(unicode_errors="surrogatepass").pack(value)
    return packed


def _fits_inline(value: object) -> bool:
    """Whether msgpack can write `value` as a scalar that reads back as the same."""
    kind = type(value)
    if kind is int:
        return _INT_MIN <= value <= _INT_MAX  # type: ignore[operator]
    if kind is bytes:
        return len(value) < LARGE  # type: ignore[arg-type]
    return kind in _SCALARS


def _rows(value: Any) -> list[list[Any]] | None:
    """Return the tuples in the list `value` as lists, where there are only tuples of scalars."""
    if set(map(type, value)) != {tuple}:
        return None
    rows = list(map(list, value))
    kinds = set(map(type, chain.from_iterable(rows)))
    if not kinds <= _SCALARS or (bytes in kinds and any(map(_has_large, rows))):
        return None
    return rows


def _has_large(row: list[Any]) -> bool:
    return any(type(item) is bytes and len(item) >= LARGE for item in row)


class _NotATreeError(Exception):
    """An object of a tree turned up again elsewhere, so the tree must be written by records."""


class _Open:
    """An object whose parts are being written."""

    __slots__ = ("cell", "parts", "record")

    def __init__(self, cell: list[Any], record: list[Any], parts: Iterator[Any]) -> None:
        self.cell = cell
        self.record = record
        self.parts = parts


class _Graph:
    """The records of one value. Depth costs no stack: what is open is kept in a list."""

    def __init__(self, trees: bool) -> None:
        self._trees = trees
        self._names: dict[str, int] = {}
        self._records: list[list[Any]] = []
        self._buffers: list[memoryview | bytes] = []
        self._cells: dict[int, list[Any]] = {}  # by id; a cell learns its record's place at the end
        self._in_trees: set[int] = set()
        self._alive: list[object] = []
        self._open: list[_Open] = []

    def encode(self, value: object) -> Encoded:
        """Return `value` as records."""
        self._part(value)
        while self._open:
            top = self._open[-1]
            for part in top.parts:
                depth = len(self._open)
                top.record.append(self._part(part))
                if len(self._open) > depth:
                    break
            else:
                self._finish(self._open.pop())
        try:
            payload = _pack([VERSION, GRAPH, list(self._names), self._records])
        except OverflowError:  # a large int inside a tree
            raise _NotATreeError from None
        return Encoded(payload, tuple(self._buffers), False)

    def _finish(self, done: _Open) -> None:
        done.cell.append(len(self._records))
        self._records.append(done.record)

    def _part(self, value: object) -> Any:
        """Return what stands for `value` in a record, opening it where it was not met before."""
        if _fits_inline(value):
            return value
        if type(value) is Blob:
            return self._blob(value)
        cell = self._cells.get(id(value))
        if cell is not None:
            return cell
        if id(value) in self._in_trees:
            raise _NotATreeError
        cell = self._cells[id(value)] = []
        self._alive.append(value)
        self._open.append(self._opened(value, cell))
        return cell

    def _opened(self, value: object, cell: list[Any]) -> _Open:
        kind = type(value)
        if self._trees and kind in (list, dict) and self._take_tree(value):
            return _Open(cell, [self._name(TREE), value], iter(()))
        if self._trees and kind is list and (rows := _rows(value)) is not None:
            return _Open(cell, [self._name(ROWS), rows], iter(()))
        entry = find_format(kind)
        if entry is None:
            raise NotStorableError
        return _Open(cell, [self._name(entry.name)], iter(entry.take(value)))

    def _take_tree(self, value: object) -> bool:
        inside = unshared_tree(value, LARGE)
        if inside is None:
            return False
        inside.discard(id(value))
        if not inside.isdisjoint(self._cells) or not inside.isdisjoint(self._in_trees):
            raise _NotATreeError
        self._in_trees |= inside
        return True

    def _name(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))

    def _blob(self, blob: Blob) -> Any:
        view = memoryview(blob.content)
        if view.nbytes < LARGE:
            return bytes(view)
        self._buffers.append(view)
        return [len(self._buffers) - 1, view.nbytes]


def _encode_pickle(value: object) -> Encoded:
    # Only a value that needs it pays for loading pickle, which loads `re` and more.
    import pickle

    buffers: list[memoryview | bytes] = []

    def keep_in_line(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE:
            return True
        buffers.append(raw)
        return False

    try:
        content = pickle.dumps(value, 5, buffer_callback=keep_in_line)
    except Exception as error:
        raise _not_encodable(value, error) from error
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    return Encoded(_pack([VERSION, PICKLE, sizes, content]), tuple(buffers), True)


def _not_encodable(value: object, error: Exception) -> NotEncodableError:
    path, culprit = _culprit(value)
    return NotEncodableError(
        f"An object of type {type_label(culprit)} cannot be stored: {type(error).__name__} was "
        "raised by pickle, the last resort.",
        "The result is returned and not recorded; return plain data instead.",
        path,
    )


_MAX_SEARCH = 100


def _culprit(value: object) -> tuple[str, object]:
    """Return path and object of the innermost part of `value` that pickle refuses."""
    path = ""
    for _ in range(_MAX_SEARCH):
        found = next(((step, part) for step, part in _parts(value) if not _pickles(part)), None)
        if found is None:
            break
        path, value = path + found[0], found[1]
    return path, value


def _pickles(value: object) -> bool:
    import pickle  # loaded already: this explains a pickle that failed

    try:
        pickle.dumps(value, 5)
    except Exception:
        return False
    return True


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((f"[{summarize(key, 60)}]", part) for key, part in dict.items(value))
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    else:
        names, contents = instance_fields(value)
        yield from zip((f".{name}" for name in names), contents, strict=True)
