"""The finder: first in `sys.meta_path`, asks those behind it, and arms what they find.

Owns the decision which loaders are armed. Refuses to find anything itself.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any
from zipimport import zipimporter

from hitsave import events
from hitsave.hook.archive import KeepingZipImporter
from hitsave.hook.frames import hide_frames
from hitsave.hook.ledger import Ledger
from hitsave.hook.loader import KeepingLoader


class Finder:
    """Finds what the finders behind it find; project source with a loader that keeps it."""

    def __init__(self, is_project: Callable[[str], bool], ledger: Ledger) -> None:
        self.is_project = is_project
        self.ledger = ledger
        self._classes: dict[type, type] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that Python would have found; None leaves the rest to Python."""
        try:
            spec = self._ask_behind(name, path, target)
        except BaseException as error:
            hide_frames(error)
            raise
        if spec is not None:
            self._arm(spec)
        return spec

    def _ask_behind(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in self._behind():
            find_spec = getattr(finder, "find_spec", None)
            if find_spec is None:
                if _is_asked_otherwise(finder, name, path):
                    return None
                continue
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                return spec
        return None

    def _behind(self) -> Iterator[Any]:
        """The finders behind this one, as the list was when it was asked."""
        # By identity: the finders of others may compare equal to anything.
        finders = iter(tuple(sys.meta_path))
        if any(finder is self for finder in sys.meta_path):
            for finder in finders:
                if finder is self:
                    break
        return (finder for finder in finders if finder is not self)

    def _arm(self, spec: ModuleSpec) -> None:
        try:
            holder: Any = spec.loader if _is_lazy(spec.loader) else spec
            if self._is_watched(spec, holder.loader):
                holder.loader = self._armed(holder.loader, spec)
            else:
                # It is executed unseen, so what was kept of an earlier execution is out of date.
                self.ledger.forget(spec.name)
        except Exception as error:
            events.warn(
                "hook:finder",
                f"the import of {getattr(spec, 'name', spec)!r} is not watched: {error!r}",
                "results that depend on it are recorded under the source that is found later",
            )

    def _is_watched(self, spec: ModuleSpec, loader: object) -> bool:
        if not isinstance(loader, SourceFileLoader | zipimporter):
            return False
        if not isinstance(spec.origin, str) or not self.is_project(spec.origin):
            return False
        # An archive may hold bytecode alone.
        return not spec.origin.endswith(".pyc") or loader.get_source(spec.name) is not None

    def _armed(self, loader: Any, spec: ModuleSpec) -> Any:
        """Return `loader` as one that keeps what it executes: itself, or an archive's a copy."""
        if isinstance(loader, KeepingLoader | KeepingZipImporter):
            return loader
        if not isinstance(loader, zipimporter):
            loader.__class__ = self._armed_class(type(loader), KeepingLoader)
            return loader
        armed = self._armed_class(type(loader), KeepingZipImporter)
        copy: Any = object.__new__(armed)
        copy.__dict__.update(vars(loader), _hitsave_origin=spec.origin)
        return copy

    def _armed_class(self, plain: type, keeping: type) -> type:
        """Return the class that is `plain` and keeps what it executes; one for each `plain`."""
        if plain not in self._classes:
            bases = (keeping,) if plain is keeping.__base__ else (keeping, plain)
            self._classes[plain] = type(plain)(
                plain.__name__,
                bases,
                {
                    "__slots__": (),
                    "__module__": plain.__module__,
                    "__qualname__": plain.__qualname__,
                    "_hitsave_plain": plain,
                    "_hitsave_ledger": self.ledger,
                },
            )
        return self._classes[plain]


def _is_lazy(loader: object) -> bool:
    # Looked up rather than imported: no program has a lazy loader without importlib.util, which
    # may be only half imported at this moment.
    return isinstance(loader, getattr(sys.modules.get("importlib.util"), "LazyLoader", ()))


def _is_asked_otherwise(finder: Any, name: str, path: Sequence[str] | None) -> bool:
    """Whether Python gets more than nothing from a finder without `find_spec`.

    Python 3.11 still asks for `find_module`, and stumbles where that is absent as well.
    """
    if sys.version_info >= (3, 12):
        return False
    return not hasattr(finder, "find_module") or finder.find_module(name, path) is not None
