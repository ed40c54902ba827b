"""LMDB's data file, looked at before LMDB maps it.

Owns the check that the file is LMDB's and as long as it claims, and setting aside one that is not.
Refuses to judge what the pages hold: LMDB finds bad pages, and `seal` finds bad values.

LMDB maps the file and trusts its first two pages, the metas. A page that lies behind the end of the
file is a SIGBUS then, which ends the program.
"""

import os
from stat import S_ISREG
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from hitsave.errors import DamagedError
from hitsave.events import warn
from hitsave.store.disk import fresh_name, sync_folder
from hitsave.store.home import Home

MAGIC = 0xBEEFC0DE
VERSION = 1

# A page's header, then MDB_meta: magic, version, address, map size, two MDB_db, last page,
# transaction. In C's own sizes and alignment, as LMDB writes them.
_HEADER = Struct("@NHHHH")
_META = Struct("@NHHHH II P N IHHNNNNN IHHNNNNN NN")
_PAGE_SIZES = {2**power for power in range(9, 17)}
_NO_PAGE = 2 ** (8 * Struct("@N").size) - 1


class _Meta(NamedTuple):
    page_size: int
    roots: tuple[int, int]
    last_page: int
    transaction: int


def claimed_size(path: str) -> int:
    """Return how many bytes the data file says it has; 0 where it is absent or empty.

    Raises DamagedError where it is not a data file of this version of LMDB, or OSError.
    """
    try:
        # A FIFO there would keep `open` waiting for ever.
        if not S_ISREG(os.lstat(path).st_mode):
            raise DamagedError(f"{path} is not a file.")
    except FileNotFoundError:
        return 0
    with open(path, "rb", buffering=0) as file:
        start = file.read(2 * max(_PAGE_SIZES))
    return _claimed(start, path) if start else 0


def _claimed(start: bytes, path: str) -> int:
    try:
        page_size = _meta(start, 0).page_size
        newest = max((_meta(start, 0), _meta(start, page_size)), key=lambda m: m.transaction)
    except StructError as error:
        raise DamagedError(f"{path} is too short to be a data file.") from error
    if page_size not in _PAGE_SIZES or newest.page_size != page_size:
        raise DamagedError(f"{path} has no page size.")
    if not all(root <= newest.last_page or root == _NO_PAGE for root in newest.roots):
        raise DamagedError(f"{path} has its roots behind its end.")
    return (newest.last_page + 1) * page_size


def _meta(start: bytes, position: int) -> _Meta:
    fields = _META.unpack_from(start, position)
    if fields[5:7] != (MAGIC, VERSION):
        raise DamagedError("The data file does not start as one of LMDB's.")
    first, second = fields[9:17], fields[17:25]
    return _Meta(first[0], (first[7], second[7]), *fields[25:27])


def lengthen(path: str, size: int) -> None:
    """Make the data file at least `size` bytes long.

    LMDB need not have written its last pages where a transaction gave them up again, so a short
    file is no proof of damage. Zeros are safe: LMDB reports a page of zeros, and does not crash.
    """
    if os.stat(path).st_size < size:
        os.truncate(path, size)


def set_aside(home: Home, reason: str) -> None:
    """Move the data file out of the way and warn. Raises OSError."""
    kept = f"{home.path}/{fresh_name('corrupt')}"
    os.rename(home.data, kept)
    sync_folder(home.records)
    warn(
        "corrupt-store",
        f"The store in {home.path} is damaged and was started anew: {reason}",
        f"the damaged file is kept as {kept}",
    )
