"""Folders in the store that hold a snapshot, to be read where they are.

Owns that one that is there holds what it says: files in it cannot be written to by accident, and
one that was changed all the same is made anew. Refuses to be a place to work in.
"""

import os
import stat
from collections.abc import Sequence

from hitsave.snapshot.keep import Keeper
from hitsave.snapshot.place import folder_in, open_folder, remove_in
from hitsave.snapshot.restore import Target
from hitsave.snapshot.restore_folder import How, restore_folder
from hitsave.snapshot.tree import Entry
from hitsave.store import Blob

_WRITE = 0o222


def readable_folder(keeper: Keeper, digest: str, entries: Sequence[Entry]) -> str:
    """Return the path of a folder that holds the entries, made where it is absent or changed."""
    base = keeper.store.folder_of_trees()
    path = os.path.join(base, digest)
    fixed = [_read_only(entry) for entry in entries]
    if not _is_whole(keeper, path, fixed):
        with open_folder(base) as folder:
            remove_in(folder, digest)
        restore_folder(keeper, fixed, Target(base, digest), How("symlink", True, mirror=True))
        _stamp(path, fixed)
    return path


def _read_only(entry: Entry) -> Entry:
    return entry._replace(mode=entry.mode & ~_WRITE | 0o400 | (0o100 if entry.is_folder else 0))


def _stamp(path: str, entries: Sequence[Entry]) -> None:
    """Give copies a time that a change of theirs would alter."""
    with open_folder(path) as folder:
        for entry in entries:
            with folder_in(folder, entry.path.rpartition("/")[0]) as inner:
                name = entry.path.rpartition("/")[2]
                if stat.S_ISREG(os.stat(name, dir_fd=inner, follow_symlinks=False).st_mode):
                    os.utime(name, ns=(0, 0), dir_fd=inner, follow_symlinks=False)


def _is_whole(keeper: Keeper, path: str, entries: Sequence[Entry]) -> bool:
    """Whether everything is there and as it was made."""
    try:
        return all(_is_as_made(keeper, os.path.join(path, entry.path), entry) for entry in entries)
    except OSError:
        return False


def _is_as_made(keeper: Keeper, path: str, entry: Entry) -> bool:
    status = os.lstat(path)
    if entry.is_folder:
        return stat.S_ISDIR(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        return (status.st_size, status.st_mtime_ns) == (entry.size, 0)
    return keeper.contents.linked(path) == Blob(entry.digest, entry.size)
