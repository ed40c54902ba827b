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


def is_linked(contents: Contents, blob: Blob, mode: int, link: Link) -> bool:
    """Whether a file is restored as a link to the store.

    One that is executable is not: the store's file has other permissions. Nor is a small one that
    lies in a pack.
    """
    return link == "symlink" and not mode & 0o111 and contents.is_file(blob)


def make_file(
    contents: Contents, blob: Blob, mode: int, folder: int, name: str, link: Link
) -> None:
    """Make a new file or link with the content of `blob` in an open folder."""
    if is_linked(contents, blob, mode, link):
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


def put_in_place(folder: int, temporary: str, target: int, name: str) -> None:
    """Let a new file take the place of `name`, at once, whatever file or link that is."""
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=target)


def remove_in(folder: int, name: str) -> None:
    """Remove a file, or a folder with all that is in it, from an open folder."""
    status = status_in(folder, name)
    if status is None:
        return
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=folder)
        return
    inner = os.open(name, _FOLDER, dir_fd=folder)
    try:
        os.fchmod(inner, 0o700)
        for entry in os.listdir(inner):
            remove_in(inner, entry)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=folder)


@contextmanager
def translating(target: str) -> Iterator[None]:
    """Raise SnapshotError for what the system says while `target` is written."""
    try:
        yield
    except OSError as error:
        if isinstance(error, HitsaveError):
            raise
        reason = error.strerror or str(error)
        raise SnapshotError(
            f"{target} cannot be restored: {reason}.", "it is as it was before"
        ) from error
