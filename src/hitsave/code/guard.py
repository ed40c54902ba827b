"""Guards: whether anything that a closure read from live objects has changed since.

Owns the cheap check made on every call. Immutable things are compared by identity, mutable ones
are digested again.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, KeysView, Mapping
from itertools import chain
from operator import call, is_, itemgetter
from types import CellType, FunctionType
from typing import Any

from hitsave.code.project import Module, Project
from hitsave.code.resolve import ABSENT
from hitsave.code.source import loaded_folders

RACY = 50_000_000
"""A file's time this recent, in nanoseconds, may hide a second change within its resolution."""

EMPTY: Any = type("EmptyCell", (), {})()


class Guard:
    """The live state that one closure was computed from."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._imports: list[tuple[str, Module | None]] = []
        self._libraries: list[tuple[str, object]] = []
        self._listings: list[tuple[str, str, list[str]]] = []
        self._disk: tuple[object, ...] | None = None
        self._bound: dict[int, tuple[Mapping[str, Any], dict[str, Any]]] = {}
        self._kinds: list[tuple[Mapping[str, Any], str, type]] = []
        self._cells: list[tuple[CellType, Any]] = []
        self._redigest: list[tuple[Callable[[], bytes | None], bytes | None]] = []
        self._tests: list[Callable[[], bool]] = []
        self._compiled: list[tuple[Mapping[str, Any], Any, tuple[Any, ...]]] = []
        self._absent: list[tuple[KeysView[str], tuple[str, ...]]] = []
        self._contents: list[tuple[Any, Any, tuple[Any, ...]]] = []
        self._checks: list[Callable[[], bool]] = []

    def watch_name(
        self, namespace: Mapping[str, Any], name: str, value: Any, owner: object = None
    ) -> None:
        """`name` has `value` (or is ABSENT) in a module's or class's namespace.

        `owner` is the class, whose namespace is another object each time it is asked for.
        """
        key = id(namespace if owner is None else owner)
        _, names = self._bound.setdefault(key, (namespace, {}))
        names[name] = value

    def watch_kind(self, namespace: Mapping[str, Any], name: str) -> None:
        """Of what `name` has in a module's namespace, only the type counts.

        A counter counts by its definition, and changes with every call.
        """
        self._kinds.append((namespace, name, type(namespace[name])))

    def watch_cell(self, cell: CellType, value: Any) -> None:
        """A closure cell holds `value`, or is EMPTY."""
        self._cells.append((cell, value))

    def watch_value(self, redigest: Callable[[], bytes | None], digest: bytes | None) -> None:
        """A mutable value has `digest`."""
        self._redigest.append((redigest, digest))

    def watch_contents(self, value: Any) -> bool:
        """A plain container holds what it holds now; False where it has to be digested to tell."""
        kind = type(value)
        if kind not in (list, dict, set):
            return False
        read = _pairs if kind is dict else iter
        items = tuple(read(value))
        if not all(map(_is_leaf, items)):
            return False
        self._contents.append((read, value, items))
        return True

    def watch_import(self, name: str, found: Module | None) -> None:
        """Importing `name` would load `found`, which is not loaded; or nothing of the project's."""
        live = sys.modules.get(name)
        if found is None and live is not None:
            # Whatever the disk has, a library that is loaded is what importing it gives.
            self._libraries.append((name, live))
        else:
            self._imports.append((name, found))

    def watch_listing(self, prefix: str, suffix: str, names: list[str]) -> None:
        """The modules on disk with such a name are `names`."""
        self._listings.append((prefix, suffix, names))

    def watch(self, unchanged: Callable[[], bool]) -> None:
        """Something else that can tell by itself whether it is as it was."""
        self._tests.append(unchanged)

    def seal(self) -> None:
        """Prepare for checking."""
        for namespace, name, _ in self._kinds:
            if id(namespace) in self._bound:
                self._bound[id(namespace)][1].pop(name, None)
        for namespace, names in self._bound.values():
            present = {name: v for name, v in names.items() if v is not ABSENT}
            if len(present) < len(names):
                absent = tuple(name for name in names if name not in present)
                self._absent.append((namespace.keys(), absent))
            if present:
                # One name gives itemgetter's bare item, so it is asked for twice.
                keys = (*present, next(iter(present)))
                values = (*present.values(), next(iter(present.values())))
                self._compiled.append((namespace, itemgetter(*keys), values))
        self._bound = {}
        checks = (
            (self._absent, self._absent_hold),
            (self._contents, self._contents_hold),
            (self._kinds, self._kinds_hold),
            (self._libraries, self._libraries_hold),
            (self._cells, self._cells_hold),
            (self._redigest, self._digests_hold),
            (self._tests, self._tests_hold),
            (self._imports or self._listings, self._disk_holds),
        )
        # Most of these have nothing to look at, and every hit comes here.
        self._checks = [check for watched, check in checks if watched]

    @property
    def digests_several(self) -> bool:
        """Whether checking digests several values, which may have much in common."""
        return len(self._redigest) > 1

    def holds(self) -> bool:
        """Whether everything is as it was."""
        try:
            for namespace, values_of, saved in self._compiled:
                if not all(map(is_, values_of(namespace), saved)):
                    return False
        except KeyError:
            return False
        return all(map(call, self._checks))

    def _absent_hold(self) -> bool:
        return all(names.isdisjoint(absent) for names, absent in self._absent)

    def _contents_hold(self) -> bool:
        for read, container, items in self._contents:
            if len(container) * (1 + (read is _pairs)) != len(items):
                return False
            if not all(map(is_, read(container), items)):
                return False
        return True

    def _kinds_hold(self) -> bool:
        return all(type(namespace.get(name)) is kind for namespace, name, kind in self._kinds)

    def _libraries_hold(self) -> bool:
        return all(sys.modules.get(name) is live for name, live in self._libraries)

    def _cells_hold(self) -> bool:
        return all(cell_content(cell) is value for cell, value in self._cells)

    def _digests_hold(self) -> bool:
        return all(redigest() == digest for redigest, digest in self._redigest)

    def _tests_hold(self) -> bool:
        return all(unchanged() for unchanged in self._tests)

    def _disk_holds(self) -> bool:
        """Whether what importing would find is as it was.

        Looking for modules costs tens of microseconds each, so it is done again only after one
        of the folders or files that were looked at has changed, or may just have changed.
        """
        now = self._disk_state()
        if now is not None and now == self._disk:
            return True
        project = self._project
        if any(project.module(name) is not found for name, found in self._imports):
            return False
        if any(project.modules_like(p, s) != names for p, s, names in self._listings):
            return False
        self._disk = now
        return True

    def _disk_state(self) -> tuple[object, ...] | None:
        """The times of the folders and files looked at; None where one is too recent to trust."""
        loaded = tuple(sys.modules.get(name) is None for name, _ in self._imports)
        paths = dict.fromkeys(entry or os.curdir for entry in sys.path)
        for prefix, _, _ in self._listings:
            folders = loaded_folders(prefix.rpartition(".")[0])
            if "." in prefix and not folders:
                return None
            paths.update(dict.fromkeys(folders))
        for name, found in self._imports:
            paths.update(dict.fromkeys(loaded_folders(name.rpartition(".")[0])))
            if found is not None:
                paths[found.source.path] = None
                paths[os.path.dirname(found.source.path)] = None
        times = tuple(map(_changed_at, paths))
        if max(times, default=0) > time.time_ns() - RACY:
            return None
        return loaded, tuple(paths), times


def _pairs(value: dict[Any, Any]) -> Iterator[Any]:
    return chain(value, value.values())


def _is_leaf(item: Any) -> bool:
    """Whether nothing inside `item` counts that could change while it stays the same object."""
    kind = type(item)
    return kind in _ATOMS or (kind is FunctionType and item.__closure__ is None)


_ATOMS = frozenset({int, float, str, bytes, bool, type(None)})


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def cell_content(cell: CellType) -> Any:
    """Return what a closure cell holds, or EMPTY."""
    try:
        return cell.cell_contents
    except ValueError:
        return EMPTY
