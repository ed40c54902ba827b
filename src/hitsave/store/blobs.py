"""Blobs: the bytes of files by digest, each as a read-only file that links can lead to.

Owns the folder of blobs: copying so that what is digested is what is kept, handing out the path of
a file only while its digest vouches for it, setting aside what is damaged. Refuses to know which
snapshots a blob belongs to.
"""

import os
import time
from collections.abc import Iterator
from io import FileIO, RawIOBase
from stat import S_IMODE, S_ISDIR, S_ISREG
from typing import BinaryIO, NamedTuple

from blake3 import blake3

from hitsave.digest import SIZE, Digest
from hitsave.events import warn
from hitsave.store.disk import UNFINISHED, fresh_name, make_folder, remove, sync_folder
from hitsave.store.files import Stamp
from hitsave.store.held import Held, delete_unused, held_in, note_use

CHUNK = 1 << 20
"""How many bytes of a file are in memory at a time."""

READ_ONLY = 0o444

UNTOUCHED = 1_000_000_000
"""The time of the last change that a blob is given, in nanoseconds: writing to it shows."""

_CLONE = 0x40049409
"""What Linux calls FICLONE; Python names it from 3.14 on."""


class Blob(NamedTuple):
    """A digest of some bytes, and how many there are."""

    digest: Digest
    size: int


class BlobFiles:
    """The blobs under `folder`; damaged ones are moved to `quarantine`.

    Methods raise OSError, which the caller translates.
    """

    def __init__(self, folder: str, quarantine: str) -> None:
        self.folder = folder
        self.damaged = 0
        self._quarantine = quarantine
        self._verified: dict[Digest, Stamp] = {}

    def write(self, source: BinaryIO) -> Blob:
        """Keep what is left to read of `source`; on disk when it returns."""
        make_folder(self.folder)
        temporary = os.path.join(self.folder, fresh_name(UNFINISHED))
        try:
            blob = _copy(source, temporary)
            # Also where there is one: this copy is known to be whole.
            self._adopt(temporary, blob.digest)
        except BaseException:
            remove(temporary)
            raise
        return blob

    def has(self, blob: Blob) -> bool:
        """Whether there is a file of that name and size that nobody wrote to since it was kept.

        Only `path` reads it.
        """
        try:
            status = os.lstat(self._path(blob.digest))
        except FileNotFoundError:
            return False
        is_whole = S_ISREG(status.st_mode) and status.st_size == blob.size
        if not is_whole or status.st_mtime_ns != UNTOUCHED:
            return False
        return _is_still_there(self._path(blob.digest), status)

    def path(self, digest: Digest) -> str | None:
        """Return the path of a blob, which nobody may write to; None where there is none.

        The file is read once in a process, and again when it has been touched. Of another content
        than its digest says, it is set aside.
        """
        path = self._path(digest)
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return None
        if len(digest) != SIZE or S_ISDIR(status.st_mode):
            return None
        stamp = Stamp(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if self._verified.get(digest) != stamp:
            if not S_ISREG(status.st_mode) or digest_file(path).digest != digest:
                self._set_aside(path, digest)
                return None
            if S_IMODE(status.st_mode) != READ_ONLY or status.st_mtime_ns != UNTOUCHED:
                _finish(path)
                stamp = stamp._replace(modified=UNTOUCHED)
            self._verified[digest] = stamp
        return path if _is_still_there(path, status) else None

    def location(self, digest: Digest) -> str:
        """Return where a blob would be."""
        return self._path(digest)

    def held(self) -> Iterator[Held]:
        """Yield what blobs there are."""
        return held_in(self.folder)

    def delete(self, digest: Digest, used: int | None) -> bool:
        """Whether a blob was there and is removed: not if it was used after `used`."""
        self._verified.pop(digest, None)
        return delete_unused(self._path(digest), used)

    def _adopt(self, temporary: str, digest: Digest) -> None:
        path = self._path(digest)
        make_folder(os.path.dirname(path))
        os.replace(temporary, path)
        sync_folder(os.path.dirname(path))

    def _set_aside(self, path: str, digest: Digest) -> None:
        self.damaged += 1
        self._verified.pop(digest, None)
        warn(
            "damaged-blob",
            f"A stored file is damaged ({path}); it is set aside.",
            f"damaged files are kept in {self._quarantine}",
        )
        os.makedirs(self._quarantine, mode=0o700, exist_ok=True)
        os.replace(path, os.path.join(self._quarantine, fresh_name(digest.hex())))

    def _path(self, digest: Digest) -> str:
        name = digest.hex()
        return f"{self.folder}/{name[:2]}/{name[2:]}"


def _is_still_there(path: str, status: os.stat_result) -> bool:
    """Whether a blob is there of which it is noted that it is used."""
    try:
        note_use(path, status)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # a store that may only be read is not collected either
    return True


def digest_file(path: str) -> Blob:
    """Return the digest and the size of a file's content, of which little is in memory."""
    with open(path, "rb", buffering=0) as source:
        return digest_rest(source)


def digest_rest(source: BinaryIO, likely: int = CHUNK) -> Blob:
    """Return the digest and the size of what is left to read of `source`: `likely` bytes."""
    hasher, size = blake3(), 0
    for piece in pieces(source, likely):
        hasher.update(piece)
        size += len(piece)
    return Blob(hasher.digest(), size)


def _copy(source: BinaryIO, path: str) -> Blob:
    """Copy what is left of `source` to a new file; the digest is of what that holds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "r+b", buffering=0) as target:
        # Sharing the blocks, where the file system can, costs neither time nor room.
        blob = digest_rest(target) if reflink(source, target) else _transfer(source, target)
        _finish(descriptor)
        os.fsync(descriptor)
    return blob


def _finish(file: int | str) -> None:
    os.chmod(file, READ_ONLY)
    os.utime(file, ns=(time.time_ns(), UNTOUCHED))


def _transfer(source: BinaryIO, target: RawIOBase) -> Blob:
    hasher, size = blake3(), 0
    for piece in pieces(source):
        hasher.update(piece)
        size += len(piece)
        while piece:
            piece = piece[target.write(piece) or 0 :]
    return Blob(hasher.digest(), size)


def reflink(source: object, target: RawIOBase) -> bool:
    """Whether `target` could be made to share all the blocks of the file `source`."""
    if not isinstance(source, FileIO) or source.tell():
        return False
    try:
        import fcntl  # not on every platform

        fcntl.ioctl(target.fileno(), _CLONE, source.fileno())
    except (ImportError, OSError):
        return False  # most file systems cannot
    return True


def pieces(source: BinaryIO, size: int = CHUNK) -> Iterator[memoryview]:
    """Yield what is left to read of `source`, up to `size` at once; each is good until the next."""
    buffer = memoryview(bytearray(min(size + 1, CHUNK)))
    while count := source.readinto(buffer):  # type: ignore[attr-defined]
        yield buffer[:count]
