"""Snapshots of folders, as values."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hitsave import observe
from hitsave.errors import SnapshotError
from hitsave.events import Copied, emit
from hitsave.session import Session, current
from hitsave.snapshot.catalog import find, find_exactly, keep_tree, listing, read_tree
from hitsave.snapshot.contents import is_below
from hitsave.snapshot.file import FileSnapshot, no_remote
from hitsave.snapshot.keep import Keeper, unreadable
from hitsave.snapshot.paths import ROOT, StrPath, place_in_project, recorded_path, text_path
from hitsave.snapshot.place import Link
from hitsave.snapshot.readable import readable_folder
from hitsave.snapshot.restore import Target
from hitsave.snapshot.restore_folder import How, restore_folder
from hitsave.snapshot.scan import scan
from hitsave.snapshot.tree import LARGEST_MODE, Entry

LINKED_MODE = 0o644
"""What a file is that was restored as a link: the one in the store may only be read."""


class Difference(NamedTuple):
    """How two folders differ: the paths of files and folders, in order."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(self[:])


@dataclass(frozen=True, slots=True)
class DirectorySnapshot:
    """A folder as it was at a moment in time, with all that is in it.

    `digest` depends on nothing but relative names, modes and contents, in hexadecimal digits.
    `path` is where the folder was, relative to the root of the project, or absolute where it was
    outside. `size` is the number of bytes in all files, and `files` how many there are. Two are
    equal that have the same digest and path.
    """

    digest: str
    path: str
    size: int = field(compare=False)
    files: int = field(compare=False)

    @classmethod
    def snap(cls, path: StrPath, ignore: Iterable[str] = ()) -> "DirectorySnapshot":
        """Keep the folder at `path` as it is now, with all that is in it.

        `ignore` are patterns as in a `.gitignore`: what they match is left out. So are symbolic
        links, of which is warned. Files that have not changed since the last time are not read
        again. Raises SnapshotError where there is no folder, where anything in it can be no part
        of a snapshot, and where a file keeps changing while it is read.
        """
        session, whole = current(), os.path.abspath(text_path(path))
        real, recorded = _real_folder(whole), recorded_path(whole)
        keeper = Keeper(session.store)
        entries = _keep_all(keeper, real, ignore, _store_folder(session, real))
        digest, tree = keep_tree(session.store, entries)
        size = sum(entry.size for entry in entries)
        files = sum(not entry.is_folder for entry in entries)
        write = listing(digest, recorded, mode=0o755, size=size, files=files, tree=tree)
        keeper.contents.note(write)
        keeper.commit()
        return cls(digest.hex(), recorded, size, files)

    @classmethod
    def from_digest(cls, digest: str) -> "DirectorySnapshot":
        """Return the snapshot whose digest starts with `digest`, six hexadecimal digits or more.

        Raises SnapshotError where the store has none, or more than one.
        """
        found = find(current().store, digest)
        if not found.is_folder:
            raise SnapshotError(f"{digest} is a file's.", "use FileSnapshot.from_digest")
        return cls(found.digest.hex(), found.path, found.size, found.files)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    # -- what is in it --------------------------------------------------------------------------

    def entries(self) -> tuple[Entry, ...]:
        """Return what is in it, in the order of the paths. Raises SnapshotError."""
        store = current().store
        try:
            found = find_exactly(store, bytes.fromhex(self.digest))
        except (ValueError, TypeError):
            raise SnapshotError(f"{self.digest!r} is no digest.") from None
        if found is None or not found.is_folder:
            raise SnapshotError(
                f"The snapshot {self.digest} is not in the store.",
                "snap the folder again, where it still is",
            )
        return read_tree(store, found)

    def __iter__(self) -> Iterator[FileSnapshot]:
        """Yield the snapshots of all files, in the order of their paths."""
        return (self._file(entry) for entry in self.entries() if not entry.is_folder)

    def __truediv__(self, path: str) -> FileSnapshot:
        """Return the snapshot of the file at `path` inside. Raises SnapshotError."""
        for entry in self.entries():
            if entry.path == path and not entry.is_folder:
                return self._file(entry)
        raise SnapshotError(f"There is no file {path!r} in the snapshot {self.digest}.")

    def _file(self, entry: Entry) -> FileSnapshot:
        path = entry.path if self.path == ROOT else f"{self.path}/{entry.path}"
        return FileSnapshot(entry.digest.hex(), path, entry.size, entry.mode)

    def diff(self, other: "DirectorySnapshot") -> Difference:
        """Return what is added, removed and changed in `other`."""
        mine = {entry.path: entry for entry in self.entries()}
        theirs = {entry.path: entry for entry in other.entries()}
        return Difference(
            tuple(sorted(theirs.keys() - mine.keys())),
            tuple(sorted(mine.keys() - theirs.keys())),
            tuple(sorted(p for p in mine.keys() & theirs.keys() if mine[p] != theirs[p])),
        )

    # -- restoring ------------------------------------------------------------------------------

    def restore(self, overwrite: bool | None = None) -> Path:
        """Put the folder back where it was; return the path. See `restore_at`."""
        return self._restore(place_in_project(self.path), How("symlink", overwrite, mirror=False))

    def restore_at(
        self,
        path: StrPath,
        link: Link = "symlink",
        *,
        overwrite: bool | None = None,
        mirror: bool = False,
    ) -> Path:
        """Put the folder at `path`, which is returned.

        Only what differs is written. Into a folder that is there already it is merged; with
        `mirror`, what it does not hold is removed. Files that are replaced or removed are kept
        first, and a warning says how to get them back; with `overwrite=True` they are not, and with
        `overwrite=False` this raises. `link` is as in `FileSnapshot.restore_at`. Raises
        SnapshotError.
        """
        return self._restore(Target.at(text_path(path)), How(link, overwrite, mirror))

    def _restore(self, target: Target, how: How) -> Path:
        restore_folder(Keeper(current().store), self.entries(), target, how)
        return Path(target.path)

    def restore_safe(self) -> Path:
        """Return the path of a folder in the store that holds it, and must not be written to."""
        return Path(readable_folder(Keeper(current().store), self.digest, self.entries()))

    def upload(self) -> None:
        """Send the content to the team's cache. Raises SnapshotError until there is one."""
        raise no_remote()

    def __hitsave_digest__(self) -> tuple[str, str]:
        """What counts of it as an argument: it may be restored, and then the path shows."""
        return self.digest, self.path


