"""Objects: bytes by digest, each in a file of its own.

Owns the folder of objects: writing so that a file is whole or absent, reading only what its digest
vouches for, setting aside what is damaged. Refuses to know what refers to an object.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from mmap import ACCESS_COPY, mmap
from stat import S_ISREG
from typing import NamedTuple
from weakref import WeakSet

from hitsave.digest import Digest
from hitsave.events import warn
from hitsave.store.disk import fresh_name, make_folder, sync_folder, write_whole
from hitsave.store.framing import Part, digest_frame, digest_framed, frame
from hitsave.store.held import Held, delete_unused, held_in, note_use

LIVE_MAPPINGS = 128
"""How many mappings may be alive that each keep a file descriptor; more are read into memory."""


class Stamp(NamedTuple):
    """What tells a file that was verified from one that took its place or was written to."""

    device: int
    inode: int
    size: int
    modified: int


class ObjectFiles:
    """The objects under `folder`; damaged ones are moved to `quarantine`.

    Methods raise OSError, which the caller translates.
    """

    def __init__(self, folder: str, quarantine: str) -> None:
        self._folder = folder
        self._quarantine = quarantine
        self.damaged = 0
        self._verified: dict[Digest, Stamp] = {}
        self._live: WeakSet[mmap] = WeakSet()

    def write(self, parts: Sequence[Part]) -> Digest:
        """Store `parts` and return the object's digest; on disk when it returns."""
        digest = digest_frame(parts)
        path = self._path(digest)
        make_folder(os.path.dirname(path))
        if not _refresh(path, sum(map(len, frame(parts)))):
            write_whole(path, frame(parts))
        return digest

    def read(self, digest: Digest) -> memoryview | None:
        """Return a private mapping of the object, or None where it is absent or damaged."""
        path = self._path(digest)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        try:
            view = self._map(descriptor, digest)
            if view is not None:
                # A store that may only be read is not collected either.
                with suppress(OSError):
                    note_use(path, os.fstat(descriptor))
        finally:
            os.close(descriptor)
        if view is None:
            self._set_aside(path, digest)
        return view

    def held(self) -> Iterator[Held]:
        """Yield what objects there are."""
        return held_in(self._folder)

    def delete(self, digest: Digest, used: int | None) -> bool:
        """Whether an object was there and is removed: not if it was used after `used`."""
        self._verified.pop(digest, None)
        return delete_unused(self._path(digest), used)

    def age(self, held: Held, used: int) -> None:
        """Let an object be as if last used at an earlier time, unless it was used since."""
        path = self._path(held.digest)
        with suppress(FileNotFoundError):
            status = os.lstat(path)
            if status.st_atime_ns == held.used:
                os.utime(path, ns=(used, status.st_mtime_ns), follow_symlinks=False)

    def _map(self, descriptor: int, digest: Digest) -> memoryview | None:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode) or status.st_size == 0:
            return None
        view = memoryview(self._mapping(descriptor, status.st_size))
        stamp = Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._verified.get(digest) != stamp:
            if digest_framed(view) != digest:
                return None
            self._verified[digest] = stamp
        return view

    def _mapping(self, descriptor: int, size: int) -> mmap:
        if sys.version_info >= (3, 13):
            return mmap(descriptor, size, access=ACCESS_COPY, trackfd=False)
        # A mapping keeps a copy of the descriptor before 3.13. A program that holds a thousand
        # results must not run out of files because of it.
        if len(self._live) < LIVE_MAPPINGS:
            mapping = mmap(descriptor, size, access=ACCESS_COPY)
            self._live.add(mapping)
            return mapping
        return _read_whole(descriptor, size)

    def _set_aside(self, path: str, digest: Digest) -> None:
        self.damaged += 1
        self._verified.pop(digest, None)
        warn(
            "damaged-object",
            f"A stored result is damaged ({path}); it is set aside and computed again.",
            f"damaged files are kept in {self._quarantine}",
        )
        os.makedirs(self._quarantine, mode=0o700, exist_ok=True)
        os.replace(path, os.path.join(self._quarantine, fresh_name(digest.hex())))

    def _path(self, digest: Digest) -> str:
        name = digest.hex()
        return f"{self._folder}/{name[:2]}/{name[2:]}"


def _read_whole(descriptor: int, size: int) -> mmap:
    mapping = mmap(-1, size)
    view = memoryview(mapping)
    position = 0
    # A file that became shorter leaves zeros, which its digest does not vouch for.
    while count := os.readv(descriptor, [view[position:]]) if position < size else 0:
        position += count
    return mapping


def _refresh(path: str, size: int) -> bool:
    """Whether the object is there already; if so it counts as used now, and is on disk."""
    try:
        status = os.stat(path, follow_symlinks=False)
        if not S_ISREG(status.st_mode) or status.st_size != size:
            return False
        # The time of access tells the collector; the other is part of the stamp.
        os.utime(path, ns=(time.time_ns(), status.st_mtime_ns))
    except FileNotFoundError:
        return False
    sync_folder(os.path.dirname(path))
    return True
