"""Surroundings: how what lies outside the code is digested, now or as an evaluation saw it.

Owns the digests of files, folders, paths and environment variables. Refuses to decide which count.
"""

import os
import stat
import time
from collections.abc import Callable
from typing import NamedTuple

from blake3 import blake3

from hitsave.code.symbol import Facet
from hitsave.digest import Digest, digest_bytes, digest_parts

NOTHING: Digest = b""
"""The digest of what is not there."""

RACY = 50_000_000
"""A file changed this recently, in nanoseconds, may change again without its time showing it."""

_CHUNK = 1 << 20


class Signature(NamedTuple):
    """What tells two states of a file apart without reading it.

    `changed` can be set back, as unpacking an archive does; `altered` cannot. Both in nanoseconds.
    """

    inode: int
    size: int
    changed: int
    altered: int
    mode: int


_contents: dict[str, tuple[Signature, Digest]] = {}


def signature(path: str) -> Signature | None:
    """Return the signature of what is at `path`; None where nothing is."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return Signature(
        status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode
    )


def is_racy(found: Signature | None) -> bool:
    """Whether the same signature may come to stand for something else."""
    return found is not None and found.altered > time.time_ns() - RACY


def content_digest(path: str) -> Digest:
    """Return the digest of a file's bytes; NOTHING where there is none.

    A folder, a pipe or a file that cannot be read in its place counts as that.
    """
    found = signature(path)
    if found is None:
        return NOTHING
    if not stat.S_ISREG(found.mode):
        return digest_parts("no file", [b"%d" % stat.S_IFMT(found.mode)])
    known = _contents.get(path)
    if known is not None and known[0] == found:
        return known[1]
    digest = _read(path)
    if not is_racy(found) and signature(path) == found:
        _contents[path] = (found, digest)
    return digest


def _read(path: str) -> Digest:
    hasher = blake3()
    try:
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    except OSError:
        return digest_parts("no file", [b"unreadable"])
    return hasher.digest()


def listing_digest(path: str) -> Digest:
    """Return the digest of the names in a folder, except of what Python and editors leave there."""
    try:
        names = os.listdir(path)
    except (OSError, ValueError):
        return NOTHING
    kept = sorted(name for name in names if not _is_left_behind(name))
    return digest_parts("listing", [os.fsencode(name) for name in kept])


def _is_left_behind(name: str) -> bool:
    return name == "__pycache__" or name.endswith((".pyc", ".swp", ".swx", "~"))


def presence(path: str) -> str:
    """Return whether `path` is a `file`, a `folder` or `none`."""
    found = signature(path)
    if found is None:
        return "none"
    return "folder" if stat.S_ISDIR(found.mode) else "file"


def presence_digest(path: str) -> Digest:
    """Return the digest of what `presence` says."""
    return _PRESENCES[presence(path)]


_PRESENCES = {kind: digest_bytes(kind.encode()) for kind in ("none", "file", "folder")}


def variable_digest(name: str) -> Digest:
    """Return the digest of an environment variable; NOTHING where it is not set."""
    value = os.environ.get(name)
    return NOTHING if value is None else digest_bytes(os.fsencode(value))


DIGESTS: dict[Facet, Callable[[str], Digest]] = {
    Facet.FILE: content_digest,
    Facet.LISTING: listing_digest,
    Facet.PRESENCE: presence_digest,
    Facet.VARIABLE: variable_digest,
}
"""How each facet of what lies outside the code is digested: a path, or the name of a variable."""
