"""Externals: what is outside the project, and by which version it counts.

Owns the boundary between project code and everything else, and the identity of distributions.
Refuses to read the source of external code.
"""

import os
import sys
from importlib.machinery import PathFinder
from typing import NamedTuple

from hitsave.digest import digest_bytes, digest_parts, short
from hitsave.raw import namespace_of

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
        nor an environment nor where distributions were installed (a checkout next door, an
        editable install).
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
    for entry in map(str, sys.path):
        real = os.path.realpath(entry or os.curdir)
        if _is_within(folder, real) and _metadata_folders(real):
            return True
    return False


def _metadata_folders(folder: str) -> list[str]:
    return [name for name in _names_in(folder) if _is_installed(folder, name)]


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_installed(folder: str, name: str) -> bool:
    """Whether `name` says that a distribution was installed here.

    An `*.egg-info` beside a checkout's packages says so only where it lists installed files; a
    build leaves one there too.
    """
    if name.endswith(".dist-info"):
        return True
    if not name.endswith(".egg-info"):
        return False
    in_environment = not ENVIRONMENT_FOLDERS.isdisjoint(os.path.realpath(folder).split(os.sep))
    return in_environment or os.path.exists(os.path.join(folder, name, "installed-files.txt"))


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
        found: dict[str, Distribution] = {}
        for entry in map(str, sys.path):
            folder = entry or os.curdir
            if not _provides(folder, top):
                continue
            for name in self._claims_in(folder).get(top, ()):
                found.setdefault(name, _distribution(os.path.join(folder, name)))
            if not _is_namespace(folder, top):
                break
        return tuple(found.values()) or (_undistributed(top),)

    def _claims_in(self, folder: str) -> dict[str, list[str]]:
        """The metadata folders in `folder`, by the top-level modules that each provides."""
        claims = self._claims.get(folder)
        if claims is None:
            claims = self._claims[folder] = {}
            for name in _metadata_folders(folder):
                for top in _top_levels(os.path.join(folder, name)):
                    claims.setdefault(top, []).append(name)
        return claims


def is_standard(top: str) -> bool:
    """Whether a top-level module is of the standard library, which Python's version covers."""
    return top in sys.stdlib_module_names or top in ("__main__", "hitsave")


def _provides(folder: str, top: str) -> bool:
    return any(name == top or name.startswith(top + ".") for name in _names_in(folder))


def _is_namespace(folder: str, top: str) -> bool:
    """Whether `top` is a package without `__init__`, which may go on in other folders."""
    package = os.path.join(folder, top)
    if not os.path.isdir(package):
        return False
    return not any(name.startswith("__init__.") for name in _names_in(package))


def _top_levels(metadata: str) -> set[str]:
    record = _read(os.path.join(metadata, "RECORD")) or _read(os.path.join(metadata, "SOURCES.txt"))
    tops = set(_read(os.path.join(metadata, "top_level.txt")).split())
    for line in record.splitlines():
        first = line.partition(",")[0].strip('"').partition("/")[0]
        tops.add(first.partition(".")[0])
    # System packagers leave out both files; then the name has to do.
    return tops or {os.path.basename(metadata).partition("-")[0].partition(".")[0]}


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
    return Distribution(name or os.path.basename(metadata), version, _local_record(metadata))


def _local_record(metadata: str) -> str:
    """The digest of the code of a local or VCS install, whose version stays while it changes."""
    if not os.path.exists(os.path.join(metadata, "direct_url.json")):
        return ""
    own = os.path.basename(metadata) + "/"
    lines = _read(os.path.join(metadata, "RECORD")).splitlines()
    # Scripts and the installer's own files name the environment's path.
    kept = [line for line in lines if not line.startswith(("../", own))]
    code = sorted(line for line in kept if ".pyc," not in line)
    return short(digest_bytes("\n".join(code).encode())) if code else ""


def _undistributed(top: str) -> Distribution:
    """A module that no distribution claims counts by its own files."""
    module = sys.modules.get(top)
    namespace = namespace_of(module) or {}
    version = namespace.get("__version__", "")
    digest = digest_parts("files", [part for file in _files_of(top) for part in file])
    return Distribution(top, version if isinstance(version, str) else "", short(digest))


def _files_of(top: str) -> list[tuple[bytes, bytes]]:
    """The relative names and contents of a module's file, or of all code in a package."""
    spec = PathFinder.find_spec(top)
    if spec is None:
        return []
    if not spec.submodule_search_locations:
        return [(os.path.basename(spec.origin or "").encode(), _content(spec.origin or ""))]
    found = []
    for folder in spec.submodule_search_locations:
        for parent, _, names in os.walk(folder):
            for name in names:
                if name.endswith(_CODE):
                    path = os.path.join(parent, name)
                    found.append((os.path.relpath(path, folder).encode(), _content(path)))
    return sorted(found)


_CODE = (".py", ".so", ".pyd")


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
