"""The store: call records, objects by digest, and leases, in files or in memory.

Owns how bytes are kept so that what comes out is what went in, whatever happens to processes and
disks. Refuses to know code or values: it sees only bytes and records.
"""

from hitsave.errors import StoreUnavailableError
from hitsave.store import forks as forks  # to be told of forks from here on
from hitsave.store.blobs import Blob, pieces
from hitsave.store.framing import split_parts
from hitsave.store.held import Held
from hitsave.store.interface import (
    MAX_KEY_SIZE,
    MAX_VALUE_SIZE,
    UNAVAILABLE,
    Lease,
    Store,
    Table,
    Write,
    scan_all,
)
from hitsave.store.memory import MemoryStore
from hitsave.store.records import CallRecord, is_of_other_layout, pack_call, unpack_call

__all__ = [
    "MAX_KEY_SIZE",
    "MAX_VALUE_SIZE",
    "UNAVAILABLE",
    "Blob",
    "CallRecord",
    "Held",
    "Lease",
    "MemoryStore",
    "Store",
    "Table",
    "Write",
    "is_of_other_layout",
    "open_local",
    "pack_call",
    "pieces",
    "scan_all",
    "split_parts",
    "unpack_call",
]


def open_local(home: str) -> Store:
    """Open the store in the folder `home`, which is made where it is absent.

    Where that is on a network file system, a folder of this computer is used instead, with a
    warning.

    One folder is opened once per process: a second call returns the same store, which then closes
    with its last user. Raises StoreUnavailableError, which says why and what to do.
    """
    # LMDB is loaded only by programs that open a local store; where the platform has no file
    # locks (`fcntl`), the import itself is what fails.
    try:
        from hitsave.store.local import open_store
    except ImportError as error:
        raise StoreUnavailableError(
            f"A local store cannot be opened: {error}.", "results are not kept on this platform"
        ) from error
    return open_store(home)
