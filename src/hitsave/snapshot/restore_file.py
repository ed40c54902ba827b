"""Restoring a file: its content takes its place in the file system again.

Owns that nothing of the user's is lost: what is replaced is kept first, also what is written at the
last moment, and the target is either as it was or as it should be. Refuses a target that is no
file.
"""

import os
import stat
from typing import NamedTuple

from hitsave.digest import short
from hitsave.errors import SnapshotError
from hitsave.events import warn
from hitsave.snapshot.keep import Keeper, Kept
from hitsave.snapshot.place import (
    LINKS,
    Link,
    make_file,
    open_folder,
    put_in_place_of,
    put_where_nothing_is,
    remove_in,
    status_in,
    translating,
    way_to_restore,
)
from hitsave.store import Blob
from hitsave.store.disk import fresh_name

ATTEMPTS = 5
"""How often a file is kept again that is written to before another can take its place."""


class Target(NamedTuple):
    """Where something is restored: below `base`, at `inside`, a path with `/`.

    Links may lead to `base`, and are not followed below it.
    """

    base: str
    inside: str

    @property
    def path(self) -> str:
        """The whole path."""
        return os.path.join(self.base, *self.inside.split("/"))

    @classmethod
    def at(cls, whole: str) -> "Target":
        """The target that an absolute path names."""
        return cls(os.path.dirname(whole), os.path.basename(whole))

    @property
    def parent(self) -> str:
        """The folder that it lies in, below `base`."""
        return self.inside.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.inside.rpartition("/")[2]


class Way(NamedTuple):
    """How something is restored: see `restore_at` of the snapshots.

    `list_as` is the path that what is replaced goes by in the catalogue.
    """

    link: Link
    overwrite: bool | None
    mirror: bool = False

    def check(self) -> None:
        """Raise SnapshotError unless there is such a way."""
        if self.link not in LINKS:
            known = ", ".join(LINKS)
            raise SnapshotError(f"A file cannot be restored by {self.link!r}.", f"one of {known}")


def restore_file(keeper: Keeper, kept: Kept, target: Target, way: Way, list_as: str) -> None:
    """Let the target be a file of that content; what it held is kept under the path `list_as`.

    Raises SnapshotError.
    """
    way.check()
    way = way._replace(link=way_to_restore(keeper.contents, kept.mode, way.link))
    with translating(target.path), open_folder(target.base, target.parent) as folder:
        before = _check(target.path, status_in(folder, target.name))
        if before is not None and is_same(keeper, kept, target.path, before, way):
            return
        made = fresh_name(".hitsave")
        try:
            make_file(keeper.contents, *kept, folder, made, way.link)
            place = Place(keeper, folder, made, folder, target.name, target.path, list_as)
            place.put(kept.blob, way.overwrite)
        finally:
            remove_in(folder, made)
        if way.link == "symlink":
            keeper.note_link(target.path, kept.mode)
            keeper.commit()


class Place(NamedTuple):
    """A new file, `made` in the open folder `stage`, and where it goes: `name` in `folder`."""

    keeper: Keeper
    stage: int
    made: str
    folder: int
    name: str
    path: str
    list_as: str

    def put(self, blob: Blob, overwrite: bool | None) -> None:
        """Let the new file take its place. What is lost by that is kept, and told of."""
        for _ in range(ATTEMPTS):
            before = _check(self.path, status_in(self.folder, self.name))
            if before is None:
                if put_where_nothing_is(self.stage, self.made, self.folder, self.name):
                    return
                continue
            if not overwrite and would_lose(self.keeper, blob, self.path, before):
                self._keep(before, overwrite)
            if put_in_place_of(self.stage, self.made, self.folder, self.name, before):
                return
        raise SnapshotError(
            f"{self.path} kept changing while it was to be replaced.",
            "restore it when nobody writes to it",
        )

    def _keep(self, before: os.stat_result, overwrite: bool | None) -> None:
        if overwrite is not None:
            raise there_already(self.path)
        if stat.S_ISLNK(before.st_mode) and not self.keeper.contents.leads_here(self.path):
            tell_of_link(self.path, os.readlink(self.name, dir_fd=self.folder))
            return
        digest = self.keeper.keep_lost(self.path, self.list_as).blob.digest
        warn(
            f"replaced:{self.path}:{digest.hex()}",
            f"{self.path} was there already and is replaced; what it held is kept.",
            f"`hitsave snapshot --restore {short(digest)} PATH` gives it back; "
            "overwrite=True keeps and says nothing",
        )


def tell_of_link(path: str, led: str) -> None:
    """Say that a link is replaced, of which nothing else is kept."""
    warn(f"replaced:{path}:{led}", f"The link {path} to {led} is replaced.")


def there_already(path: str) -> SnapshotError:
    """Return the error that says that a file is in the way."""
    return SnapshotError(f"{path} is there already.", "overwrite=True replaces it")


def _check(path: str, status: os.stat_result | None) -> os.stat_result | None:
    """Return a status. Raises SnapshotError unless a file may take the place of what has it."""
    mode = stat.S_IFREG if status is None else status.st_mode
    if stat.S_ISDIR(mode):
        raise SnapshotError(
            f"{path} is a folder; a file cannot take its place.", "restore it elsewhere"
        )
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise SnapshotError(f"{path} is no file; nothing can take its place.", "remove it first")
    return status


def is_same(keeper: Keeper, kept: Kept, path: str, status: os.stat_result, way: Way) -> bool:
    """Whether what is there is what would be restored: the content, the mode, and a link or not."""
    _check(path, status)
    if stat.S_ISLNK(status.st_mode) or way.link == "symlink":
        return way.link == "symlink" and keeper.contents.linked(path) == kept.blob
    if stat.S_IMODE(status.st_mode) != kept.mode or status.st_size != kept.blob.size:
        return False
    try:
        return keeper.has_content(path, kept.blob)
    except OSError:
        # What may be replaced need not be readable.
        if way.overwrite:
            return False
        raise


def would_lose(keeper: Keeper, blob: Blob, path: str, status: os.stat_result) -> bool:
    """Whether something is lost where `blob` takes the place of a file or link."""
    if stat.S_ISLNK(status.st_mode):
        return keeper.contents.linked(path) is None
    return not keeper.has_content(path, blob)
