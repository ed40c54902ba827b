"""The interface of a store: tables of small values, objects by digest, leases.

Owns the protocol that every backend keeps (`tests/store/test_conformance.py` holds them to it) and
the names of the tables. Refuses to know what the bytes mean.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol

from hitsave.digest import Digest
from hitsave.errors import StoreUnavailableError
from hitsave.store.blobs import Blob
from hitsave.store.held import Held

MAX_KEY_SIZE = 511
"""Length of the longest key, in bytes; the shortest is 1."""

MAX_VALUE_SIZE = 16 * 1024 * 1024
"""Length of the longest value, in bytes. What is larger belongs in an object."""

UNAVAILABLE = "store-unavailable"
"""What warnings are about of a store that cannot be used: looking up or writing, it is one."""

_PAGE = 256


class Table(StrEnum):
    """The tables of a store."""

    CALLS = "calls"
    MANIFESTS = "manifests"
    SETS = "sets"
    PLANS = "plans"
    MODULES = "modules"
    TEXTS = "texts"
    HISTORY = "history"
    STATE = "state"
    IMPORTED = "imported"
    SNAPSHOTS = "snapshots"
    PACKED = "packed"
    FILES = "files"
    LINKS = "links"
    USES = "uses"
    PINS = "pins"

    # Enum's own hash is written in Python and would be a third of the cost of a lookup.
    __hash__ = str.__hash__


class Write(NamedTuple):
    """One value to be written."""

    table: Table
    key: bytes
    value: bytes


class Lease(Protocol):
    """An attempt at holding a key: as a context, or for those who must not be held up, by looks."""

    def __enter__(self) -> bool:
        """Wait for the key. Gives whether it is held; where waiting is over before, it is not."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def take(self) -> bool:
        """Whether the key is held from now on.

        An owner that holds it already passes straight through, as does what its thread forks.
        """
        ...

    def pause(self) -> float:
        """Return the seconds until the next look is due, 0 where waiting is over.

        That is when the limit is, or when what is waited for is there.
        """
        ...

    def give_back(self) -> None:
        """Hold the key no longer, if it was held."""


