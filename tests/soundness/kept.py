"""What is kept: how many dependency sets a store holds, and how large its manifests are.

Owns reading that from the store of a workspace. Refuses to write to it.
"""

from pathlib import Path
from typing import NamedTuple

from hitsave.code.dependencies import unpack_manifest
from hitsave.store import Table, open_local

LIMIT = 100_000
"""More manifests than that are not counted."""


class Kept(NamedTuple):
    """Manifests, the different dependency sets among them, the largest set, bytes in all."""

    manifests: int
    sets: int
    largest: int
    size: int


def read_kept(home: Path) -> Kept:
    """Return what the store in the folder `home` keeps."""
    if not home.exists():
        return Kept(0, 0, 0, 0)
    store = open_local(str(home))
    try:
        rows = store.scan(Table.MANIFESTS, limit=LIMIT)
    finally:
        store.close()
    packed, parts = dict(rows), set[bytes]()

    def load(key: bytes) -> bytes | None:
        # What several manifests have in common is none of its own.
        parts.add(key)
        return packed.get(key)

    found = {key: frozenset(unpack_manifest(value, load).by_key()) for key, value in rows}
    sets = {found[key] for key in found if key not in parts}
    size = sum(map(len, packed.values()))
    return Kept(len(found) - len(parts), len(sets), max(map(len, sets), default=0), size)
