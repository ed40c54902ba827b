"""The catalogue: the snapshots in a store, by digest.

Owns what is known of a snapshot beside its content, and finding one by the first digits of its
digest. Refuses to guess between two.
"""

import time
from typing import NamedTuple

import msgpack

from hitsave.digest import SIZE, Digest
from hitsave.errors import SnapshotError
from hitsave.snapshot.tree import Entry, digest_tree, pack_tree, unpack_tree
from hitsave.store import Store, Table, Write, split_parts

FEWEST_DIGITS = 6
MANY = 1_000_000


class Listed(NamedTuple):
    """A snapshot in the catalogue.

    `path` is where it was taken, relative to the project's root or absolute. `size` is in bytes,
    `files` how many there are. `tree` is the object that holds the tree of a folder, and empty for
    a file. `created` is in seconds since the epoch.
    """

    digest: Digest
    path: str
    mode: int
    size: int
    files: int
    tree: Digest
    created: float

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder's."""
        return bool(self.tree)


def listing(
    digest: Digest, path: str, *, mode: int, size: int, files: int, tree: Digest = b""
) -> Write:
    """Return what puts a snapshot that is taken now into the catalogue."""
    value = (path, mode, size, files, tree, time.time())
    return Write(Table.SNAPSHOTS, digest, bytes(msgpack.packb(value) or b""))


def keep_tree(store: Store, entries: list[Entry]) -> tuple[Digest, Digest]:
    """Store a tree; return its digest, and that of the object that holds it."""
    packed = pack_tree(entries)
    return digest_tree(packed), store.write_object([packed])


def read_tree(store: Store, found: Listed) -> tuple[Entry, ...]:
    """Return the entries of a folder's snapshot. Raises SnapshotError."""
    framed = store.read_object(found.tree)
    packed = None if framed is None else split_parts(framed)[0]
    if packed is None or digest_tree(bytes(packed)) != found.digest:
        raise SnapshotError(
            f"The list of what is in the snapshot {found.digest.hex()} is not in the store, or "
            "was damaged and set aside.",
            "snap the folder again, where it still is",
        )
    return unpack_tree(packed)


def find(store: Store, prefix: str) -> Listed:
    """Return the one snapshot whose digest starts with some hexadecimal digits.

    Raises SnapshotError where there is none, or more than one.
    """
    digits = prefix.lower() if isinstance(prefix, str) else ""
    if not digits or not set(digits) <= set("0123456789abcdef") or len(digits) > 2 * SIZE:
        raise SnapshotError(f"{prefix!r} is no digest.", "a digest is made of hexadecimal digits")
    if len(digits) < FEWEST_DIGITS:
        raise SnapshotError(
            f"{prefix!r} is too short for a digest.", f"give {FEWEST_DIGITS} digits or more"
        )
    start = bytes.fromhex(digits[: len(digits) // 2 * 2])
    pairs = store.scan(Table.SNAPSHOTS, start, limit=1000)
    found = [_listed(*pair) for pair in pairs if pair[0].hex().startswith(digits)]
    if not found:
        raise SnapshotError(
            f"No snapshot in the store has a digest that starts with {digits}.",
            "`hitsave snapshot ls` shows those that there are",
        )
    if len(found) > 1:
        first, second = (each.digest.hex()[: len(digits) + 6] for each in found[:2])
        raise SnapshotError(
            f"More than one snapshot has a digest that starts with {digits}: {first}..., "
            f"{second}...",
            "give more digits",
        )
    return found[0]


def find_exactly(store: Store, digest: Digest) -> Listed | None:
    """Return the snapshot of that digest; None where there is none."""
    value = store.get(Table.SNAPSHOTS, digest)
    return None if value is None else _listed(digest, value)


def everything(store: Store) -> list[Listed]:
    """Return all snapshots, the newest first."""
    found = [_listed(*pair) for pair in store.scan(Table.SNAPSHOTS, limit=MANY)]
    return sorted(found, key=lambda each: each.created, reverse=True)


def remove(store: Store, found: Listed) -> None:
    """Take a snapshot out of the catalogue. Its content goes when nothing refers to it."""
    store.delete(Table.SNAPSHOTS, [found.digest])


def _listed(digest: Digest, value: bytes) -> Listed:
    return Listed(digest, *msgpack.unpackb(value, use_list=False))
