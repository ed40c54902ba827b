"""Tables: rows of the store that tell of what is gone.

Owns which rows those are. What is written while it looks is never among them: whether something is
there is asked after the rows were read.
"""

from collections.abc import Iterator

from hitsave.code.dependencies import unpack_own
from hitsave.digest import SIZE, Digest
from hitsave.errors import DamagedError
from hitsave.memo.texts import text_key
from hitsave.snapshot.catalog import everything
from hitsave.snapshot.contents import unpack_place
from hitsave.snapshot.trace import Trace
from hitsave.store import Store, Table, scan_all, unpack_call


def delete_rows(store: Store, trace: Trace, unused_since: float) -> None:
    """Remove what tells of calls, snapshots, contents and links that are gone."""
    store.delete(Table.LINKS, trace.left_links)
    for table in (Table.PINS, Table.USES):
        store.delete(table, [key for key, _ in scan_all(store, table) if not _is_call(store, key)])
    rows = scan_all(store, Table.HISTORY)
    store.delete(Table.HISTORY, {row: key for row, key in rows if not _is_call(store, key)})
    live = trace.blobs | trace.trees
    left = [
        each.digest
        for each in everything(store)
        if each.by_call and each.digest not in live and each.created < unused_since
    ]
    store.delete(Table.SNAPSHOTS, left)
    _delete_places(store)


def _is_call(store: Store, key: Digest) -> bool:
    return store.get(Table.CALLS, key) is not None


def _delete_places(store: Store) -> None:
    """Remove what tells where contents lie that are in no object any more."""
    there = {held.digest for held in store.objects()}
    rows = {
        key: value for key, value in scan_all(store, Table.PACKED) if _object_of(value) not in there
    }
    there = {held.digest for held in store.objects()}
    left = {key: value for key, value in rows.items() if _object_of(value) not in there}
    store.delete(Table.PACKED, left)


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
