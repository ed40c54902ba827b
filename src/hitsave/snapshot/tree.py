"""Trees: what a folder holds, as one run of bytes whose digest stands for it.

Owns which names may be in a tree and the order that they are in, so that a folder has one digest
whoever looks at it. Refuses every name that could lead out of the folder that is restored, and
pairs of names that some file systems take for one.
"""

import unicodedata
from collections.abc import Iterable
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
        schema, rows = msgpack.unpackb(packed, use_list=False, strict_map_key=True)
        if schema != SCHEMA:
            raise SnapshotError(f"A tree is of schema {schema}, not {SCHEMA}.")
        entries = tuple(_entry(*row) for row in rows)
    except (ValueError, TypeError) as error:
        raise SnapshotError(f"The bytes of a tree cannot be read: {error}.") from error
    check_tree(entries)
    if entries != tuple(sorted(entries)):
        raise SnapshotError("The entries of a tree are not in order.")
    return entries


def _entry(path: object, mode: object, size: object, digest: object) -> Entry:
    entry = (path, mode, size, digest)
    if tuple(map(type, entry)) != (str, int, int, bytes):
        raise TypeError("an entry is made of other things than a path, a mode, a size, a digest")
    return Entry(*entry)  # type: ignore[arg-type]


def check_tree(entries: Iterable[Entry]) -> None:
    """Raise SnapshotError unless each entry lies in a folder of the tree, under a name of its own.

    Entries are in order, so that a folder comes before what is in it.
    """
    folders, folded = {""}, dict[str, str]()
    for entry in entries:
        parent = check_path(entry.path).rpartition("/")[0]
        if parent not in folders:
            raise SnapshotError(f"{entry.path!r} is in a tree without the folder that it lies in.")
        known = folded.get(_folded(entry.path))
        if known is not None:
            raise SnapshotError(
                f"{known!r} and {entry.path!r} are the same name on some file systems.",
                "rename one of them, or leave one out with ignore=",
            )
        folded[_folded(entry.path)] = entry.path
        _check_numbers(entry)
        if entry.is_folder:
            folders.add(entry.path)


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
