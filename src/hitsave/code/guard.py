"""Guards: whether anything that a closure read from live objects has changed since.

Owns the cheap check made on every call. Immutable things are compared by identity, mutable ones
are digested again.
"""

from collections.abc import Callable, Mapping
from operator import is_, itemgetter
from types import CellType
from typing import Any

from hitsave.code.resolve import ABSENT

EMPTY: Any = type("EmptyCell", (), {})()


class Guard:
    """The live state that one closure was computed from."""

    def __init__(self) -> None:
        self._bound: dict[int, tuple[Mapping[str, Any], dict[str, Any]]] = {}
        self._cells: list[tuple[CellType, Any]] = []
        self._redigest: list[tuple[Callable[[], bytes | None], bytes | None]] = []
        self._tests: list[Callable[[], bool]] = []
        self._compiled: list[tuple[Mapping[str, Any], Any, tuple[Any, ...]]] = []
        self._absent: list[tuple[Mapping[str, Any], str]] = []

    def watch_name(self, namespace: Mapping[str, Any], name: str, value: Any) -> None:
        """`name` has `value` (or is ABSENT) in a module's or class's namespace."""
        _, names = self._bound.setdefault(id(namespace), (namespace, {}))
        names[name] = value

    def watch_cell(self, cell: CellType, value: Any) -> None:
        """A closure cell holds `value`, or is EMPTY."""
        self._cells.append((cell, value))

    def watch_value(self, redigest: Callable[[], bytes | None], digest: bytes | None) -> None:
        """A mutable value has `digest`."""
        self._redigest.append((redigest, digest))

    def watch(self, unchanged: Callable[[], bool]) -> None:
        """Something else that can tell by itself whether it is as it was."""
        self._tests.append(unchanged)

    def seal(self) -> None:
        """Prepare for checking."""
        for namespace, names in self._bound.values():
            present = {name: v for name, v in names.items() if v is not ABSENT}
            self._absent += [(namespace, name) for name in names if name not in present]
            if present:
                # One name gives itemgetter's bare item, so it is asked for twice.
                keys = (*present, next(iter(present)))
                values = (*present.values(), next(iter(present.values())))
                self._compiled.append((namespace, itemgetter(*keys), values))
        self._bound = {}

    def holds(self) -> bool:
        """Whether everything is as it was."""
        try:
            for namespace, values_of, saved in self._compiled:
                if not all(map(is_, values_of(namespace), saved)):
                    return False
        except KeyError:
            return False
        return self._rest_holds()

    def _rest_holds(self) -> bool:
        if any(name in namespace for namespace, name in self._absent):
            return False
        if any(cell_content(cell) is not value for cell, value in self._cells):
            return False
        if any(redigest() != digest for redigest, digest in self._redigest):
            return False
        return all(unchanged() for unchanged in self._tests)


def cell_content(cell: CellType) -> Any:
    """Return what a closure cell holds, or EMPTY."""
    try:
        return cell.cell_contents
    except ValueError:
        return EMPTY
