"""Links: where restored links lead into the store, so that what they lead to stays.

Owns when a link holds its content no longer: it has not been there for long. It may have been
moved, or the folder that it is in may come back. Refuses to look anywhere else.
"""

import errno
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgpack

from hitsave.digest import Digest, digest_parts
from hitsave.store import Store, Table, Write, scan_all
from hitsave.units import DAY

MISSED_FOR = 30 * DAY
"""Seconds for which a link counts that was there and is gone, or replaced."""


class Restored(NamedTuple):
    """Where links were made to the content of a snapshot.

    `at` is when they were last seen there, in seconds since the epoch.
    """

    key: bytes
    value: bytes
    path: str
    digest: Digest
    at: float

    @property
    def is_recent(self) -> bool:
        """Whether links that are gone from there still count."""
        return time.time() - self.at < MISSED_FOR

    @property
    def is_of_old(self) -> bool:
        """Whether it is more than a day since they were seen."""
        return time.time() - self.at > DAY


def write_link(store: Store, path: str, digest: Digest) -> Write | None:
    """Return what notes that links are made at `path`; None where that is known since today."""
    key = digest_parts("restored", [os.fsencode(path), digest])
    value = store.get(Table.LINKS, key)
    if value is not None and not _restored(key, value).is_of_old:
        return None
    return _write(key, path, digest)


def _write(key: bytes, path: str, digest: Digest) -> Write:
    packed = msgpack.packb((os.fsencode(path), digest, time.time()))
    return Write(Table.LINKS, key, bytes(packed or b""))


def seen_again(restored: Restored) -> Write:
    """Return what notes that links are still there."""
    return _write(restored.key, restored.path, restored.digest)


def all_restored(store: Store) -> Iterator[Restored]:
    """Yield where links were made."""
    return (_restored(*pair) for pair in scan_all(store, Table.LINKS))


def _restored(key: bytes, value: bytes) -> Restored:
    path, digest, at = msgpack.unpackb(value, use_list=False)
    return Restored(key, value, os.fsdecode(path), digest, at)


def leads_to(path: str, digest: Digest) -> bool:
    """Whether the link at `path` leads to some content, wherever the store was when it was made.

    Also where it cannot be seen.
    """
    try:
        return os.readlink(path).split(os.sep)[-2:] == [digest.hex()[:2], digest.hex()[2:]]
    except OSError as error:
        is_gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        return not (is_gone or error.errno == errno.EINVAL)  # there is no link
