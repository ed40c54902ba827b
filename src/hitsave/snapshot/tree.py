"""Trees: what a folder holds, as one run of bytes whose digest stands for it.

Owns which names may be in a tree and the order that they are in, so that a folder has one digest
whoever looks at it. Refuses every name that could lead out of the folder that is restored, and
pairs of names that some file systems take for one.
"""

import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO, NamedTuple, overload

import msgpack

from hitsave.digest import SIZE, Digest, digest_part
from hitsave.errors import HitsaveError, SnapshotError

SCHEMA = 1
LARGEST_MODE = 0o777

_LONGEST_START = 7
"""How many bytes come before the entries at most: headers of one and of five, and a number."""

MOST_AT_A_TIME = 1024 * 1024
"""How many bytes of a tree are looked at together: an entry has fewer."""


class Entry(NamedTuple):
    """A file or a folder in a tree.

    `path` is relative, with `/` between its parts. `mode` has the permission bits; `size` is in
    bytes, and `digest` is that of the content: empty for a folder.
    """

    path: str
    mode: int
    size: int
    digest: Digest

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which may be empty."""
        return not self.digest


class Tree(Sequence[Entry]):
    """The entries of a packed tree, in the order of their paths, each made when it is asked for.

    A folder may have any number of files, and its tree lies in a file that is mapped. `files` is
    how many files there are, and `size` how many bytes they have. Raises SnapshotError where the
    bytes are not as `pack_tree` makes them: nothing is taken on trust, they may be somebody else's.
    """

    def __init__(self, packed: bytes | memoryview) -> None:
        self.packed = memoryview(packed)
        self.files = self.size = 0
        self._starts = array("Q")
        try:
            self._check()
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            raise SnapshotError(f"The bytes of a tree cannot be read: {error}.") from error

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        """Return an entry, or several."""
        if isinstance(index, slice):
            return tuple(map(self.__getitem__, range(len(self))[index]))
        index = range(len(self))[index]
        start, end = self._starts[index : index + 2]
        return Entry(*msgpack.unpackb(self.packed[start:end], use_list=False))

    def find(self, path: str) -> Entry | None:
        """Return the entry of a path; None where there is none."""
        index = bisect_left(self, path, key=lambda entry: entry.path)
        found = self[index] if index < len(self) else None
        return found if found is not None and found.path == path else None

    def _check(self) -> None:
        check = _Check()
        for start, entry in _rows(self.packed):
            self._starts.append(start)
            if entry is None:
                break
            check.add(entry)
            self.files += not entry.is_folder
            self.size += entry.size
        check.end(self)


def pack_tree(entries: Iterable[Entry]) -> Tree:
    """Return the tree of entries, which come in the order of their paths.

    Raises SnapshotError for a name that cannot be in one.
    """
    try:
        # A file without a name, which goes with the tree.
        with TemporaryFile(prefix="hitsave-") as file:
            start = _pack_into(file, entries)
            return Tree(memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))[start:])
    except OSError as error:
        if isinstance(error, HitsaveError):
            raise
        said = f"A list of files cannot be written: {error.strerror or error}."
        raise SnapshotError(said, "look for room in the folder for temporary files") from error


def _pack_into(file: IO[bytes], entries: Iterable[Entry]) -> int:
    """Write a tree; return where in the file it begins."""
    packer, count = msgpack.Packer(), 0
    file.seek(_LONGEST_START)
    for entry in entries:
        file.write(packer.pack((check_path(entry.path), *entry[1:])))
        count += 1
    # How many there are is known last.
    header = packer.pack_array_header(2) + packer.pack(SCHEMA) + packer.pack_array_header(count)
    file.seek(_LONGEST_START - len(header))
    file.write(header)
    file.flush()
    return _LONGEST_START - len(header)


def digest_tree(packed: bytes | memoryview) -> Digest:
    """Return the digest of a tree's bytes, which names the folder."""
    return digest_part("tree", packed)


