"""Locations: which paths an evaluation can depend on.

Owns the rule by place: the project counts, Python and its packages do not (they count by their
versions), nor does what the system makes up on reading. Refuses to look at the disk.
"""

import os
import sys
from typing import Any

from hitsave.observe.places import Places

_MADE_UP = tuple(os.path.join(os.sep, name, "") for name in ("proc", "dev", "sys"))
_PACKAGES = frozenset({"site-packages", "dist-packages"})


def _folders_of_python() -> tuple[str, ...]:
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}
    # A prefix of "/" would say nothing.
    return tuple(os.path.join(folder, "") for folder in folders if folder.strip(os.sep))


_PYTHON = _folders_of_python()


def absolute(path: object) -> str:
    """Return a path, given as a program gives it, as absolute text; empty where it is none."""
    text = path if isinstance(path, str) else _text_of(path)
    return os.path.abspath(text) if "\0" not in text and text else ""


def _text_of(path: Any) -> str:
    try:
        return os.fsdecode(path)
    except Exception:
        # The call that it was given to fails in the same way.
        return ""


def is_in_project(folder: str, places: Places) -> bool:
    """Whether code in `folder` would be project code."""
    return not _is_made_up(folder) and places.holds(os.path.join(folder, "_.py"))


def counts(path: str, folder: str, places: Places) -> bool:
    """Whether an evaluation can depend on `path`, which lies in `folder` or is it."""
    if _is_made_up(folder):
        return False
    return is_in_project(folder, places) or not _is_of_environment(path)


def _is_made_up(folder: str) -> bool:
    return os.path.join(folder, "").startswith(_MADE_UP)


def _is_of_environment(path: str) -> bool:
    """Whether `path` belongs to Python, an installed package, or what tools keep out of sight."""
    if os.path.join(path, "").startswith(_PYTHON):
        return True
    parts = path.split(os.sep)
    return not _PACKAGES.isdisjoint(parts) or any(part.startswith(".") for part in parts)
