"""The catalogue: the snapshots in a store, by digest.

Owns what is known of a snapshot beside its content, and finding one by the first digits of its
digest. Refuses to guess between two.
"""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgpack

from hitsave.digest import SIZE, Digest
from hitsave.errors import SnapshotError
from hitsave.snapshot.tree import Tree, digest_tree
from hitsave.store import Store, Table, Write, scan_all, split_parts

FEWEST_DIGITS = 6
_BY_CALL = b" by a call"


class Listed(NamedTuple):
    """A snapshot in the catalogue.

    `path` is where it was taken, relative to the project's root or absolute. `mode` has the
    permission bits of a file, and is 0 for a folder; `size` is in bytes, `files` how many there
    are. `created` is in seconds since the epoch. One `by_call` was taken by a memoised function: it
    goes with the last result that holds it.
    """

    digest: Digest
    path: str
    is_folder: bool
    mode: int
    size: int
    files: int
    created: float
    by_call: bool = False


def list_file(digest: Digest, path: str, mode: int, size: int) -> Listed:
    """Return the listing of a file's snapshot that is taken now."""
    return Listed(digest, path, False, mode, size, 1, time.time())


def list_folder(digest: Digest, path: str, tree: Tree) -> Listed:
    """Return the listing of a folder's snapshot that is taken now."""
    return Listed(digest, path, True, 0, tree.size, tree.files, time.time())


def listing(found: Listed) -> Write:
    """Return what puts a snapshot into the catalogue."""
    # A key of its own for what a call takes: it never replaces what somebody wants.
    key = found.digest + _BY_CALL if found.by_call else found.digest
    return Write(Table.SNAPSHOTS, key, bytes(msgpack.packb(found[1:]) or b""))


def keep_tree(store: Store, tree: Tree) -> Digest:
    """Store a tree and return its digest. Raises StoreUnavailableError."""
    digest, kept_in = digest_tree(tree.packed), store.write_object([tree.packed])
    store.commit([Write(Table.PACKED, digest, kept_in)])
    return digest


def read_tree(store: Store, digest: Digest) -> Tree:
    """Return a tree. Raises SnapshotError."""
    kept_in = store.get(Table.PACKED, digest)
    framed = None if kept_in is None else store.read_object(kept_in)
    packed = memoryview(b"") if framed is None else split_parts(framed)[0]
    if digest_tree(packed) != digest:
        raise SnapshotError(
            f"The list of what is in the snapshot {digest.hex()} is not in the store, or was "
            "damaged and set aside.",
            "snap the folder again, where it still is",
        )
    return Tree(packed)


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
    found = _each_once(pair for pair in pairs if pair[0].hex().startswith(digits))
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


def is_wanted(store: Store, digest: Digest) -> bool:
    """Whether a snapshot of exactly that digest stays until it is taken off the catalogue."""
    return store.get(Table.SNAPSHOTS, digest) is not None


def everything(store: Store) -> list[Listed]:
    """Return all snapshots, the newest first."""
    found = _each_once(scan_all(store, Table.SNAPSHOTS))
    return sorted(found, key=lambda each: each.created, reverse=True)


def taken_by_calls(store: Store) -> Iterator[tuple[bytes, bytes, Listed]]:
    """Yield the snapshots that go with results, with the key and value of each."""
    for key, value in scan_all(store, Table.SNAPSHOTS):
        found = _listed(key, value)
        if found.by_call:
            yield key, value, found


def _each_once(pairs: Iterable[tuple[bytes, bytes]]) -> list[Listed]:
    """Return what is listed, once where somebody and a call have taken the same."""
    found: dict[Digest, Listed] = {}
    for pair in pairs:
        each = _listed(*pair)
        if not each.by_call or each.digest not in found:
            found[each.digest] = each
    return list(found.values())


def remove(store: Store, found: Listed) -> None:
    """Take a snapshot out of the catalogue. Its content goes when nothing refers to it."""
    store.delete(Table.SNAPSHOTS, [found.digest, found.digest + _BY_CALL])


def _listed(key: bytes, value: bytes) -> Listed:
    return Listed(key[:SIZE], *msgpack.unpackb(value, use_list=False))