class Store(Protocol):
    """What every backend offers. Safe to use from many threads, processes and forks."""

    def __hash__(self) -> int: ...

    @property
    def lasts(self) -> bool:
        """Whether what is written outlives this process."""
        ...

    @property
    def troubles(self) -> int:
        """How many times, in this process, something was not found because it could not be read."""
        ...

    def is_whole(self) -> bool:
        """Whether no records were lost that something in the store may belong to."""
        ...

    def get(self, table: Table, key: bytes) -> bytes | None:
        """Return the value under `key`, or None where there is none or it cannot be read.

        The value is exactly what was written: a damaged one counts as absent, is warned of once,
        and is removed by the next commit. Never raises on account of the store's state.
        """

    def version(self) -> object:
        """Return what is equal for as long as the tables are as they were, whoever writes to them.

        None where that cannot be told now. Takes less than a lookup, and never raises.
        """
        ...

    def commit(
        self,
        writes: Sequence[Write],
        *,
        durable: bool = False,
        replace: bool = False,
        soon: bool = False,
    ) -> None:
        """Write all of `writes`, or none, as one transaction.

        Once it returns, every process sees them, and the death of a process cannot undo them; with
        `durable`, a power cut cannot either. With `soon` that holds a moment later, and until then
        they are this process's alone: for what costs little to make again. Leases that end before
        that keep other processes waiting until then. In `CALLS` the first commit of a key wins,
        unless `replace`; elsewhere the last one does. Raises StoreUnavailableError.
        """

    def delete(self, table: Table, keys: Iterable[bytes] | Mapping[bytes, bytes]) -> None:
        """Remove `keys`, as one transaction; absent ones do not matter.

        With a mapping, each is removed only while it has the value that the mapping gives. Raises
        StoreUnavailableError.
        """

    def scan(
        self,
        table: Table,
        prefix: bytes = b"",
        *,
        limit: int,
        newest_first: bool = False,
        after: bytes = b"",
    ) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` pairs of key and value whose key starts with `prefix`.

        In the order of the keys and only those behind `after`, or in the opposite order with
        `newest_first` (for keys that start with a time), which knows no `after`. Damaged values are
        left out. Never raises on account of the store's state.
        """
        ...

    def records_size(self) -> int:
        """Return how many bytes all tables take up.

        Never raises on account of the store's state.
        """
        ...

    def write_object(self, parts: Sequence[bytes | bytearray | memoryview]) -> Digest:
        """Store `parts` as one object and return its digest; see `framing` for its layout.

        On disk when it returns. The same parts have the same digest and are stored once. Raises
        StoreUnavailableError.
        """
        ...

    def read_object(self, digest: Digest) -> memoryview | None:
        """Return the object as a private, writable view, or None where there is none.

        `framing.split_parts` takes it apart. What is written into the view never reaches the store.
        A damaged object counts as absent, is warned of once, and is set aside.
        """

    def objects(self) -> Iterator[Held]:
        """Yield what objects there are. Never raises on account of the store's state."""
        ...

    def delete_object(self, digest: Digest, *, used: int | None = None) -> bool:
        """Whether an object was there and is removed.

        One that was used since it was listed with `used` stays. Raises StoreUnavailableError.
        """
        ...

    def age_object(self, held: Held, used: int) -> None:
        """Let an object be as if it was last used at an earlier time, unless it was used since.

        In nanoseconds since the epoch. Raises StoreUnavailableError.
        """
        ...

    def write_blob(self, source: BinaryIO) -> Blob:
        """Keep what is left to read of `source` and return its digest and size.

        On disk when it returns. The same bytes are stored once. Raises StoreUnavailableError.
        """
        ...

    def has_blob(self, blob: Blob) -> bool:
        """Whether there is a blob of that digest and size. Never raises."""
        ...

    def blob_path(self, digest: Digest) -> str | None:
        """Return the path of a read-only file with the bytes of a blob, or None without one.

        A damaged one counts as absent, is warned of once, and is set aside.
        """

    def blob_location(self, digest: Digest) -> str:
        """Return where the file of a blob is, if there is one. Reads nothing."""
        ...

    def blobs(self) -> Iterator[Held]:
        """Yield what blobs there are. Never raises on account of the store's state."""
        ...

    def delete_blob(self, digest: Digest, *, used: int | None = None) -> bool:
        """As `delete_object`, of a blob."""
        ...

    def delete_unfinished(self, before: int) -> None:
        """Remove what processes that died have left unfinished.

        That is, files last changed before a time in nanoseconds since the epoch. Raises
        StoreUnavailableError.
        """

    def folder_of_trees(self) -> str:
        """Return the folder of folders restored to be read. Raises StoreUnavailableError."""
        ...

    def lease(
        self,
        key: bytes,
        *,
        limit: float,
        what: str = "a result",
        owner: object = None,
        until: Callable[[], bool] = bool,
    ) -> Lease:
        """Return a lease of `key`, which one owner in one process holds at a time.

        Waits for another holder up to `limit` seconds, and after ten says for `what`; or until
        `until` says that what is waited for is there, which is asked whenever the key has changed
        hands. The owner is this thread unless another is given. Another holder may have finished
        between a lookup and this, so look up again once inside. A holder that dies frees its lease.
        """
        ...

    def flush(self) -> None:
        """Return when everything committed would survive a power cut.

        Raises StoreUnavailableError.
        """

    def close(self) -> None:
        """Let go of files. Afterwards lookups find nothing and writes raise."""


def scan_all(store: Store, table: Table, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """Yield all pairs of key and value whose key starts with `prefix`, a page at a time.

    What is written meanwhile may be among them or not.
    """
    after = b""
    while page := store.scan(table, prefix, limit=_PAGE, after=after):
        yield from page
        after = page[-1][0]


def check_write(write: Write) -> None:
    """Raise StoreUnavailableError where no backend can hold `write`."""
    if not 1 <= len(write.key) <= MAX_KEY_SIZE:
        raise StoreUnavailableError(
            f"A key of {len(write.key)} bytes cannot be stored: keys have 1 to {MAX_KEY_SIZE}.",
            "use a digest as the key",
        )
    if len(write.value) > MAX_VALUE_SIZE:
        raise StoreUnavailableError(
            f"A value of {len(write.value)} bytes cannot be stored in {write.table}: "
            f"the most is {MAX_VALUE_SIZE}.",
            "store it as an object",
        )
