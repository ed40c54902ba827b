"""Sources: the text that a module was executed from, or would be.

Owns finding a module's source without importing it, and knowing whether a source that was read
later is still the one that was executed. Refuses to parse.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, NamespaceLoader, PathFinder
from types import CodeType
from typing import Any, NamedTuple

from hitsave.code.pause import warnings_paused
from hitsave.raw import namespace_of


class Source(NamedTuple):
    """A module's source. `executed` says that these very bytes were executed."""

    module: str
    path: str
    content: bytes
    is_package: bool
    executed: bool


class Located(NamedTuple):
    """Where the import system would find a module: its file, and the folders of a package."""

    path: str
    folders: tuple[str, ...]


Executed = Callable[[str], Source | None]


def read_source(module: str, path: str, is_package: bool) -> Source | None:
    """Read a source file as it is now; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return Source(module, path, file.read(), is_package, executed=False)
    except OSError:
        return None


def namespace_package(name: str, folder: str) -> Source:
    """The source of a package without `__init__`: nothing, which lies in its folder."""
    return Source(name, os.path.join(folder, ""), b"", is_package=True, executed=True)


def locate(name: str) -> Located | None:
    """Find a module as `import` would, without importing it or its parents.

    Returns None where the import system's own path finder does not find it.
    """
    parent, _, _ = name.rpartition(".")
    folders = _folders_of(parent) if parent else None
    if parent and folders is None:
        return None
    spec = _find_spec(name, folders)
    if spec is None:
        return None
    return Located(spec.origin or "", tuple(spec.submodule_search_locations or ()))


def _find_spec(name: str, folders: list[str] | None) -> ModuleSpec | None:
    # Finders of editable installs only look names up in a table; others might do anything.
    finders: list[Any] = [PathFinder, *filter(_is_of_editable_install, sys.meta_path)]
    for finder in finders:
        try:
            spec: ModuleSpec | None = finder.find_spec(name, folders)
        except (ImportError, ValueError, OSError):
            continue
        if spec is not None:
            return spec
    return None


def _is_of_editable_install(finder: object) -> bool:
    kind = finder if isinstance(finder, type) else type(finder)
    return kind.__module__.startswith(("__editable__", "_editable_"))


def _folders_of(package: str) -> list[str] | None:
    folders = loaded_folders(package)
    if folders:
        return folders
    located = locate(package)
    return list(located.folders) if located and located.folders else None


def loaded_folders(package: str) -> list[str]:
    """Return the folders of a loaded package; none where it is not loaded, or no package."""
    loaded = sys.modules.get(package)
    path = (namespace_of(loaded) or {}).get("__path__")
    return [] if path is None else [entry for entry in path if isinstance(entry, str)]


def namespace_folders(module: object) -> list[str]:
    """Return the folders of a loaded package without `__init__`; none for any other module."""
    namespace = namespace_of(module) or {}
    loader = getattr(namespace.get("__spec__"), "loader", None)
    return list(namespace.get("__path__", ())) if isinstance(loader, NamespaceLoader) else []


def submodules(folder: str) -> Iterator[tuple[str, str]]:
    """Yield (name, path) of the modules and packages directly inside `folder`."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        stem, extension = os.path.splitext(entry.name)
        if extension == ".py" and stem != "__init__":
            yield stem, entry.path
        elif os.path.isfile(os.path.join(entry.path, "__init__.py")):
            yield entry.name, os.path.join(entry.path, "__init__.py")


def file_of(module: object) -> str:
    """Return the path of a loaded module's source, or an empty string."""
    namespace = namespace_of(module) or {}
    spec = namespace.get("__spec__")
    origin = getattr(spec, "origin", None)
    if getattr(spec, "has_location", False) and isinstance(origin, str):
        return origin
    path = namespace.get("__file__")
    return os.path.abspath(path) if isinstance(path, str) else ""


def _process_start() -> float:
    """When this process started, in seconds since the epoch; never later than it really did."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        with open("/proc/uptime", "rb") as file:
            uptime = float(file.read().split()[0])
        age = uptime - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        age = time.process_time() + 1.0
    return time.time() - age - 0.05


PROCESS_START = _process_start()


def may_differ_from_executed(source: Source) -> bool:
    """Whether the file was written after this process started, so perhaps after it was loaded."""
    if source.executed:
        return False
    try:
        return os.stat(source.path).st_mtime >= PROCESS_START
    except OSError:
        return True


def compiled_functions(source: Source) -> frozenset[CodeType]:
    """Return every code object that compiling `source` gives; empty where it cannot be compiled."""
    try:
        with warnings_paused():
            # Only compared with live code objects, never executed.
            found = [compile(source.content, source.path, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    for code in found:
        found.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(found)
