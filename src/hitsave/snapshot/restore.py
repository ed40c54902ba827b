"""Restoring a file: its content takes its place in the file system again.

Owns that nothing of the user's is lost: what is replaced is kept first, and the target is either as
it was or as it should be. Refuses a target that is no file.
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
    is_linked,
    make_file,
    open_folder,
    put_in_place,
    remove_in,
    status_in,
    translating,
)
from hitsave.store import Blob
from hitsave.store.disk import fresh_name


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
    def at(cls, path: str) -> "Target":
        """The target that a user names by a path of any form."""
        whole = os.path.abspath(path)
        return cls(os.path.dirname(whole), os.path.basename(whole))

    @property
    def parent(self) -> str:
        """The folder that it lies in, below `base`."""
        return self.inside.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Its own name."""
        return self.inside.rpartition("/")[2]


def check_link(link: str) -> None:
    """Raise SnapshotError unless `link` is a way to restore a file."""
    if link not in LINKS:
        raise SnapshotError(f"A file cannot be restored by {link!r}.", f"one of {', '.join(LINKS)}")


def restore_file(
    keeper: Keeper, kept: Kept, target: Target, link: Link, overwrite: bool | None
) -> None:
    """Let the target be a file of that content. Raises SnapshotError."""
    check_link(link)
    with translating(target.path), open_folder(target.base, target.parent) as folder:
        before = status_in(folder, target.name)
        if before is not None:
            check_replaceable(target.path, before)
        if before is not None and is_same(keeper, kept, target.path, before, link):
            return
        is_lost = before is not None and would_lose(keeper, kept.blob, target.path, before)
        if is_lost and overwrite is False:
            raise SnapshotError(f"{target.path} is there already.", "overwrite=True replaces it")
        temporary = fresh_name(".hitsave")
        try:
            make_file(keeper.contents, *kept, folder, temporary, link)
            if is_lost and not overwrite:
                # At the last moment: somebody may write to it until then.
                _keep_replaced(keeper, target.path)
            put_in_place(folder, temporary, folder, target.name)
        except BaseException:
            remove_in(folder, temporary)
            raise


def check_replaceable(path: str, status: os.stat_result) -> None:
    """Raise SnapshotError unless a status is that of a file or link, which a file may replace."""
    if stat.S_ISDIR(status.st_mode):
        raise SnapshotError(
            f"{path} is a folder; a file cannot take its place.", "restore it elsewhere"
        )
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
        raise SnapshotError(f"{path} is no file; nothing can take its place.", "remove it first")


def is_same(keeper: Keeper, kept: Kept, path: str, status: os.stat_result, link: Link) -> bool:
    """Whether a file is what would be restored, in content, in mode, and in being a link."""
    should_link = is_linked(keeper.contents, kept.blob, kept.mode, link)
    if stat.S_ISLNK(status.st_mode) or should_link:
        return should_link and keeper.contents.linked(path) == kept.blob
    if stat.S_IMODE(status.st_mode) != kept.mode:
        return False
    return keeper.has_content(path, kept.blob)


def would_lose(keeper: Keeper, blob: Blob, path: str, status: os.stat_result) -> bool:
    """Whether something is lost where `blob` takes the place of a file or link."""
    if stat.S_ISLNK(status.st_mode):
        return keeper.contents.linked(path) is None
    return not keeper.has_content(path, blob)


def _keep_replaced(keeper: Keeper, path: str) -> None:
    """Keep what is about to be replaced, and say so."""
    if os.path.islink(path):
        warn(f"replaced:{path}", f"The link {path} is replaced.", "overwrite=True says nothing")
        return
    digest = keeper.keep_listed(path, path).blob.digest
    warn(
        f"replaced:{path}:{digest.hex()}",
        f"{path} was there already and is replaced; what it held is kept.",
        f"`hitsave snapshot --restore {short(digest)} PATH` gives it back; "
        "overwrite=True keeps and says nothing",
    )
