"""Keeping: how a file's content gets into the store.

Owns that what is digested is what is kept, also while somebody writes to the file. Refuses what is
no file: a device would never end, a pipe would wait.
"""

import errno
import os
import stat
from io import BytesIO, FileIO
from typing import Any, NamedTuple

from hitsave import observe
from hitsave.digest import Digest, digest_bytes
from hitsave.errors import HitsaveError, SnapshotError
from hitsave.session import Session
from hitsave.snapshot.catalog import is_wanted, list_file, listing
from hitsave.snapshot.contents import SMALL, Contents
from hitsave.snapshot.links import write_link
from hitsave.snapshot.seen import USUAL_MODE, Seen, State
from hitsave.snapshot.tree import LARGEST_MODE
from hitsave.store import Blob, Store
from hitsave.store.blobs import digest_rest

ATTEMPTS = 5
"""How often a file is read that changes while it is read."""


class Kept(NamedTuple):
    """A file that was kept: its content, and its permission bits."""

    blob: Blob
    mode: int


class Keeper:
    """Keeps files. What it has kept is there for others once `commit` returns."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.contents = Contents(store)
        self._seen = Seen(store)

    def commit(self) -> None:
        """Bring everything to the store. Raises StoreUnavailableError."""
        self.contents.commit()

    def end(self, session: Session, digest: Digest) -> None:
        """Tell of a snapshot that was taken, and of what the store has grown by."""
        observe.tell_snapped(digest)
        session.grew(self.contents.written)

    def keep(self, path: str, *, pack: bool = False, follow: bool = False) -> Kept:
        """Keep the content of the file at `path`; small ones in packs, with `pack`.

        `path` has no symbolic link in it; the file may be one, with `follow`. Raises SnapshotError.
        """
        try:
            with _Source(path, follow) as file:
                kept = self._keep(file, path, pack)
        except OSError as error:
            if isinstance(error, HitsaveError):
                raise
            raise unreadable(path, error) from error
        if kept is None:
            raise SnapshotError(
                f"{path} kept changing while it was read.", "snap it when nobody writes to it"
            )
        return kept

    def has_content(self, path: str, blob: Blob) -> bool:
        """Whether the file at `path` holds the bytes of `blob`, without keeping it otherwise."""
        with _Source(path, follow=False) as file:
            state = State.of(os.fstat(file.fileno()))
            if state.size != blob.size:
                return False
            return (self._seen.content(path, state) or digest_rest(file, state.size)) == blob

    def snap(self, path: str, list_as: str, *, by_call: bool) -> Kept:
        """As `keep_any`, with its snapshot in the catalogue at once."""
        kept = self.keep_any(path)
        self._list(kept, list_as, by_call)
        return kept

    def keep_lost(self, path: str, list_as: str) -> Kept:
        """As `keep_any`, of what is about to be replaced: it stays until somebody removes it."""
        kept = self.keep_any(path)
        if not is_wanted(self.store, kept.blob.digest):
            self._list(kept, list_as, by_call=False)
        # Not even a power cut may take what was replaced, and leave what replaced it.
        self.store.flush()
        return kept

    def _list(self, kept: Kept, list_as: str, by_call: bool) -> None:
        found = list_file(kept.blob.digest, list_as, kept.mode, kept.blob.size)
        self.contents.note(listing(found._replace(by_call=by_call)))
        self.commit()

    def keep_any(
        self, path: str, *, pack: bool = False, status: os.stat_result | None = None
    ) -> Kept:
        """As `keep` of a file, or of what a link leads to; `status` is its own, if that is known.

        A link that was restored stands for the file that it was restored from.
        """
        try:
            status = status or os.lstat(path)
        except OSError as error:
            raise unreadable(path, error) from error
        if not stat.S_ISLNK(status.st_mode):
            return self._kept_before(path, status) or self.keep(path, pack=pack)
        if not self.contents.leads_here(path):
            return self.keep(os.path.realpath(path))
        mode = self._seen.link_mode(path, status)
        blob = self.contents.linked(path)
        # Somebody may have written through it.
        return Kept(blob or self.keep(path, follow=True).blob, mode)

    def note_restored(self, path: str, digest: Digest) -> None:
        """Note that links are about to be made at `path` that lead to a snapshot's content."""
        write = write_link(self.store, path, digest)
        if write is not None:
            self.contents.note(write)
            self.commit()
            # A link that outlives a power cut is known of, or what it leads to may be collected.
            self.store.flush()

    def note_link(self, path: str, mode: int) -> None:
        """Note with which permission bits the file was kept that a new link stands for."""
        if mode != USUAL_MODE:
            self.contents.note(self._seen.link_write(path, os.lstat(path), mode))

    def _kept_before(self, path: str, status: os.stat_result) -> Kept | None:
        """Return what a file was kept as that has not changed since; it is not even opened."""
        known = self._seen.content(path, State.of(status))
        if known is None or not self.contents.has(known):
            return None
        return Kept(known, stat.S_IMODE(status.st_mode) & LARGEST_MODE)

    def _keep(self, file: FileIO, path: str, pack: bool) -> Kept | None:
        for _ in range(ATTEMPTS):
            before = os.fstat(file.fileno())
            blob = self._content(file, State.of(before), pack)
            if State.of(os.fstat(file.fileno())) == State.of(before):
                self._note(path, State.of(before), blob)
                return Kept(blob, stat.S_IMODE(before.st_mode) & LARGEST_MODE)
            file.seek(0)
        return None

    def _content(self, file: FileIO, state: State, pack: bool) -> Blob:
        if state.size < SMALL:
            return self._small(b"".join(iter(lambda: file.read(SMALL), b"")), pack)
        # Read twice only where it may be for nothing that a copy would be made.
        if self._seen.knows_size(state.size):
            blob = digest_rest(file)
            if self.contents.has(blob):
                return blob
            file.seek(0)
        return self.contents.write(file)

    def _small(self, content: bytes, pack: bool) -> Blob:
        # The size that the system says need not be true: of files in `/proc` it is 0.
        if pack and len(content) < SMALL:
            return self.contents.write_small(content)
        blob = Blob(digest_bytes(content), len(content))
        is_there = self.store.has_blob(blob)
        return blob if is_there else self.contents.write(BytesIO(content))

    def _note(self, path: str, state: State, blob: Blob) -> None:
        write = self._seen.write(path, state, blob)
        if write is not None:
            self.contents.note(write)
        if blob.size >= SMALL and not self._seen.knows_size(blob.size):
            self.contents.note(self._seen.size_write(blob.size))


