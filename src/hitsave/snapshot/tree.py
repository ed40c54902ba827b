"""Trees: what a folder holds, as one run of bytes whose digest stands for it.

Owns which names may be in a tree and the order that they are in, so that a folder has one digest
whoever looks at it. Refuses every name that could lead out of the folder that is restored, and
pairs of names that some file systems take for one.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgpack

from hitsave.digest import SIZE, Digest, digest_parts
from hitsave.errors import SnapshotError

SCHEMA = 1
LARGEST_MODE = 0o777


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


def pack_tree(entries: Iterable[Entry]) -> bytes:
    """Return the bytes of a tree. Raises SnapshotError for a name that cannot be in one."""
    ordered = sorted(entries)
    check_tree(ordered)
    return bytes(msgpack.packb((SCHEMA, ordered)) or b"")


def digest_tree(packed: bytes) -> Digest:
    """Return the digest of a tree's bytes, which names the folder."""
    return digest_parts("tree", [packed])


def unpack_tree(packed: bytes | memoryview) -> tuple[Entry, ...]:
    """Return the entries of a tree. Raises SnapshotError where it is not as `pack_tree` makes it.

    Nothing is taken on trust: the bytes may come from somebody else.
    """
    try:
        entries = tuple(_entries_in(packed))
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise SnapshotError(f"The bytes of a tree cannot be read: {error}.") from error
    check_tree(entries)
    if entries != tuple(sorted(entries)):
        raise SnapshotError("The entries of a tree are not in order.")
    return entries


def _entries_in(packed: bytes | memoryview) -> Iterator[Entry]:
    """Yield the entries one by one: a tree may have any number."""
    rows = msgpack.Unpacker(use_list=False, strict_map_key=True, max_buffer_size=len(packed))
    rows.feed(packed)
    if rows.read_array_header() != 2:
        raise ValueError("a tree is made of a schema and its entries")
    schema = rows.unpack()
    if schema != SCHEMA:
        raise SnapshotError(f"A tree is of schema {schema}, not {SCHEMA}.")
    for _ in range(rows.read_array_header()):
        yield _entry(*rows.unpack())
    if rows.tell() != len(packed):
        raise ValueError("something follows the entries")


def _entry(path: object, mode: object, size: object, digest: object) -> Entry:
    entry = (path, mode, size, digest)
    if tuple(map(type, entry)) != (str, int, int, bytes):
        raise TypeError("an entry is made of other things than a path, a mode, a size, a digest")
    return Entry(*entry)  # type: ignore[arg-type]


def check_tree(entries: Sequence[Entry]) -> None:
    """Raise SnapshotError unless each entry lies in a folder of the tree, under a name of its own.

    Entries are in order, so that a folder comes before what is in it.
    """
    folders, folded, before = {""}, dict[str, str](), ""
    for entry in entries:
        path = check_path(entry.path)
        if path.rpartition("/")[0] not in folders:
            raise SnapshotError(f"{path!r} is in a tree without the folder that it lies in.")
        # What folds to itself is not noted: a folder may hold any number of files.
        if (key := _folded(path)) != path:
            _check_alike(folded.setdefault(key, path), path)
        if path == before:
            raise SnapshotError(f"{path!r} is in a tree twice.")
        before = path
        _check_numbers(entry)
        if entry.is_folder:
            folders.add(path)
    for entry in entries if folded else ():
        if _folded(entry.path) == entry.path:
            _check_alike(folded.get(entry.path, entry.path), entry.path)


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
    if not all(map(_is_printed, path)):
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
