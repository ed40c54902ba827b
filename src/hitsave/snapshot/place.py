"""Placing: files are made in folders that are held open, so that nothing leads elsewhere.

Owns every step that writes outside the store. A name is taken inside a folder that is open, and no
symbolic link is followed on the way there: one that is planted between looking and writing makes
the step fail. Refuses to decide what is written where.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from hitsave.errors import HitsaveError, SnapshotError
from hitsave.snapshot.contents import Contents
from hitsave.snapshot.seen import State
from hitsave.store import Blob
from hitsave.store.blobs import reflink

Link = Literal["symlink", "copy", "reflink"]
LINKS = ("symlink", "copy", "reflink")

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def open_folder(base: str, inside: str = "", *, make: bool = True) -> Iterator[int]:
    """Give a descriptor of the folder `inside`, a path with `/`, below the folder `base`.

    Links may lead to `base`, and none is followed below it. Folders that are absent are made.
    """
    if make:
        os.makedirs(base, exist_ok=True)
    descriptor = os.open(os.path.realpath(base), _FOLDER)
    try:
        with folder_in(descriptor, inside, make=make) as found:
            yield found
    finally:
        os.close(descriptor)


@contextmanager
def folder_in(folder: int, inside: str, *, make: bool = False) -> Iterator[int]:
    """Give a descriptor of the folder `inside`, a path with `/`, below an open folder."""
    descriptor = os.dup(folder)
    try:
        for name in filter(None, inside.split("/")):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=descriptor)
            inner = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def status_in(folder: int, name: str) -> os.stat_result | None:
    """Return the status of a name in an open folder, itself and not what it leads to."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def way_to_restore(contents: Contents, mode: int, link: Link) -> Link:
    """Return how a file is restored that shall be restored as a link.

    An executable is copied: the file in the store has other permissions. So is everything where the
    store ends with this process.
    """
    is_copied = mode & 0o111 or not contents.can_be_linked
    return "copy" if link == "symlink" and is_copied else link


def make_file(
    contents: Contents, blob: Blob, mode: int, folder: int, name: str, link: Link
) -> None:
    """Make a new file or link with the content of `blob` in an open folder."""
    if link == "symlink":
        os.symlink(contents.path(blob), name, dir_fd=folder)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    with open(descriptor, "wb", buffering=0) as target:
        if not (link == "reflink" and _clone(contents, blob, target)):
            for piece in contents.pieces(blob):
                while piece:
                    piece = piece[target.write(piece) or 0 :]
        os.fchmod(descriptor, mode)


def _clone(contents: Contents, blob: Blob, target: object) -> bool:
    with open(contents.path(blob), "rb", buffering=0) as source:
        return reflink(source, target)  # type: ignore[arg-type]


def put_where_nothing_is(folder: int, made: str, target: int, name: str) -> bool:
    """Whether a new file could be given a name that nothing had."""
    try:
        os.link(made, name, src_dir_fd=folder, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links.
        if status_in(target, name) is not None:
            return False
        os.rename(made, name, src_dir_fd=folder, dst_dir_fd=target)
        return True
    os.unlink(made, dir_fd=folder)
    return True


def put_in_place_of(folder: int, made: str, target: int, name: str, known: os.stat_result) -> bool:
    """Whether a new file could take the place of one that is still as it was known to be."""
    now = status_in(target, name)
    if now is None or State.of(now) != State.of(known):
        return False
    os.replace(made, name, src_dir_fd=folder, dst_dir_fd=target)
    return True


def remove_in(folder: int, name: str) -> None:
    """Remove a file, or a folder with all that is in it, from an open folder."""
    pending = [name]
    while pending:
        path = pending[-1]
        with folder_in(folder, os.path.dirname(path)) as parent:
            status = status_in(parent, os.path.basename(path))
            inner = _names_to_empty(parent, path, status)
            if inner:
                pending += inner
                continue
            if status is not None and stat.S_ISDIR(status.st_mode):
                os.rmdir(os.path.basename(path), dir_fd=parent)
            elif status is not None:
                os.unlink(os.path.basename(path), dir_fd=parent)
        pending.pop()


def _names_to_empty(parent: int, path: str, status: os.stat_result | None) -> list[str]:
    """Return the paths of what is in a folder; nothing where it is empty, or none."""
    if status is None or not stat.S_ISDIR(status.st_mode):
        return []
    inner = os.open(os.path.basename(path), _FOLDER, dir_fd=parent)
    try:
        os.fchmod(inner, 0o700)
        return [f"{path}/{name}" for name in os.listdir(inner)]
    finally:
        os.close(inner)


@contextmanager
def translating(target: str) -> Iterator[None]:
    """Raise SnapshotError for what the system says while `target` is written."""
    try:
        yield
    except OSError as error:
        if isinstance(error, HitsaveError):
            raise
        reason = error.strerror or str(error)
        raise SnapshotError(f"{target} cannot be restored: {reason}.") from error
