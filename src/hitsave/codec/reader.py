"""Records to values.

Owns the order in which the records of a payload are built. Refuses to make anything that no format
names, to recurse, to believe a length, and to let a few bytes become many.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hitsave.codec.encode import COLUMNS, MAP, MAX_DEPTH, ROWS, TREE
from hitsave.codec.format import Format
from hitsave.codec.formats import format_named
from hitsave.codec.registered_codecs import REGISTERED, codec_named
from hitsave.codec.shapes import read_shape
from hitsave.errors import DamagedError

_MISSING = object()


class _Record(NamedTuple):
    """A record that is to be built of `parts`: as a whole, or as a shell that is filled later."""

    place: int
    entry: Any
    parts: list[Any]


class Reader:
    """Builds the records of one payload: empty shells, then all in order, children first.

    What a cycle keeps from being built in its turn is built at the end.
    """

    def __init__(
        self,
        names: list[Any],
        records: list[list[Any]],
        buffers: Sequence[memoryview],
        trusted: bool,
    ) -> None:
        self._buffers = buffers
        self._trusted = trusted
        self._shapes: dict[int, Any] = {}
        self._names = [self._named(number, name) for number, name in enumerate(names)]
        self._objects: list[Any] = [_MISSING] * len(records)
        self._todo: list[_Record] = []
        self._used: set[int] = set()  # buffers that have a taker
        self._columns: set[int] = set()  # columns that have one
        self._unfilled: set[int] = set()  # what a cycle keeps from being filled in its turn
        self._depths = [0] * len(records) if len(records) > MAX_DEPTH else None
        for place, (number, *parts) in enumerate(records):
            entry = self._names[number]
            if type(entry) is str:
                self._open_special(place, entry, parts)
            else:
                self._shell(place, entry, self._with_buffers(parts))

    def _named(self, number: int, name: Any) -> Any:
        """Return what a name stands for: a format, or a special name itself."""
        if type(name) is list:
            if name[0] != REGISTERED:
                shape = self._shapes[number] = read_shape(name, self._trusted)
                return _shape_format(shape)
            _, own_name, version = name
            codec = codec_named(own_name, version)
            return Format(codec.name, codec.take, codec.build)
        if name in _SPECIAL:
            return name
        entry = format_named(name)
        if entry.is_foreign and not self._trusted:
            raise DamagedError(
                f"A stored result is of the format {name}, and such from there are not trusted.",
                "It will be computed again.",
            )
        return entry

    def _open_special(self, place: int, name: str, parts: list[Any]) -> None:
        if name == TREE:
            (self._objects[place],) = parts
        elif name == ROWS:
            self._objects[place] = list(map(tuple, *parts))
        elif name == COLUMNS:
            self._open_columns(place, parts)
        else:
            keys, values = parts
            self._shell(place, _map_format(keys), [values])

    def _with_buffers(self, parts: list[Any]) -> list[Any]:
        if list not in map(type, parts):
            return parts
        return [self._buffer(part) if _is_buffer(part) else part for part in parts]

    def _shell(self, place: int, entry: Format, parts: list[Any]) -> None:
        if entry.fill is not None:
            self._objects[place] = entry.build(parts)
        self._todo.append(_Record(place, entry, parts))

    def _open_columns(self, place: int, parts: list[Any]) -> None:
        number, count, *columns = parts
        places = [column for (column,) in columns]
        # Each column is of one list: or few bytes would be very many objects.
        if not places or len(set(places)) < len(places) or not self._columns.isdisjoint(places):
            raise DamagedError("A stored result has a column in two places.")
        self._columns.update(places)
        entry = _column_format(self._shapes[number], count)
        self._shell(place, entry, columns)

    def read(self) -> object:
        """Return the value: the last record."""
        late: list[_Record] = []
        for record in self._todo:
            if not self._finish(record):
                late.append(record)
                self._unfilled.add(record.place)
        wholes = {record.place: record for record in late if record.entry.fill is None}
        while wholes:
            self._finish_late(wholes)
        for record in late:
            self._unfilled.discard(record.place)
            if record.entry.fill is not None and not self._finish(record):
                raise _too_early()
        return self._objects[-1]

    def _finish_late(self, wholes: dict[int, _Record]) -> None:
        """Build one of `wholes`, and before it those that it is made of."""
        stack = [next(iter(wholes))]
        under_way = set(stack)
        while stack:
            record = wholes[stack[-1]]
            if self._finish(record):
                del wholes[stack.pop()]
                continue
            needed = [place for place in _references(record.parts) if place in wholes]
            if not needed or needed[0] in under_way:
                raise _too_early()
            stack.append(needed[0])
            under_way.add(needed[0])

    def _finish(self, record: _Record) -> bool:
        """Build or fill a record; False where a part of it is not there yet."""
        place, entry, parts = record
        if list in map(type, parts):
            resolved = [self._object(part) if type(part) is list else part for part in parts]
            if any(part is _MISSING for part in resolved):
                return False
            if entry.name in _BY_CONTENT and not self._unfilled.isdisjoint(_references(parts)):
                return False
            if self._depths is not None and entry.fill is None:
                self._note_depth(place, parts)
            parts = resolved
        if entry.fill is None:
            self._objects[place] = entry.build(parts)
        else:
            entry.fill(self._objects[place], parts)
        return True

    def _note_depth(self, place: int, parts: list[Any]) -> None:
        assert self._depths is not None
        depth = 1 + max(self._depths[inner] for inner in _references(parts))
        if depth > MAX_DEPTH:
            raise DamagedError("A stored result is nested too deeply.")
        self._depths[place] = depth

    def _object(self, reference: list[Any]) -> Any:
        (place,) = reference
        if place < 0:
            raise _too_early()
        return self._objects[place]

    def _buffer(self, reference: list[int]) -> memoryview:
        place, size = reference
        buffer = self._buffers[place]
        if place < 0 or buffer.nbytes != size:
            raise DamagedError("A stored result lacks some of its bytes.")
        if place in self._used:
            raise DamagedError("A stored result has a buffer in two places.")
        self._used.add(place)
        return buffer


_SPECIAL = frozenset({TREE, ROWS, COLUMNS, MAP})
_BY_CONTENT = frozenset({COLUMNS, MAP})
"""Formats that need their parts filled, and not only there."""


def _too_early() -> DamagedError:
    return DamagedError("A stored result refers to a part before it is there.")


def _is_buffer(part: object) -> bool:
    return type(part) is list and len(part) == 2


def _references(parts: list[Any]) -> list[int]:
    return [part[0] for part in parts if type(part) is list]


def _map_format(keys: Any) -> Format:
    """Return the format of a dict with `keys`, whose one part is the list of its contents."""
    if type(keys) is not list:
        raise DamagedError("A stored dict lacks its keys.")

    def fill(shell: dict[Any, Any], parts: list[Any]) -> None:
        shell.update(zip(keys, _list(parts[0], len(keys)), strict=True))

    return Format(MAP, dict, lambda _: {}, fill)  # type: ignore[arg-type]


def _shape_format(shape: Any) -> Format:
    """Return the format of one value of `shape`."""
    name = shape.entry[0]

    def build(_: list[Any]) -> Any:
        return shape.empty(1)[0]

    def build_whole(parts: list[Any]) -> Any:
        return shape.rows([[part] for part in parts])[0]

    def fill(shell: Any, parts: list[Any]) -> None:
        shape.fill([shell], [[part] for part in parts])

    if shape.is_whole:
        return Format(name, list, build_whole)
    return Format(name, list, build, fill)


def _column_format(shape: Any, count: int) -> Format:
    """Return the format of a list of `count` values of `shape`, field by field."""

    def fill(shell: list[Any], parts: list[Any]) -> None:
        columns = [_list(part, count) for part in parts]
        if shape.is_whole:
            shell.extend(shape.rows(columns))
        else:
            shell.extend(shape.empty(count))
            shape.fill(shell, columns)

    return Format(COLUMNS, list, lambda _: [], fill)


def _list(value: Any, size: int) -> list[Any]:
    if type(value) is not list or len(value) != size:
        raise DamagedError("A stored result has not as many values as it announces.")
    return value