def _real_folder(whole: str) -> str:
    real = os.path.realpath(whole)
    try:
        status = os.stat(real)
    except OSError as error:
        raise unreadable(whole, error) from error
    if not stat.S_ISDIR(status.st_mode):
        raise SnapshotError(f"{whole} is no folder.", "use FileSnapshot.snap")
    return real


def _store_folder(session: Session, folder: str) -> str:
    """Return the store's folder. Raises SnapshotError where `folder` is in it."""
    home = os.path.realpath(session.settings.home)
    if is_below(folder, home):
        raise SnapshotError(f"{folder} is in the store itself, and cannot be snapped.")
    return home


def _keep_all(keeper: Keeper, folder: str, ignore: Iterable[str], home: str) -> list[Entry]:
    contents, entries = keeper.contents, list[Entry]()
    observe.tell_listed(folder)
    for path, status in scan(folder, ignore, home, lambda link: contents.linked(link) is not None):
        whole = os.path.join(folder, path)
        if stat.S_ISDIR(status.st_mode):
            observe.tell_listed(whole)
            entries.append(Entry(path, stat.S_IMODE(status.st_mode) & LARGEST_MODE, 0, b""))
            continue
        emit(Copied(path, status.st_size))
        observe.tell_read(whole)
        blob = contents.linked(whole) if stat.S_ISLNK(status.st_mode) else None
        if blob is not None:
            entries.append(Entry(path, LINKED_MODE, blob.size, blob.digest))
        else:
            kept = keeper.keep(whole, pack=True)
            entries.append(Entry(path, kept.mode, kept.blob.size, kept.blob.digest))
    return entries
