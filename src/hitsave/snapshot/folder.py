"""Snapshots of folders, as values."""

import os
import stat
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from hitsave import observe
from hitsave.digest import Digest
from hitsave.errors import SnapshotError
from hitsave.events import Copied, emit, listening
from hitsave.session import Session, current
from hitsave.snapshot.aside import Aside
from hitsave.snapshot.catalog import find, keep_tree, list_folder, listing, read_tree
from hitsave.snapshot.contents import SMALL, is_below
from hitsave.snapshot.file import FileSnapshot, no_remote, whole_digest
from hitsave.snapshot.keep import Keeper, unreadable
from hitsave.snapshot.paths import ROOT, StrPath, place_in_project, recorded_path, whole_path
from hitsave.snapshot.place import Link
from hitsave.snapshot.readable import readable_folder
from hitsave.snapshot.restore_file import Target, Way
from hitsave.snapshot.restore_folder import restore_folder
from hitsave.snapshot.scan import scan
from hitsave.snapshot.tree import LARGEST_MODE, Entry, Tree, by_path, pack_tree
from hitsave.snapshot.walk import Found, join
from hitsave.store import Store

MOST_WAITING = 1000
"""How many entries wait at most for a large file that comes before them."""


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
        session, whole = current(), whole_path(path)
        real, recorded = _real_folder(whole), recorded_path(whole)
        keeper = Keeper(session.store)
        # What is under way ends here, whatever becomes of the list.
        with closing(_keep_all(keeper, real, ignore, _store_folder(session, real))) as entries:
            tree = pack_tree(entries)
        digest = keep_tree(session.store, tree)
        found = list_folder(digest, recorded, tree)
        found = found._replace(by_call=observe.is_asked_by_call())
        keeper.contents.note(listing(found))
        keeper.commit()
        keeper.end(session, digest)
        return cls(digest.hex(), recorded, tree.size, tree.files)

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
        return tuple(self.tree())

    def tree(self) -> Tree:
        """As `entries`, each of which is made when it is asked for. Raises SnapshotError."""
        return _read_tree(current().store, whole_digest(self.digest))

    def __iter__(self) -> Iterator[FileSnapshot]:
        """Yield the snapshots of all files, in the order of their paths."""
        return (self._file(entry) for entry in self.tree() if not entry.is_folder)

    def __truediv__(self, path: str) -> FileSnapshot:
        """Return the snapshot of the file at `path` inside. Raises SnapshotError."""
        entry = self.tree().find(path) if isinstance(path, str) else None
        if entry is None or entry.is_folder:
            raise SnapshotError(f"There is no file {path!r} in the snapshot {self.digest}.")
        return self._file(entry)

    def _file(self, entry: Entry) -> FileSnapshot:
        path = entry.path if self.path == ROOT else f"{self.path}/{entry.path}"
        return FileSnapshot(entry.digest.hex(), path, entry.size, entry.mode)

    def diff(self, other: "DirectorySnapshot") -> Difference:
        """Return what is added, removed and changed in `other`. Raises SnapshotError."""
        if not isinstance(other, DirectorySnapshot):
            raise SnapshotError(f"{other!r} is no snapshot of a folder.")
        added, removed, changed = list[str](), list[str](), list[str]()
        for mine, their in join(by_path(self.tree()), by_path(other.tree())):
            if mine is None:
                added += [their.path] if their else []
            elif their is None:
                removed.append(mine.path)
            elif mine != their:
                changed.append(mine.path)
        return Difference(tuple(added), tuple(removed), tuple(changed))

    # -- restoring ------------------------------------------------------------------------------

    def restore(self, overwrite: bool | None = None) -> Path:
        """Put the folder back where it was; return the path. See `restore_at`."""
        return self._restore(place_in_project(self.path), Way("symlink", overwrite))

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
        `mirror`, the files that it does not hold are removed. Files that are replaced or removed
        are kept first, and a warning says how to get them back; with `overwrite=True` they are not,
        and with `overwrite=False` this raises. `link` is as in `FileSnapshot.restore_at`. Raises
        SnapshotError.
        """
        return self._restore(Target.at(whole_path(path)), Way(link, overwrite, mirror))

    def _restore(self, target: Target, way: Way) -> Path:
        keeper, list_as = Keeper(current().store), recorded_path(target.path)
        if way.link == "symlink":
            keeper.note_restored(target.path, whole_digest(self.digest))
        restore_folder(keeper, self.tree(), target, way, list_as)
        return Path(target.path)

    def restore_safe(self) -> Path:
        """Return the path of a folder in the store that holds it, and must not be written to."""
        return Path(readable_folder(Keeper(current().store), self.digest, self.tree()))

    def upload(self) -> None:
        """Send the content to the team's cache. Raises SnapshotError until there is one."""
        raise no_remote()

    def __hitsave_digest__(self) -> tuple[str, str]:
        """What counts of it as an argument: it may be restored, and then the path shows."""
        return self.digest, self.path


@lru_cache(maxsize=4)
def _read_tree(store: Store, digest: Digest) -> Tree:
    # What a digest stands for never changes: one file after the other may be asked for.
    return read_tree(store, digest)


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


def _keep_all(
    keeper: Keeper, folder: str, ignore: Iterable[str], home: str
) -> Generator[Entry, None, None]:
    """Keep what is in a folder, and yield the entries in the order of the paths."""
    waiting = deque[Entry | Callable[[], Entry]]()
    observe.tell_listed(folder)
    # Large files are each brought to disk by themselves, for which one need not wait for another.
    with Aside() as aside:
        for found in scan(folder, ignore, home, keeper.contents.leads_here):
            waiting.append(_keep(keeper, folder, found, aside))
            while waiting and (isinstance(waiting[0], Entry) or len(waiting) > MOST_WAITING):
                yield _entry(waiting.popleft())
        yield from map(_entry, waiting)


def _entry(found: Entry | Callable[[], Entry]) -> Entry:
    return found if isinstance(found, Entry) else found()


def _keep(keeper: Keeper, folder: str, found: Found, aside: Aside) -> Entry | Callable[[], Entry]:
    """Keep what was found; return its entry, or what waits for that."""
    path, status = found
    whole = os.path.join(folder, path)
    if found.is_folder:
        observe.tell_listed(whole)
        return Entry(path, stat.S_IMODE(status.st_mode) & LARGEST_MODE, 0, b"")
    if listening():
        emit(Copied(path, status.st_size))
    observe.tell_read(whole)
    if status.st_size >= SMALL:
        return aside.begin(partial(_keep_file, keeper, whole, found, pack=False))
    return _keep_file(keeper, whole, found, pack=True)


def _keep_file(keeper: Keeper, whole: str, found: Found, pack: bool) -> Entry:
    kept = keeper.keep_any(whole, pack=pack, status=found.status)
    return Entry(found.path, kept.mode, kept.blob.size, kept.blob.digest)
