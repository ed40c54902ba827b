"""The pages of LMDB's data file, checked before LMDB maps them.

Owns the check that the pages in use form trees: each leads to others where these are said to be,
and what stands on it lies on it, without gaps and in order. LMDB trusts all of that: one wrong bit,
and it reads or writes where nothing is mapped, which ends the program, or does not find again what
it has just written. Refuses to judge values, which have a seal of their own.

The layout is LMDB's own, of its data version 1: MDB_page, MDB_node and MDB_db in `mdb.c`.
"""

import sys
from collections.abc import Callable, Iterator
from struct import Struct, unpack_from
from typing import NamedTuple

from hitsave.errors import DamagedError

NO_PAGE = 2**64 - 1
"""The root of an empty tree."""

_HEADER = Struct("=QHHHH")  # number, padding, flags, where the free room starts and where it ends
_LONG_HEADER = Struct("=QHHI")  # number, padding, flags, how many pages
_NODE = Struct("=HHHH")  # two halves of a size, flags, size of the key
_TREE = Struct("=IHHQQQQQ")  # padding, flags, depth, counts of pages and entries, root

_BRANCH, _LEAF, _LONG = 1, 2, 4
_PASSING = 0x10 | 0x4000 | 0x8000
"""Flags of pages that mean something while they are in memory only."""

_IS_LONG, _IS_TREE = 1, 2
_FIRST_PAGE = 2
_DEEPEST = 32


class Tree(NamedTuple):
    """A tree of pages: LMDB's flags, how many levels it has, and the number of its root."""

    flags: int
    depth: int
    root: int


class Span(NamedTuple):
    """The keys that a page may hold: from `first` on, and before `end` if that is not None."""

    first: bytes
    end: bytes | None


class Row(NamedTuple):
    """What a leaf holds under a key; `data` is where on its page."""

    key: bytes
    flags: int
    size: int
    page: memoryview
    data: int


def check_pages(content: memoryview, page_size: int, last: int, free: Tree, main: Tree) -> None:
    """Raise DamagedError unless the pages up to number `last` form the trees that they should.

    `free` is the tree that lists the pages that are free, `main` the one of the tables.
    """
    _Check(content, page_size, last).all(free, main)


class _Check:
    def __init__(self, content: memoryview, page_size: int, last: int) -> None:
        self._content = content
        self._size = page_size
        self._last = last
        self._met: set[int] = set()

    def all(self, free: Tree, main: Tree) -> None:
        if main.flags:
            raise _damaged("the table of tables is of another kind")
        for row in self._rows(main, bytes):
            self._table(row)
        for row in self._rows(free, _as_number):
            self._list(self._value(row))

    def _table(self, row: Row) -> None:
        if row.flags != _IS_TREE or row.size != _TREE.size:
            raise _damaged("a table is none")
        padding, flags, depth, *_, root = _TREE.unpack_from(row.page, row.data)
        if padding or flags:
            raise _damaged("a table is of another kind")
        for inner in self._rows(Tree(flags, depth, root), bytes):
            self._value(inner)

    def _value(self, row: Row) -> memoryview:
        """Return a value, wherever it stands."""
        if not row.flags:
            return row.page[row.data : row.data + row.size]
        if row.flags != _IS_LONG:
            raise _damaged("a value is of another kind")
        (number,) = unpack_from("=Q", row.page, row.data)
        start = self._meet(number)
        found, _, flags, count = _LONG_HEADER.unpack_from(self._content, start)
        if (found, flags & ~_PASSING) != (number, _LONG):
            raise _damaged("a long value is not where it is said to be")
        if row.size > count * self._size - _LONG_HEADER.size:
            raise _damaged("a long value is longer than its pages")
        for further in range(number + 1, number + count):
            self._meet(further)
        return self._content[start + _LONG_HEADER.size :][: row.size]

    def _list(self, value: memoryview) -> None:
        """Check a list of free pages: how many there are, and their numbers."""
        numbers = unpack_from(f"={len(value) // 8}Q", value)
        if not numbers or len(value) != 8 * (1 + numbers[0]):
            raise _damaged("a list of free pages has another length")
        for number in numbers[1:]:
            self._meet(number)

    def _meet(self, number: int) -> int:
        """Return where a page starts that nothing else has led to."""
        if not _FIRST_PAGE <= number <= self._last or number in self._met:
            raise _damaged("a page is missing, or is in use twice")
        self._met.add(number)
        return number * self._size

    # -- trees ------------------------------------------------------------------------------------

    def _rows(self, tree: Tree, order: Callable[[bytes], bytes]) -> Iterator[Row]:
        """Yield what the leaves of a tree hold; keys go by what `order` makes of them."""
        if tree.root == NO_PAGE:
            return iter(())
        if not 1 <= tree.depth <= _DEEPEST:
            raise _damaged("a tree has no depth")
        return self._below(tree.root, tree.depth, Span(b"", None), order)

    def _below(
        self, number: int, depth: int, span: Span, order: Callable[[bytes], bytes]
    ) -> Iterator[Row]:
        start = self._meet(number)
        page = self._content[start : start + self._size]
        rows = self._on(page, number, _LEAF if depth == 1 else _BRANCH)
        if depth > 1:
            # The first key of a branch is none: it stands for all that come before the second.
            rows[0] = rows[0]._replace(key=span.first)
            keys = [span.first, *(order(row.key) for row in rows[1:])]
        else:
            keys = [order(row.key) for row in rows]
        _check_order(keys, span)
        if depth == 1:
            yield from rows
            return
        for row, first, end in zip(rows, keys, [*keys[1:], span.end], strict=True):
            inner = row.size | row.flags << 32
            yield from self._below(inner, depth - 1, Span(first, end), order)

    def _on(self, page: memoryview, number: int, kind: int) -> list[Row]:
        """Return what stands on a page, in the order of its keys."""
        found, _, flags, lower, upper = _HEADER.unpack_from(page)
        if (found, flags & ~_PASSING) != (number, kind):
            raise _damaged("a page is not where it is said to be")
        if not _HEADER.size < lower <= upper <= self._size or lower % 2:
            raise _damaged("a page has no beginning or no end")
        places = unpack_from(f"={(lower - _HEADER.size) // 2}H", page, _HEADER.size)
        # They lie one behind the other from the end of the free room to the end of the page.
        end, rows = upper, dict[int, Row]()
        for place in sorted(places):
            if place != end or place > self._size - _NODE.size:
                raise _damaged("what stands on a page overlaps")
            rows[place], end = _row(page, place, kind)
        if end != self._size:
            raise _damaged("what stands on a page is not all")
        return [rows[place] for place in places]


def _row(page: memoryview, place: int, kind: int) -> tuple[Row, int]:
    """Return what stands at a place of a page, and where it ends."""
    low, high, flags, key_size = _NODE.unpack_from(page, place)
    size, key = low | high << 16, place + _NODE.size
    data = key + key_size
    length = 0 if kind == _BRANCH else 8 if flags & _IS_LONG else size
    end = data + length + (data + length) % 2
    return Row(bytes(page[key:data]), flags, size, page, data), end


def _check_order(keys: list[bytes], span: Span) -> None:
    first, end = span
    is_inside = first <= keys[0] and (end is None or keys[-1] < end)
    if not is_inside or any(keys[at] >= keys[at + 1] for at in range(len(keys) - 1)):
        raise _damaged("keys are out of order")


def _as_number(key: bytes) -> bytes:
    """Return what sorts as the number does that a key of the free pages is."""
    return key if sys.byteorder == "big" else key[::-1]


def _damaged(what: str) -> DamagedError:
    return DamagedError(f"In the data file {what}.")
