"""Snapshots of files, as values."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from hitsave import observe
from hitsave.digest import SIZE, Digest
from hitsave.errors import SnapshotError
from hitsave.session import current
from hitsave.snapshot.catalog import find
from hitsave.snapshot.keep import Keeper, Kept
from hitsave.snapshot.paths import StrPath, place_in_project, recorded_path, whole_path
from hitsave.snapshot.place import Link
from hitsave.snapshot.restore_file import Target, Way, restore_file
from hitsave.store import Blob


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    """A file as it was at a moment in time: a value that can be returned, stored and restored.

    `digest` is the BLAKE3 digest of the content, in hexadecimal digits, as `b3sum` prints it;
    `path` is where the file was, relative to the root of the project with `/` between its parts,
    or absolute where it was outside. `size` is in bytes, and `mode` has the permission bits. The
    content itself is in the local store. Two are equal that have the same digest and path.
    """

    digest: str
    path: str
    size: int = field(compare=False)
    mode: int = field(compare=False, default=0o644)

    @classmethod
    def snap(cls, path: StrPath) -> "FileSnapshot":
        """Keep the file at `path` as it is now.

        Its content is copied to the local store, unless it is there already; nothing of it stays
        in memory. A file that has not changed since the last time is not read again. Raises
        SnapshotError where `path` leads to no file that can be read, or where the file keeps
        changing while it is read.
        """
        whole = whole_path(path)
        recorded = recorded_path(whole)
        observe.tell_read(whole)
        by_call = observe.is_asked_by_call()
        session = current()
        keeper = Keeper(session.store)
        kept = keeper.snap(whole, recorded, by_call=by_call)
        keeper.end(session, kept.blob.digest)
        return cls(kept.blob.digest.hex(), recorded, kept.blob.size, kept.mode)

    @classmethod
    def from_digest(cls, digest: str) -> "FileSnapshot":
        """Return the snapshot whose digest starts with `digest`, six hexadecimal digits or more.

        Raises SnapshotError where the store has none, or more than one.
        """
        found = find(current().store, digest)
        if found.is_folder:
            raise SnapshotError(f"{digest} is a folder's.", "use DirectorySnapshot.from_digest")
        return cls(found.digest.hex(), found.path, found.size, found.mode)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The last suffix of the name, with its dot, or an empty string."""
        return os.path.splitext(self.name)[1]

    def restore(self, overwrite: bool | None = None) -> Path:
        """Put the file back where it was, as a link to the store; return the path.

        A file that is there already is replaced in one step, after its own content was kept, and a
        warning says how to get it back. With `overwrite=True` it is replaced without both; with
        `overwrite=False` this raises. Raises SnapshotError.
        """
        return self._restore(place_in_project(self.path), Way("symlink", overwrite))

    def restore_at(
        self, path: StrPath, link: Link = "symlink", overwrite: bool | None = None
    ) -> Path:
        """As `restore`, at another path.

        By `link`: "symlink" makes a link to the file in the store, which must not be written to;
        "copy" makes a file of its own, "reflink" one that shares its blocks where the file system
        can. An executable is always a file of its own: the one in the store is not executable.
        """
        return self._restore(Target.at(whole_path(path)), Way(link, overwrite))

    def _restore(self, target: Target, way: Way) -> Path:
        kept = Kept(self._blob, self.mode)
        observe.tell_made(target.path)
        keeper, list_as = Keeper(current().store), recorded_path(target.path)
        if way.link == "symlink":
            keeper.note_restored(target.path, kept.blob.digest)
        restore_file(keeper, kept, target, way, list_as)
        return Path(target.path)

    def restore_safe(self) -> Path:
        """Return the path of the file in the store, which must not be written to."""
        return Path(Keeper(current().store).contents.path(self._blob))

    @contextmanager
    def open(self, mode: str = "r", **options: Any) -> Iterator[IO[Any]]:
        """Open the content to read it, as `open` does."""
        if mode not in ("r", "rt", "rb"):
            raise SnapshotError(f"A snapshot cannot be opened with {mode!r}.", "it can be read")
        with open(self.restore_safe(), mode, **options) as file:
            yield file

    def read_bytes(self) -> bytes:
        """Return the whole content."""
        return self.restore_safe().read_bytes()

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the whole content as text."""
        return self.restore_safe().read_text(encoding)

    def upload(self) -> None:
        """Send the content to the team's cache. Raises SnapshotError until there is one."""
        raise no_remote()

    def __hitsave_digest__(self) -> tuple[str, str, int]:
        """What counts of it as an argument: it may be restored, and then path and mode show."""
        return self.digest, self.path, self.mode

    @property
    def _blob(self) -> Blob:
        return Blob(whole_digest(self.digest), self.size)


def whole_digest(digits: str) -> Digest:
    """Return the digest that hexadecimal digits stand for. Raises SnapshotError."""
    try:
        digest = bytes.fromhex(digits)
    except (ValueError, TypeError):
        digest = b""
    if len(digest) != SIZE:
        raise SnapshotError(f"{digits!r} is no digest.")
    return digest


def no_remote() -> SnapshotError:
    """Return the error that says that nothing can be sent anywhere."""
    return SnapshotError(
        "No remote is set up, so that nothing can be uploaded.",
        "snapshots stay in the local store of this computer",
    )
