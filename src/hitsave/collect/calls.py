"""Calls: the call records of a store, what each is worth, and which are pinned.

Owns reading and removing call records with all that is kept of them by key. Refuses to remove what
they refer to: `collector` does, when nothing else refers to it.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hitsave.digest import Digest
from hitsave.errors import DamagedError, TargetError
from hitsave.memo.record import history_prefix
from hitsave.store import (
    CallRecord,
    Store,
    Table,
    Write,
    is_of_other_layout,
    scan_all,
    unpack_call,
)

FEWEST_DIGITS = 6
"""How many digits of a call's key are needed to name it."""


class KeptCall(NamedTuple):
    """A call that is recorded: its key, and its record without the result.

    `size` is that of the whole record, in bytes; `used` is when it last hit or was recorded, in
    seconds since the epoch.
    """

    key: Digest
    record: CallRecord
    size: int
    used: float
    is_pinned: bool

    @property
    def stays(self) -> bool:
        """Whether it is never removed to make room."""
        return self.is_pinned or self.record.kind == "experiment"


def kept_calls(store: Store) -> Iterator[KeptCall]:
    """Yield all calls that are recorded, in the order of their keys.

    Damaged records are left out. Raises OtherSchemaError for one of another version, since what it
    refers to is not known.
    """
    pins = {key for key, _ in scan_all(store, Table.PINS)}
    for key, packed in scan_all(store, Table.CALLS):
        try:
            record = unpack_call(packed)
        except DamagedError:
            if is_of_other_layout(packed):
                raise
            continue
        used = max(record.started + record.seconds, _last_use(store, key))
        yield KeptCall(key, record._replace(payload=None), len(packed), used, key in pins)


def _last_use(store: Store, key: Digest) -> float:
    value = store.get(Table.USES, key)
    return float(value) if value is not None else 0.0


def find_calls(store: Store, words: str) -> list[KeptCall]:
    """Return the calls that are meant by a function, a module, or the first digits of a key.

    A function is `module:name`, or its name alone where that is no digits. The latest comes first.
    Raises TargetError where nothing is meant.
    """
    found = [call for call in kept_calls(store) if _is_meant(words, call)]
    if not found:
        raise TargetError(
            f"No recorded call goes by {words!r}.", "`hitsave ls` shows those that there are"
        )
    return sorted(found, key=lambda call: call.record.started, reverse=True)


def _is_meant(words: str, call: KeptCall) -> bool:
    symbol = call.record.symbol
    module, _, name = symbol.partition(":")
    if words in (symbol, module, name) or module.startswith(f"{words}."):
        return True
    return _is_digits(words) and call.key.hex().startswith(words.lower())


def _is_digits(words: str) -> bool:
    """Whether words can be the beginning of a call's key."""
    return len(words) >= FEWEST_DIGITS and set(words.lower()) <= set("0123456789abcdef")


def delete_calls(store: Store, calls: Iterable[KeptCall]) -> None:
    """Remove call records, and what tells of them. Raises StoreUnavailableError."""
    symbols: dict[str, list[Digest]] = {}
    for call in calls:
        if _is_as_it_was(store, call):
            symbols.setdefault(call.record.symbol, []).append(call.key)
    for symbol, keys in symbols.items():
        # The record first: what is left of it, should this be the end, tells of nothing.
        for table in (Table.CALLS, Table.PINS, Table.USES):
            store.delete(table, keys)
        gone = frozenset(keys)
        rows = scan_all(store, Table.HISTORY, history_prefix(symbol))
        store.delete(Table.HISTORY, {row: key for row, key in rows if key in gone})


def _is_as_it_was(store: Store, call: KeptCall) -> bool:
    """Whether a call has not been recorded anew since it was looked at."""
    packed = store.get(Table.CALLS, call.key)
    try:
        return packed is not None and unpack_call(packed).started == call.record.started
    except DamagedError:
        return False


def is_pinned(store: Store, call: KeptCall) -> bool:
    """Whether a call is pinned now."""
    return store.get(Table.PINS, call.key) is not None


def pin(store: Store, calls: Iterable[KeptCall]) -> None:
    """Let calls stay, whatever room there is. Raises StoreUnavailableError."""
    store.commit([Write(Table.PINS, call.key, b"pinned") for call in calls])


def unpin(store: Store, calls: Iterable[KeptCall]) -> None:
    """Let calls go again when there is no room. Raises StoreUnavailableError."""
    store.delete(Table.PINS, [call.key for call in calls])
