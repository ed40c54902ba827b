"""Files: the modules that lie in a workspace, by path and by name.

Owns which files there are and what each is imported as. Refuses to read them.
"""

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hitsave.code.external import Boundary

SOURCES = (".py", ".pyw")


class File(NamedTuple):
    """A source file, the name it is imported as, and the folder that this name starts from."""

    path: str
    module: str
    folder: str


def file_at(path: str) -> File:
    """Return what the source file at `path` is imported as.

    That is its own name, as for a script, or the full name where it lies in packages.
    """
    path = os.path.abspath(path)
    folder, base = os.path.split(path)
    stem = os.path.splitext(base)[0]
    steps = [] if stem == "__init__" else [stem]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        steps.insert(0, package)
    return File(path, ".".join(steps), folder)


def files_under(root: str) -> Iterator[File]:
    """Yield every source file of the project under `root`."""
    boundary = Boundary(root)
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_searched(os.path.join(folder, name)))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(SOURCES) and boundary.is_project(path):
                yield file_at(path)


def _is_searched(folder: str) -> bool:
    name = os.path.basename(folder)
    if name.startswith(".") or name in ("__pycache__", "node_modules"):
        return False
    return not os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def search_path(folder: str, root: str) -> list[str]:
    """Return the folders that a project's modules are looked for in, for a program in `folder`."""
    source = os.path.join(root, "src")
    found = [folder, root, *([source] if os.path.isdir(source) else [])]
    return list(dict.fromkeys(found))


@contextmanager
def searching(folders: Iterable[str]) -> Iterator[None]:
    """Let modules be found in `folders` first, as a program that starts there finds them."""
    before = list(sys.path)
    sys.path[:0] = folders
    # A file that is newer than its folder's listing would not be found.
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before
