"""Tables: rows of the store that tell of what is gone.

Owns which rows those are. What is written while it looks is never among them: whether something is
there is asked after the rows were read.
"""

from collections.abc import Iterator

from hitsave.code.dependencies import unpack_own
from hitsave.digest import SIZE, Digest
from hitsave.errors import DamagedError
from hitsave.memo.texts import text_key
from hitsave.snapshot.catalog import taken_by_calls
from hitsave.snapshot.contents import unpack_place
from hitsave.snapshot.trace import Trace
from hitsave.store import Store, Table, scan_all, unpack_call

Rows = dict[Table, dict[bytes, bytes]]
"""By table, keys and the values that they had: what has changed since stays."""


def rows_to_delete(store: Store, trace: Trace, since: float) -> Rows:
    """Return what tells of calls, snapshots, contents and links that are gone.

    Snapshots that calls took after `since`, in seconds since the epoch, may yet be referred to.
    """
    live = trace.blobs | trace.trees
    return {
        Table.LINKS: trace.left_links,
        Table.PINS: {k: v for k, v in scan_all(store, Table.PINS) if not _is_call(store, k)},
        Table.USES: {k: v for k, v in scan_all(store, Table.USES) if not _is_call(store, k)},
        Table.HISTORY: {k: v for k, v in scan_all(store, Table.HISTORY) if not _is_call(store, v)},
        Table.SNAPSHOTS: {
            key: value
            for key, value, each in taken_by_calls(store)
            if each.digest not in live and each.created <= since
        },
        Table.PACKED: _places_of_nothing(store),
    }


def _is_call(store: Store, key: Digest) -> bool:
    return store.get(Table.CALLS, key) is not None


def _places_of_nothing(store: Store) -> dict[bytes, bytes]:
    """Return what tells where contents lie that are in no object any more."""
    there = {held.digest for held in store.objects()}
    rows = {
        key: value for key, value in scan_all(store, Table.PACKED) if _object_of(value) not in there
    }
    there = {held.digest for held in store.objects()}
    return {key: value for key, value in rows.items() if _object_of(value) not in there}


def _object_of(value: bytes) -> Digest:
    return value if len(value) == SIZE else unpack_place(value).pack


def delete_explanations(store: Store) -> None:
    """Remove the manifests of calls that are gone, and texts that no manifest has."""
    tables = (Table.MANIFESTS, Table.TEXTS, Table.IMPORTED)
    found = {table: {key for key, _ in scan_all(store, table)} for table in tables}
    live = {table: set[bytes]() for table in tables}
    for code in _codes(store):
        _follow(store, code, live)
    for table in tables:
        store.delete(table, found[table] - live[table])


def _codes(store: Store) -> Iterator[Digest]:
    """Yield the code digests of all calls that can be read."""
    known = set()
    for _, packed in scan_all(store, Table.CALLS):
        try:
            code = unpack_call(packed).code
        except DamagedError:
            continue
        if code not in known:
            known.add(code)
            yield code


def _follow(store: Store, code: Digest, live: dict[Table, set[bytes]]) -> None:
    """Note what the manifest of a code digest refers to, and the one that has the rest of it."""
    if not code or code in live[Table.MANIFESTS]:
        return
    live[Table.MANIFESTS].add(code)
    packed = store.get(Table.MANIFESTS, code)
    try:
        own, beside = unpack_own(packed) if packed is not None else (None, b"")
    except DamagedError:
        return
    if own is not None:
        live[Table.TEXTS].update(map(text_key, own.dependencies))
        live[Table.IMPORTED].add(own.imported)
    _follow(store, beside, live)
