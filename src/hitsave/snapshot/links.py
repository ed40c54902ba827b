"""Links: where restored links lead into the store, so that what they lead to stays.

Owns when a link holds its content no longer: something else is in its place, or nothing has been
for long. Refuses to look anywhere but where it was restored.
"""

import errno
import os
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgpack

from hitsave.digest import Digest, digest_parts
from hitsave.store import Store, Table, Write, scan_all

DAY = 24 * 3600.0

MISSED_FOR = 30 * DAY
"""Seconds since it was restored for which a link that is gone counts: it may have been moved."""


class Restored(NamedTuple):
    """Where links were made to the content of a snapshot; `at` is in seconds since the epoch."""

    key: bytes
    value: bytes
    path: str
    digest: Digest
    at: float

    @property
    def is_recent(self) -> bool:
        """Whether links that are gone from there still count."""
        return time.time() - self.at < MISSED_FOR


def write_link(store: Store, path: str, digest: Digest) -> Write | None:
    """Return what notes that links are made at `path`; None where that is known since today."""
    key = digest_parts("restored", [os.fsencode(path), digest])
    value = store.get(Table.LINKS, key)
    if value is not None and time.time() - _restored(key, value).at < DAY:
        return None
    packed = msgpack.packb((os.fsencode(path), digest, time.time()))
    return Write(Table.LINKS, key, bytes(packed or b""))


def all_restored(store: Store) -> Iterator[Restored]:
    """Yield where links were made."""
    return (_restored(*pair) for pair in scan_all(store, Table.LINKS))


def _restored(key: bytes, value: bytes) -> Restored:
    path, digest, at = msgpack.unpackb(value, use_list=False)
    return Restored(key, value, os.fsdecode(path), digest, at)


def leads_to(path: str, location: str) -> bool | None:
    """Whether the link at `path` leads to `location`; None where none can be seen."""
    try:
        return os.readlink(path) == location
    except OSError as error:
        is_other = error.errno == errno.EINVAL  # no link
        return False if is_other else None
