"""Files that are whole or absent: the few steps that the store's writers share.

Owns the order of write, fsync, rename, fsync of the folder. Refuses to translate errors: every
function raises OSError.
"""

import os
import time
from collections.abc import Iterable, Iterator
from itertools import islice

UNFINISHED = ".part"
"""What the names of files begin with that are being written, or removed."""

# What Linux takes in one call of `writev`.
_BATCH = 1024


def fresh_name(prefix: str) -> str:
    """Return a name that starts with `prefix`, tells the time, and that nobody else makes."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return f"{prefix}-{stamp}-{os.urandom(4).hex()}"


def write_whole(
    path: str, pieces: Iterable[bytes | memoryview], *, first_wins: bool = False
) -> None:
    """Make `path` a file of `pieces`, on disk when it returns; whole or absent whatever happens.

    With `first_wins`, a file that is there stays.
    """
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, fresh_name(UNFINISHED))
    try:
        _write_synced(temporary, pieces)
        if first_wins:
            _put_first(temporary, path)
        else:
            os.replace(temporary, path)
    except BaseException:
        remove(temporary)
        raise
    # The new name is on disk once its folder is.
    sync_folder(folder)


def _put_first(temporary: str, path: str) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        remove(temporary)  # somebody was quicker
    except OSError:
        # A file system without hard links.
        os.replace(temporary, path)
    else:
        remove(temporary)


def make_folder(path: str) -> bool:
    """Whether the folder `path` had to be made, which then is on disk and nobody else's to read."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    sync_folder(os.path.dirname(path))
    return True


def sync_folder(path: str) -> None:
    """Bring the names in the folder `path` to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Remove the file `path`; an absent one does not matter."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _write_synced(path: str, pieces: Iterable[bytes | memoryview]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for batch in _batches(pieces):
            _write_all(descriptor, batch)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _batches(pieces: Iterable[bytes | memoryview]) -> Iterator[list[memoryview]]:
    views = (memoryview(piece) for piece in pieces if len(piece))
    while batch := list(islice(views, _BATCH)):
        yield batch


def _write_all(descriptor: int, views: list[memoryview]) -> None:
    while views:
        written = os.writev(descriptor, views)
        while views and written >= len(views[0]):
            written -= len(views.pop(0))
        if written:
            views[0] = views[0][written:]
