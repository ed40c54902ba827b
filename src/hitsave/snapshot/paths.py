"""Paths: how the place of a snapshot is written down.

Owns that it is relative to the project, so that it means the same in another checkout. Refuses what
is no text.
"""

import os

from hitsave.errors import SnapshotError
from hitsave.session import current
from hitsave.snapshot.restore_file import Target
from hitsave.snapshot.tree import check_name, check_path

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


def whole_path(path: StrPath) -> str:
    """Return the absolute path that a user means, as the system understands it.

    Without links but for the last part, which may be one. Raises SnapshotError.
    """
    given = text_path(path)
    folder, name = os.path.split(given.rstrip(os.sep) or os.sep)
    try:
        if name in ("", os.curdir, os.pardir):
            whole = os.path.realpath(given)
        else:
            # Not `abspath`: what `link/..` is depends on where the link leads.
            whole = os.path.join(os.path.realpath(folder or os.curdir), name)
    except OSError as error:
        raise SnapshotError(f"{given} leads nowhere: {error.strerror}.") from error
    return check_name(whole)


def recorded_path(whole: str) -> str:
    """Return a path as `whole_path` gives it, relative to the root of the project.

    Outside of that, it is returned as it is.
    """
    root = os.path.realpath(current().root or os.curdir)
    if os.path.commonpath([root, whole]) != root:
        return whole
    return os.path.relpath(whole, root).replace(os.sep, "/")


def place_in_project(path: str) -> Target:
    """Return where something is restored that was snapped at `path`, as it was written down.

    Raises SnapshotError where that is outside of the project: whoever wrote it down may be
    somebody else.
    """
    if path == ROOT:
        return Target.at(os.path.realpath(current().root))
    if os.path.isabs(path):
        raise SnapshotError(
            f"{path} is outside of the project, and is not restored there unasked.",
            "say where with restore_at(path)",
        )
    return Target(current().root, check_path(path))
