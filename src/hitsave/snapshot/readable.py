"""Folders in the store that hold a snapshot, to be read where they are.

Owns that one that is there holds what it says: files in it cannot be written to by accident, and
one that was changed all the same is made anew. Refuses to be a place to work in.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Container
from contextlib import suppress

from hitsave.digest import Digest
from hitsave.errors import SnapshotError
from hitsave.snapshot.catalog import read_tree
from hitsave.snapshot.keep import Keeper
from hitsave.snapshot.making import STAGE, make_all, name_of, parent_of, staging
from hitsave.snapshot.place import folder_in, open_folder, remove_in, status_in, translating
from hitsave.snapshot.tree import Entry, Tree
from hitsave.store import Blob, Store
from hitsave.store.blobs import digest_file
from hitsave.store.disk import fresh_name

_WRITE = 0o222


def readable_folder(keeper: Keeper, digest: str, tree: Tree) -> str:
    """Return the path of a folder that holds a tree, made where it is absent or changed."""
    base = keeper.store.folder_of_trees()
    path = os.path.join(base, digest)
    with translating(path), open_folder(base) as trees:
        while not _is_whole(keeper, path, tree):
            _make(keeper, tree, trees, digest)
        os.utime(path)  # it is in use from now on
    return path


def delete_readable(store: Store, kept: Container[Digest], before: float) -> None:
    """Remove folders that hold other snapshots than those, made before a time.

    The time is in seconds since the epoch.
    """
    base = store.folder_of_trees()
    with open_folder(base) as trees:
        for name in os.listdir(trees):
            status = status_in(trees, name)
            if status is not None and status.st_ctime <= before and _digest(name) not in kept:
                _remove(trees, name)


def check_readable(store: Store, is_drawn: Callable[[], bool]) -> tuple[int, int]:
    """Read folders that hold snapshots; return how many were as they were made, and how many not.

    These are removed, and made anew when they are asked for. What a folder holds is looked up again
    where `is_drawn` says so. Files that links lead to are not read: these are blobs.
    """
    keeper, counts = Keeper(store), Counter[bool]()
    base = store.folder_of_trees()
    with open_folder(base) as trees:
        for name in os.listdir(trees):
            if _digest(name) and is_drawn():
                is_sound = _holds_what_it_says(keeper, os.path.join(base, name), _digest(name))
                counts[is_sound] += 1
                if not is_sound:
                    _remove(trees, name)
    return counts[True], counts[False]


def _holds_what_it_says(keeper: Keeper, path: str, digest: Digest) -> bool:
    try:
        tree = read_tree(keeper.store, digest)
    except SnapshotError:
        return False  # nobody can ask for it, or say what should be in it
    return _is_whole(keeper, path, tree) and all(
        _has_content(os.path.join(path, entry.path), entry) for entry in tree if not entry.is_folder
    )


def _has_content(path: str, entry: Entry) -> bool:
    try:
        return os.path.islink(path) or digest_file(path) == Blob(entry.digest, entry.size)
    except OSError:
        return False


def _remove(trees: int, name: str) -> None:
    with suppress(FileNotFoundError):
        # At once, so that nobody finds half of it.
        aside = fresh_name(STAGE)
        os.rename(name, aside, src_dir_fd=trees, dst_dir_fd=trees)
        remove_in(trees, aside)


def _digest(name: str) -> Digest:
    try:
        return bytes.fromhex(name)
    except ValueError:
        return b""


def _make(keeper: Keeper, tree: Tree, trees: int, digest: str) -> None:
    """Make the folder beside its place, and let it take that, if nobody else was faster."""
    with staging(trees) as stage:
        make_all(keeper, map(_read_only, tree), stage.folder, "symlink")
        _stamp(stage.folder, tree)
        os.fchmod(stage.folder, 0o555)
        with suppress(FileNotFoundError):
            # One that was changed. Whoever reads in it goes on reading there.
            os.rename(digest, f"{stage.name}-old", src_dir_fd=trees, dst_dir_fd=trees)
        with suppress(OSError):
            os.rename(stage.name, digest, src_dir_fd=trees, dst_dir_fd=trees)
        remove_in(trees, f"{stage.name}-old")


def _read_only(entry: Entry) -> Entry:
    more = 0o500 if entry.is_folder else 0o400
    return entry._replace(mode=entry.mode & ~_WRITE | more)


def _stamp(folder: int, tree: Tree) -> None:
    """Give copies a time that a change of theirs would alter."""
    for entry in tree:
        if not entry.is_folder:
            with folder_in(folder, parent_of(entry.path)) as inner:
                os.utime(name_of(entry.path), ns=(0, 0), dir_fd=inner, follow_symlinks=False)


def _is_whole(keeper: Keeper, path: str, tree: Tree) -> bool:
    """Whether everything is there and as it was made."""
    try:
        if _count(path) != len(tree):
            return False
        return all(_is_as_made(keeper, os.path.join(path, entry.path), entry) for entry in tree)
    except OSError:
        return False


def _count(path: str) -> int:
    return sum(len(folders) + len(files) for _, folders, files in os.walk(path))


def _is_as_made(keeper: Keeper, path: str, entry: Entry) -> bool:
    status = os.lstat(path)
    if entry.is_folder:
        return stat.S_ISDIR(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        return (status.st_size, status.st_mtime_ns) == (entry.size, 0)
    return keeper.contents.linked(path) == Blob(entry.digest, entry.size)
