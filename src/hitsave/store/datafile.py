"""LMDB's data file, looked at before LMDB maps it.

Owns the check that the file is LMDB's and as long as it claims, when its pages have to be checked
(`pages` does it), and setting aside one that is not as it should be.

LMDB maps the file and trusts its first two pages, the metas. A page that lies behind the end of the
file is a SIGBUS then, which ends the program.
"""

import os
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from stat import S_ISREG
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from hitsave.errors import DamagedError
from hitsave.events import warn
from hitsave.store.disk import fresh_name, sync_folder
from hitsave.store.home import Home
from hitsave.store.pages import Tree, check_pages

MOST_CHECKED = 64 * 1024 * 1024
"""Size of the largest data file whose pages are checked, in bytes."""

MAGIC = 0xBEEFC0DE
VERSION = 1

# A page's header, then MDB_meta: magic, version, address, map size, two MDB_db, last page,
# transaction. In C's own sizes and alignment, as LMDB writes them.
_HEADER = Struct("@NHHHH")
_META = Struct("@NHHHH II P N IHHNNNNN IHHNNNNN NN")
_PAGE_SIZES = {2**power for power in range(9, 17)}
_START = 2 * max(_PAGE_SIZES)
_WORD = Struct("@N").size
_NO_PAGE = 2 ** (8 * _WORD) - 1

# What a change of a file's content shows by: inode, size, and times in nanoseconds.
_LOOKS = Struct("=QQqq")
_OPEN_NOTE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class _Meta(NamedTuple):
    page_size: int
    free: Tree
    main: Tree
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
        start = file.read(_START)
    if not start:
        return 0
    meta = _newest(start, path)
    return (meta.last_page + 1) * meta.page_size


def check_data_file(path: str) -> None:
    """Raise DamagedError where pages of the data file are not what LMDB wrote, or OSError.

    Of a file of more than `MOST_CHECKED` bytes nothing is checked: it would take seconds. Nor where
    a word has not eight bytes, as `pages` knows them.
    """
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size > MOST_CHECKED or _WORD != 8:
            return
        content = file.read()
    meta = _newest(content[:_START], path)
    try:
        check_pages(memoryview(content), meta.page_size, meta.last_page, meta.free, meta.main)
    except StructError as error:
        raise DamagedError(f"{path} ends in the middle of a page.") from error


def _newest(start: bytes, path: str) -> _Meta:
    try:
        page_size = _meta(start, 0).page_size
        newest = max((_meta(start, 0), _meta(start, page_size)), key=lambda m: m.transaction)
    except StructError as error:
        raise DamagedError(f"{path} is too short to be a data file.") from error
    if page_size not in _PAGE_SIZES or newest.page_size != page_size:
        raise DamagedError(f"{path} has no page size.")
    roots = newest.free.root, newest.main.root
    if not all(root <= newest.last_page or root == _NO_PAGE for root in roots):
        raise DamagedError(f"{path} has its roots behind its end.")
    return newest


def _meta(start: bytes, position: int) -> _Meta:
    fields = _META.unpack_from(start, position)
    if fields[5:7] != (MAGIC, VERSION):
        raise DamagedError("The data file does not start as one of LMDB's.")
    first, second = fields[9:17], fields[17:25]
    return _Meta(first[0], _tree(first), _tree(second), *fields[25:27])


def _tree(fields: tuple[int, ...]) -> Tree:
    _, flags, depth, *_, root = fields
    return Tree(flags, depth, root)


class Metas:
    """The metas of a data file, mapped: they tell when a transaction was committed.

    LMDB writes the number of each transaction into one of the two, as the last of it all. Raises
    OSError or DamagedError.
    """

    def __init__(self, path: str, page_size: int) -> None:
        try:
            with open(path, "rb", buffering=0) as file:
                self._pages = mmap(file.fileno(), 2 * page_size, access=ACCESS_READ)
        except ValueError as error:
            raise DamagedError(f"{path} is too short to be a data file.") from error
        first = _META.size - _WORD
        self._first = slice(first, first + _WORD)
        self._second = slice(page_size + first, page_size + first + _WORD)

    def transactions(self) -> bytes:
        """Return the numbers of the last two transactions."""
        pages = self._pages
        return pages[self._first] + pages[self._second]

    def close(self) -> None:
        """Map the file no longer."""
        self._pages.close()


class Note:
    """How the data file was when hitsave last wrote to it, in a file beside it.

    Whether something else wrote to it since then costs a look; to check its pages takes as long as
    to read it. Where the note cannot be kept, it never holds.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = -1
        try:
            self._descriptor = os.open(path, _OPEN_NOTE, 0o600)
        except OSError:
            # Nobody may write there, or it is something else: the pages are checked each time.
            return

    def holds(self, path: str) -> bool:
        """Whether the data file at `path` is as it was noted. Raises OSError."""
        try:
            noted = os.pread(self._descriptor, 100, 0)
        except OSError:
            return False
        return noted == _looks(os.stat(path))

    def write(self, data: int) -> None:
        """Note how the data file is, an open one."""
        with suppress(OSError):
            os.pwrite(self._descriptor, _looks(os.fstat(data)), 0)

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            os.close(self._descriptor)


def _looks(status: os.stat_result) -> bytes:
    return _LOOKS.pack(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


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
