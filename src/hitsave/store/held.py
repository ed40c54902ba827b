"""Held: the files of a store that go by digest, and when each was last used.

Owns telling one that is used again from one that nobody has asked for since, so that the first is
never removed. Refuses to know what refers to them.

A file's time of access says when it was used: it is set where a writer finds that what it would
write is there already, and about to be referred to.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from stat import S_ISREG
from typing import NamedTuple

from hitsave.digest import SIZE, Digest
from hitsave.store.disk import UNFINISHED, fresh_name, remove

OFTEN = 3600 * 10**9
"""For how many nanoseconds a use is not noted again."""


class Held(NamedTuple):
    """A file of the store: `size` is in bytes, `used` in nanoseconds since the epoch."""

    digest: Digest
    size: int
    used: int


def held_in(folder: str) -> Iterator[Held]:
    """Yield the files by digest in `folder`. Raises OSError where it cannot be read."""
    for name in _names(folder):
        if len(name) != 2:
            continue
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            os.scandir(f"{folder}/{name}") as found,
        ):
            for entry in found:
                digest = _digest(name + entry.name)
                status = None if digest is None else _status(entry)
                if digest is not None and status is not None:
                    yield Held(digest, status.st_size, status.st_atime_ns)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _digest(digits: str) -> Digest | None:
    try:
        digest = bytes.fromhex(digits)
    except ValueError:
        return None
    return digest if len(digest) == SIZE else None


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status if S_ISREG(status.st_mode) else None


def note_use(path: str, status: os.stat_result) -> None:
    """Note that a file of that status is about to be referred to.

    Raises FileNotFoundError where it has just been removed, and OSError where it cannot be noted.
    """
    now = time.time_ns()
    if abs(now - status.st_atime_ns) > OFTEN:
        os.utime(path, ns=(now, status.st_mtime_ns), follow_symlinks=False)


def delete_unused(path: str, used: int | None) -> bool:
    """Whether the file `path` was there and is removed: not if it was used after `used`."""
    aside = os.path.join(os.path.dirname(path), fresh_name(UNFINISHED))
    try:
        # Under another name nobody can begin to use it; who did before, has left a trace.
        os.rename(path, aside)
    except FileNotFoundError:
        return False
    if used is not None and os.lstat(aside).st_atime_ns != used:
        _put_back(aside, path)
        return False
    remove(aside)
    return True


def _put_back(aside: str, path: str) -> None:
    try:
        os.link(aside, path)
    except FileExistsError:
        remove(aside)  # somebody has written it again
    except OSError:
        # A file system without hard links. What is by the same digest is the same.
        os.rename(aside, path)
    else:
        remove(aside)


def delete_unfinished(folder: str, before: int) -> None:
    """Remove unfinished files in `folder` and in the folders inside, as old as that."""
    for name in _names(folder):
        path = os.path.join(folder, name)
        if name.startswith(UNFINISHED):
            with suppress(FileNotFoundError, IsADirectoryError):
                if os.lstat(path).st_ctime_ns < before:
                    os.unlink(path)
        elif len(name) == 2 and os.path.isdir(path):
            delete_unfinished(path, before)
