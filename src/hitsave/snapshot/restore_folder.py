"""Restoring a folder: it is made beside its place, and then takes it.

Owns that a folder that was not there appears whole or not at all. Into one that is there, `merge`
puts what differs.
"""

import os
import stat
from collections.abc import Collection

from hitsave import observe
from hitsave.errors import SnapshotError
from hitsave.snapshot.keep import Keeper
from hitsave.snapshot.making import make_all, note_links, staging
from hitsave.snapshot.merge import Merge
from hitsave.snapshot.place import folder_in, open_folder, status_in, translating
from hitsave.snapshot.restore_file import ATTEMPTS, Target, Way
from hitsave.snapshot.tree import Entry


def restore_folder(
    keeper: Keeper, entries: Collection[Entry], target: Target, way: Way, list_as: str
) -> None:
    """Let the target be a folder that holds the entries.

    What is replaced is kept under the path `list_as`. Raises SnapshotError.
    """
    way.check()
    with translating(target.path), open_folder(target.base, target.parent) as parent:
        for _ in range(ATTEMPTS):
            if _is_there(parent, target):
                with folder_in(parent, target.name) as folder:
                    Merge(keeper, target.path, way, list_as).into(folder, entries)
                return
            if _make(keeper, entries, parent, target, way):
                return
    raise SnapshotError(f"{target.path} comes and goes.", "restore it when nobody writes there")


def _is_there(parent: int, target: Target) -> bool:
    status = status_in(parent, target.name)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        raise SnapshotError(
            f"{target.path} is no folder; a folder cannot take its place.",
            "remove it, or restore elsewhere",
        )
    return status is not None


def _make(
    keeper: Keeper, entries: Collection[Entry], parent: int, target: Target, way: Way
) -> bool:
    """Whether the folder was made; False where somebody else has made one meanwhile."""
    with staging(parent) as stage:
        make_all(keeper, entries, stage.folder, way.link)
        observe.tell_made(target.path)
        try:
            os.rename(stage.name, target.name, src_dir_fd=parent, dst_dir_fd=parent)
        except OSError:
            if status_in(parent, target.name) is None:
                raise
            return False
    note_links(keeper, entries, target.path, way.link)
    return True
