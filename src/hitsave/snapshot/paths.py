"""Paths: how the place of a snapshot is written down.

Owns that it is relative to the project, so that it means the same in another checkout. Refuses what
is no text.
"""

import os

from hitsave.errors import SnapshotError
from hitsave.session import current
from hitsave.snapshot.restore import Target
from hitsave.snapshot.tree import check_path

ROOT = "."
"""How the root of the project itself is written down."""

StrPath = str | os.PathLike[str]


def text_path(path: StrPath) -> str:
    """Return a path as text. Raises SnapshotError for bytes, and for what is no text."""
    found: object = os.fspath(path)
    if not isinstance(found, str):
        raise SnapshotError(f"The path {found!r} is no text.", "use os.fsdecode")
    if not found:
        raise SnapshotError("A path is empty.")
    try:
        found.encode()
    except UnicodeEncodeError:
        raise SnapshotError(f"The path {found!r} is no text.", "rename the file") from None
    if "\0" in found:
        raise SnapshotError(f"The path {found!r} holds a zero byte.")
    return found


def recorded_path(whole: str) -> str:
    """Return an absolute path relative to the root of the project, or itself where it is outside.

    The last part may be a link, which is not followed.
    """
    root = os.path.realpath(current().root or os.curdir)
    whole = os.path.join(os.path.realpath(os.path.dirname(whole)), os.path.basename(whole))
    if os.path.commonpath([root, whole]) != root:
        return whole
    return os.path.relpath(whole, root).replace(os.sep, "/")


def place_in_project(path: str) -> Target:
    """Return where something is restored that was snapped at `path`, as it was written down.

    Raises SnapshotError where that is outside of the project: whoever wrote it down may be
    somebody else.
    """
    if path == ROOT:
        return Target.at(current().root)
    if os.path.isabs(path):
        raise SnapshotError(
            f"{path} is outside of the project, and is not restored there unasked.",
            "say where with restore_at(path)",
        )
    return Target(current().root, check_path(path))