def _rows(packed: memoryview) -> Iterator[tuple[int, Entry | None]]:
    """Yield the entries one by one, with where each starts; and at last, where they end."""
    rows = msgpack.Unpacker(_Reader(packed), use_list=False, max_buffer_size=MOST_AT_A_TIME)
    if rows.read_array_header() != 2:
        raise ValueError("a tree is made of a schema and its entries")
    schema = rows.unpack()
    if schema != SCHEMA:
        raise SnapshotError(f"A tree is of schema {schema}, not {SCHEMA}.")
    for _ in range(rows.read_array_header()):
        yield rows.tell(), _entry(*rows.unpack())
    if rows.tell() != len(packed):
        raise ValueError("something follows the entries")
    yield rows.tell(), None


def by_path(entries: Iterable[Entry]) -> Iterator[tuple[str, Entry]]:
    """Yield each entry with its path."""
    return ((entry.path, entry) for entry in entries)


class _Reader:
    """Gives bytes piece by piece, as a file does."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._position = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, up to so many."""
        piece = bytes(self._content[self._position : self._position + size])
        self._position += len(piece)
        return piece


def _entry(path: object, mode: object, size: object, digest: object) -> Entry:
    entry = (path, mode, size, digest)
    if tuple(map(type, entry)) != (str, int, int, bytes):
        raise TypeError("an entry is made of other things than a path, a mode, a size, a digest")
    return Entry(*entry)  # type: ignore[arg-type]


class _Check:
    """Raises SnapshotError unless each entry lies in a folder of the tree, under a name of its own.

    Entries are in order, so that a folder comes before what is in it.
    """

    def __init__(self) -> None:
        self._folders = {""}
        self._folded: dict[str, str] = {}
        self._before = ""

    def add(self, entry: Entry) -> None:
        """Look at the next entry."""
        path = check_path(entry.path)
        if path <= self._before:
            how = "twice" if path == self._before else "out of order"
            raise SnapshotError(f"{path!r} is in a tree {how}.")
        self._before = path
        if path.rpartition("/")[0] not in self._folders:
            raise SnapshotError(f"{path!r} is in a tree without the folder that it lies in.")
        # What folds to itself is not noted: a folder may hold any number of files.
        if (key := _folded(path)) != path:
            _check_alike(self._folded.setdefault(key, path), path)
        _check_numbers(entry)
        if entry.is_folder:
            self._folders.add(path)

    def end(self, entries: Iterable[Entry]) -> None:
        """Look at all of them once more, where any name folds to another."""
        for entry in entries if self._folded else ():
            if _folded(entry.path) == entry.path:
                _check_alike(self._folded.get(entry.path, entry.path), entry.path)


def _check_alike(one: str, other: str) -> None:
    """Raise SnapshotError for two names that fold to the same, unless they are one."""
    if one != other:
        raise SnapshotError(
            f"{one!r} and {other!r} are the same name on some file systems.",
            "rename one of them, or leave one out with ignore=",
        )


def check_path(path: str) -> str:
    """Return a relative path that may be restored. Raises SnapshotError for any other."""
    for name in path.split("/"):
        if name in ("", ".", ".."):
            raise SnapshotError(f"{path!r} is no path inside a folder.")
    return check_name(path)


def check_name(path: str) -> str:
    """Return a path that can be shown. Raises SnapshotError for any other."""
    if not (path.isprintable() or all(map(_is_printed, path))):
        raise SnapshotError(
            f"The name {path!r} cannot be in a snapshot: it holds a control character, or "
            "is not text.",
            "rename the file, or leave it out with ignore=",
        )
    return path


def _is_printed(letter: str) -> bool:
    # Control characters, and what stands for bytes that are no text.
    return unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _check_numbers(entry: Entry) -> None:
    is_file = len(entry.digest) == SIZE and entry.size >= 0
    is_folder = entry.is_folder and entry.size == 0
    if not (is_file or is_folder) or not 0 <= entry.mode <= LARGEST_MODE:
        raise SnapshotError(f"The entry of {entry.path!r} in a tree is damaged.")
