"""Results to bytes.

Owns the layout of a payload. Refuses to run code of the value's, except pickle's protocol where
no format fits, and that is marked.
"""

from collections.abc import Iterable
from itertools import chain
from types import NoneType
from typing import Any

from hitsave.codec.format import Blob, NotStorableError
from hitsave.codec.formats import find_format
from hitsave.codec.payload import GRAPH, PLAIN, VERSION, Encoded, pack
from hitsave.codec.pickling import encode_pickle
from hitsave.codec.plain import LARGE
from hitsave.codec.registered_codecs import Codec, codec_of
from hitsave.codec.shapes import Shape, columns_of, shape_of
from hitsave.codec.sharing import identity, may_be_tree, unshared_tree
from hitsave.errors import NotEncodableError

TREE = "tree.1"
"""The name of a record that is an unshared tree of lists and dicts, written in one piece."""

ROWS = "rows.1"
"""The name of a record that is a list of tuples of scalars, written in one piece."""

COLUMNS = "columns.1"
"""The name of a record that is a list of values of one shape, written field by field."""

MAP = "map.1"
"""The name of a record that is a dict with scalars for keys: these in one piece, then the rest."""

MAX_DEPTH = 20_000
"""Deepest nesting of values such as tuples, which C hashes by its stack."""

_FEW = 64  # a dict with fewer entries is written as it is
_SCALARS = frozenset({NoneType, bool, int, float, str, bytes})
_INT_MIN, _INT_MAX = -(1 << 63), (1 << 64) - 1


def encode(value: object) -> Encoded:
    """Return `value` as bytes. Raises NotEncodableError, with the path to what has no encoding.

    The buffers are the value's own memory: write them before anybody changes the value.
    """
    if _fits_inline(value) or (_may_be_plain(value) and unshared_tree(value, LARGE) is not None):
        try:
            return Encoded(pack([VERSION, PLAIN, value]), (), False)
        except (OverflowError, ValueError):  # a large int, or more than msgpack can count
            return _encode_graph(value, trees=False)
    return _encode_graph(value, trees=True)


def _may_be_plain(value: object) -> bool:
    if type(value) is dict:
        return len(value) < _FEW
    return type(value) is list and may_be_tree(value)


def _encode_graph(value: object, trees: bool) -> Encoded:
    # A value that changes in another thread while it is taken apart raises almost anything.
    try:
        return _Graph(trees).encode(value)
    except _NotATreeError:
        return _encode_graph(value, trees=False)
    except NotEncodableError:
        raise
    except Exception:
        return encode_pickle(value)


def _fits_inline(value: object) -> bool:
    """Whether msgpack can write `value` as a scalar that reads back as the same."""
    kind = type(value)
    if kind is int:
        return _INT_MIN <= value <= _INT_MAX  # type: ignore[operator]
    if kind is bytes:
        return len(value) < LARGE  # type: ignore[arg-type]
    return kind in _SCALARS


def _rows(value: Any) -> list[list[Any]] | None:
    """Return the tuples in the list `value` as lists, where these hold only scalars."""
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
    """An object whose parts are being written; `is_whole` says that it is built of all at once."""

    __slots__ = ("cell", "depth", "is_codec", "is_whole", "parts", "record")

    def __init__(
        self, cell: list[Any], record: list[Any], parts: Iterable[Any], is_whole: bool = False
    ) -> None:
        self.cell = cell
        self.record = record
        self.parts = iter(parts)
        self.is_whole = is_whole
        self.is_codec = False
        self.depth = 0