class _Source(FileIO):
    """A file that is read. Trouble with it is not taken for trouble of the store's."""

    def __init__(self, path: str, follow: bool) -> None:
        super().__init__(_open(path, follow))
        self._path = path

    def readinto(self, buffer: Any) -> int:
        """Read as much as fits into `buffer`. Raises SnapshotError."""
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise unreadable(self._path, error) from error


def _open(path: str, follow: bool) -> int:
    """Open a file to read it; nothing else is opened, and no other is waited for."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    check_file(path, os.stat(path, follow_symlinks=follow))
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    try:
        # Another one may have taken its place.
        check_file(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_file(path: str, status: os.stat_result) -> None:
    """Raise SnapshotError unless a status is that of a file."""
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISDIR(status.st_mode):
        raise SnapshotError(f"{path} is a folder.", "use DirectorySnapshot.snap")
    found = next((name for test, name in _KINDS if test(status.st_mode)), "something else")
    raise SnapshotError(f"{path} is {found}, and not a file.", "read it, and snap what was read")


_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def unreadable(path: str, error: OSError) -> SnapshotError:
    """Return the error that says why `path` cannot be read."""
    hint = "check the path" if error.errno == errno.ENOENT else ""
    return SnapshotError(f"{path} cannot be snapped: {error.strerror or error}.", hint)
