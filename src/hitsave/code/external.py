"""Externals: what is outside the project, and by which version it counts.

Owns the boundary between project code and everything else, and the identity of distributions.
Refuses to read the source of external code.
"""

import os
import sys
from types import ModuleType
from typing import NamedTuple

from hitsave.digest import digest_bytes, short

ENVIRONMENT_FOLDERS = frozenset({"site-packages", "dist-packages"})
PYTHON = "python {}.{}".format(*sys.version_info[:2]) + "-O" * sys.flags.optimize
"""What every code digest names: the minor version, and whether assertions are compiled away."""


class Distribution(NamedTuple):
    """An installed distribution, with the digest of its file list where its version says little."""

    name: str
    version: str
    record: str

    def token(self, sensitivity: str) -> str:
        """The text by which it counts, for a sensitivity of none, major, minor or patch."""
        if sensitivity == "none":
            return ""
        parts = self.version.split(".")
        kept = {"major": 1, "minor": 2}.get(sensitivity, len(parts))
        return "+".join(filter(None, (".".join(parts[:kept]), self.record)))


class Boundary:
    """Tells project source from everything else, by path."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root) if root else ""
        self._standard = {os.path.realpath(os.path.dirname(os.__file__))}
        self._own = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
        self._folders: dict[str, bool] = {}

    def is_project(self, path: str) -> bool:
        """Whether the source at `path` is project code.

        That is: under the workspace root, or anywhere else that is neither the standard library
        nor an environment (a checkout next door, an editable install).
        """
        folder = os.path.dirname(path)
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._is_project_folder(folder)
        return known

    def _is_project_folder(self, folder: str) -> bool:
        if not folder or folder.startswith("<"):
            return False
        real = os.path.realpath(folder)
        if _is_within(real, self._own):
            return False
        parts = real.split(os.sep)
        if ENVIRONMENT_FOLDERS.intersection(parts):
            return False
        if any(_is_within(real, folder) for folder in self._standard):
            return False
        if self.root and _is_within(real, self.root):
            return not self._in_environment(real, self.root)
        return not self._in_environment(real, "") and not _holds_distributions(real)

    def _in_environment(self, folder: str, stop: str) -> bool:
        """Whether a folder between `folder` and `stop` is a virtual environment."""
        while folder != stop:
            if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
                return True
            parent = os.path.dirname(folder)
            if parent == folder:
                return False
            folder = parent
        return False


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _holds_distributions(folder: str) -> bool:
    """Whether `folder`, or the import root above it, is where distributions were installed.

    `pip install --target` leaves `*.dist-info` beside the packages.
    """
    for entry in sys.path:
        real = os.path.realpath(entry or os.curdir)
        if _is_within(folder, real) and _metadata_folders(real):
            return True
    return False


def _metadata_folders(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))


class Distributions:
    """Finds the distribution that a top-level module comes from.

    Reads the metadata folders itself: `importlib.metadata` costs 35 ms to import.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Distribution, ...]] = {}
        self._claims: dict[str, dict[str, list[str]]] = {}

    def of(self, module: str) -> tuple[Distribution, ...]:
        """Return the distributions that provide the top-level package of `module`."""
        top = module.partition(".")[0]
        found = self._known.get(top)
        if found is None:
            found = self._known[top] = self._find(top)
        return found

    def _find(self, top: str) -> tuple[Distribution, ...]:
        if is_standard(top):
            return ()
        for entry in sys.path:
            folder = entry or os.curdir
            names = _metadata_folders(folder)
            if not names or not _provides(folder, top):
                continue
            claims = self._claims_in(folder, names).get(top, ())
            found = tuple(_distribution(os.path.join(folder, name)) for name in claims)
            if found:
                return found
        return (_undistributed(top),)

    def _claims_in(self, folder: str, names: list[str]) -> dict[str, list[str]]:
        claims = self._claims.get(folder)
        if claims is None:
            claims = self._claims[folder] = {}
            for name in names:
                for top in _top_levels(os.path.join(folder, name)):
                    claims.setdefault(top, []).append(name)
        return claims


def is_standard(top: str) -> bool:
    """Whether a top-level module is of the standard library, which Python's version covers."""
    return top in sys.stdlib_module_names or top in ("__main__", "hitsave")


def _provides(folder: str, top: str) -> bool:
    if os.path.isdir(os.path.join(folder, top)):
        return True
    try:
        return any(name.startswith(top + ".") for name in os.listdir(folder))
    except OSError:
        return False


def _top_levels(metadata: str) -> set[str]:
    record = _read(os.path.join(metadata, "RECORD")) or _read(os.path.join(metadata, "SOURCES.txt"))
    tops = set(_read(os.path.join(metadata, "top_level.txt")).split())
    for line in record.splitlines():
        first = line.partition(",")[0].strip('"').partition("/")[0]
        tops.add(first.partition(".")[0])
    return tops


def _distribution(metadata: str) -> Distribution:
    name, version = "", ""
    text = _read(os.path.join(metadata, "METADATA")) or _read(os.path.join(metadata, "PKG-INFO"))
    for line in text.splitlines():
        if not line:
            break
        key, _, value = line.partition(":")
        if key == "Name":
            name = value.strip()
        elif key == "Version":
            version = value.strip()
    local = os.path.exists(os.path.join(metadata, "direct_url.json"))
    record = _read(os.path.join(metadata, "RECORD")) if local else ""
    digest = short(digest_bytes(record.encode())) if record else ""
    return Distribution(name or os.path.basename(metadata), version, digest)


def _undistributed(top: str) -> Distribution:
    """A module that no distribution claims counts by its own file."""
    module = sys.modules.get(top)
    namespace = vars(module) if isinstance(module, ModuleType) else {}
    path = namespace.get("__file__")
    content = b""
    if isinstance(path, str) and os.path.isfile(path):
        with open(path, "rb") as file:
            content = file.read()
    version = namespace.get("__version__", "")
    return Distribution(
        top, version if isinstance(version, str) else "", short(digest_bytes(content))
    )


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