class _Graph:
    """The records of one value. Depth costs no stack: what is open is kept in a list."""

    def __init__(self, trees: bool) -> None:
        self._trees = trees
        self._names: dict[object, int] = {}
        self._shapes: dict[type, Shape | Codec] = {}
        self._records: list[list[Any]] = []
        self._buffers: list[memoryview | bytes] = []
        self._cells: dict[
            int, list[Any]
        ] = {}  # by identity; a cell learns its record's place at the end
        self._in_trees: set[int] = set()
        self._alive: list[object] = []
        self._keeps: dict[bytes, None] = {}
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
            payload = pack([VERSION, GRAPH, list(self._names), self._records])
        except OverflowError:  # a large int inside a tree
            raise _NotATreeError from None
        return Encoded(payload, tuple(self._buffers), False, tuple(self._keeps))

    def _finish(self, done: _Open) -> None:
        done.cell.append(len(self._records))
        self._records.append(done.record)

    def _part(self, value: object) -> Any:
        """Return what stands for `value` in a record, opening it where it was not met before."""
        if _fits_inline(value):
            return value
        if type(value) is Blob:
            return self._blob(value)
        cell = self._cells.get(identity(value))
        if cell is not None:
            self._check_cycle(cell)
            return cell
        if identity(value) in self._in_trees:
            raise _NotATreeError
        cell = self._cells[identity(value)] = []
        self._alive.append(value)
        opened = (self._opened_in_one(value, cell) if self._trees else None) or self._opened(
            value, cell
        )
        if opened.is_whole and self._open:
            opened.depth = self._open[-1].depth + 1
            if opened.depth > MAX_DEPTH:
                raise NotStorableError
        self._open.append(opened)
        return cell

    def _check_cycle(self, cell: list[Any]) -> None:
        """Raise for a cycle that cannot be built: without an empty shell, or through a codec."""
        if cell:
            return
        has_shell = False
        for opened in reversed(self._open):
            if opened.is_codec:
                raise NotStorableError
            has_shell = has_shell or not opened.is_whole
            if opened.cell is cell:
                break
        if not has_shell:
            raise NotStorableError

    def _opened(self, value: object, cell: list[Any]) -> _Open:
        kind = type(value)
        entry = None if codec_of(kind) is not None else find_format(kind)
        if entry is not None:
            return _Open(cell, [self._name(entry.name)], entry.take(value), entry.fill is None)
        shape = self._shape(value, kind)
        opened = _Open(cell, [self._name(shape.entry)], shape.take(value), shape.is_whole)
        if type(shape) is Codec:
            opened.is_codec = True
            self._keeps.update(dict.fromkeys(shape.kept_for(value)))
        return opened

    def _shape(self, value: object, kind: type) -> Shape | Codec:
        shape = self._shapes.get(kind)
        if shape is None or not shape.fits(value):
            shape = self._shapes[kind] = codec_of(kind) or shape_of(value)
        return shape

    def _opened_in_one(self, value: Any, cell: list[Any]) -> _Open | None:
        """Return the record of a list or dict that can be written in one or a few pieces."""
        kind = type(value)
        if kind is dict and len(value) >= _FEW:
            return self._map(value, cell)
        if kind is not list and kind is not dict:
            return None
        if (kind is dict or may_be_tree(value)) and self._take_tree(value):
            return _Open(cell, [self._name(TREE), value], ())
        return None if kind is dict else self._table(value, cell)

    def _table(self, values: list[Any], cell: list[Any]) -> _Open | None:
        """Return the record of a list of tuples of scalars, or of values of one shape."""
        ids = set(map(identity, values))
        if len(ids) < len(values) or not ids.isdisjoint(self._cells):
            return None  # what is in two places has a record of its own
        kinds = set(map(type, values))
        if kinds == {tuple} and (rows := _rows(values)) is not None:
            opened = _Open(cell, [self._name(ROWS), rows], ())
        elif len(kinds) == 1 and (found := columns_of(values)) is not None:
            shape, columns = found
            head = [self._name(COLUMNS), self._name(shape.entry), len(values)]
            opened = _Open(cell, head, columns)
        else:
            return None
        self._take_in(ids)
        return opened

    def _take_in(self, ids: set[int]) -> None:
        """Note objects that are written without records of their own."""
        if not self._in_trees:
            self._in_trees = ids
        elif self._in_trees.isdisjoint(ids):
            self._in_trees |= ids
        else:
            raise _NotATreeError

    def _map(self, value: dict[Any, Any], cell: list[Any]) -> _Open | None:
        keys = list(value)
        kinds = set(map(type, keys))
        if not kinds <= _SCALARS or (bytes in kinds and _has_large(keys)):
            return None
        return _Open(cell, [self._name(MAP), keys], [list(value.values())])

    def _take_tree(self, value: object) -> bool:
        inside = unshared_tree(value, LARGE)
        if inside is None:
            return False
        inside.discard(identity(value))
        if not inside.isdisjoint(self._cells):
            raise _NotATreeError
        if inside:
            self._take_in(inside)
        return True

    def _name(self, name: object) -> int:
        return self._names.setdefault(name, len(self._names))

    def _blob(self, blob: Blob) -> Any:
        view = memoryview(blob.content)
        if view.nbytes < LARGE:
            return bytes(view)
        self._buffers.append(view)
        return [len(self._buffers) - 1, view.nbytes]
