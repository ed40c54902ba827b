"""Restoring a folder: what differs is made beside it, and then takes its place.

Owns that a folder that was not there appears whole or not at all, and that one that was there is
not touched before everything that it needs is made. Refuses what a file and a folder both want to
be.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from hitsave import observe
from hitsave.digest import short
from hitsave.errors import SnapshotError
from hitsave.events import Copied, emit, warn
from hitsave.snapshot.catalog import keep_tree, listing
from hitsave.snapshot.keep import Keeper, Kept
from hitsave.snapshot.place import (
    Link,
    folder_in,
    make_file,
    open_folder,
    put_in_place,
    remove_in,
    status_in,
    translating,
)
from hitsave.snapshot.restore import Target, check_link, check_replaceable, is_same, would_lose
from hitsave.snapshot.tree import LARGEST_MODE, Entry
from hitsave.store import Blob
from hitsave.store.disk import fresh_name


class How(NamedTuple):
    """How a folder is restored: see `DirectorySnapshot.restore_at`."""

    link: Link
    overwrite: bool | None
    mirror: bool


def restore_folder(keeper: Keeper, entries: Sequence[Entry], target: Target, how: How) -> None:
    """Let the target be a folder that holds the entries. Raises SnapshotError."""
    check_link(how.link)
    with translating(target.path), open_folder(target.base, target.parent) as parent:
        before = status_in(parent, target.name)
        if before is not None and not stat.S_ISDIR(before.st_mode):
            raise SnapshotError(
                f"{target.path} is no folder; a folder cannot take its place.",
                "remove it, or restore elsewhere",
            )
        stage = fresh_name(".hitsave")
        os.mkdir(stage, dir_fd=parent)
        try:
            with folder_in(parent, stage) as staged:
                if before is None:
                    observe.tell_made(target.path)
                    _make_all(keeper, entries, staged, how.link)
                    os.rename(stage, target.name, src_dir_fd=parent, dst_dir_fd=parent)
                else:
                    _merge(keeper, entries, target, parent, staged, how)
        finally:
            remove_in(parent, stage)


def _by_folder(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    ordered = sorted(entries, key=lambda entry: (_parent(entry.path), entry.path))
    for folder, found in groupby(ordered, key=lambda entry: _parent(entry.path)):
        yield folder, list(found)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _make_all(keeper: Keeper, entries: Sequence[Entry], folder: int, link: Link) -> None:
    """Make everything in an empty folder."""
    for parent, found in _by_folder(entries):
        with folder_in(folder, parent) as inner:
            for entry in found:
                if entry.is_folder:
                    os.mkdir(_name(entry.path), 0o700, dir_fd=inner)
                else:
                    _make_one(keeper, entry, inner, _name(entry.path), link)
    _set_modes(entries, folder)


def _make_one(keeper: Keeper, entry: Entry, folder: int, name: str, link: Link) -> None:
    emit(Copied(entry.path, entry.size))
    blob = Blob(entry.digest, entry.size)
    make_file(keeper.contents, blob, entry.mode, folder, name, link)


def _set_modes(folders: Iterable[Entry], folder: int) -> None:
    # The innermost first: one that may not be written to is left before it is closed.
    for entry in sorted(folders, key=lambda entry: entry.path, reverse=True):
        if entry.is_folder:
            with folder_in(folder, entry.path) as inner:
                os.fchmod(inner, entry.mode)


# -- into a folder that is there ----------------------------------------------------------------


class _Plan(NamedTuple):
    """What is to be done: files and folders to be made, paths to be removed, and what is lost."""

    files: list[Entry]
    folders: list[Entry]
    removed: list[str]
    lost: list[str]


def _merge(
    keeper: Keeper, entries: Sequence[Entry], target: Target, parent: int, staged: int, how: How
) -> None:
    plan = _plan(keeper, entries, target.path, how)
    lost = [*plan.lost, *plan.removed]
    if lost and how.overwrite is False:
        raise SnapshotError(
            f"{os.path.join(target.path, lost[0])} is there already, and not as it should be.",
            "overwrite=True replaces it",
        )
    for number, entry in enumerate(plan.files):
        _make_one(keeper, entry, staged, str(number), how.link)
    if lost and not how.overwrite:
        _keep_lost(keeper, lost, target.path)
    # From here on, nothing has to be made any more.
    for path in (*(entry.path for entry in plan.files), *plan.removed):
        observe.tell_made(os.path.join(target.path, path))
    with folder_in(parent, target.name) as folder:
        for entry in plan.folders:
            with folder_in(folder, _parent(entry.path)) as inner:
                if status_in(inner, _name(entry.path)) is None:
                    os.mkdir(_name(entry.path), 0o700, dir_fd=inner)
        for number, entry in enumerate(plan.files):
            with folder_in(folder, _parent(entry.path)) as inner:
                put_in_place(staged, str(number), inner, _name(entry.path))
        for path in plan.removed:
            with folder_in(folder, _parent(path)) as inner:
                remove_in(inner, _name(path))
        _set_modes(plan.folders, folder)


def _plan(keeper: Keeper, entries: Sequence[Entry], target: str, how: How) -> _Plan:
    there = dict(_statuses(target, ""))
    plan = _Plan([], [], [], [])
    for entry in entries:
        status = there.pop(entry.path, None)
        whole = os.path.join(target, entry.path)
        if entry.is_folder:
            if status is not None and not stat.S_ISDIR(status.st_mode):
                raise SnapshotError(
                    f"{whole} is no folder; a folder cannot take its place.",
                    "remove it, or restore elsewhere",
                )
            if status is None or stat.S_IMODE(status.st_mode) & LARGEST_MODE != entry.mode:
                plan.folders.append(entry)
            continue
        kept = Kept(Blob(entry.digest, entry.size), entry.mode)
        if status is not None:
            check_replaceable(whole, status)
            if is_same(keeper, kept, whole, status, how.link):
                continue
            if would_lose(keeper, kept.blob, whole, status):
                plan.lost.append(entry.path)
        plan.files.append(entry)
    if how.mirror:
        plan.removed.extend(_outermost(there))
    return plan


def _statuses(target: str, inside: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(os.path.join(target, inside)) as found:
        entries = list(found)
    for entry in entries:
        path = f"{inside}/{entry.name}" if inside else entry.name
        status = entry.stat(follow_symlinks=False)
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            yield from _statuses(target, path)


def _outermost(paths: Iterable[str]) -> list[str]:
    """Leave out the paths that lie in a folder among them."""
    found = set(paths)
    return sorted(path for path in found if not any(up in found for up in _above(path)))


def _above(path: str) -> Iterator[str]:
    while path := _parent(path):
        yield path


def _keep_lost(keeper: Keeper, lost: Sequence[str], target: str) -> None:
    """Keep the files that are about to be replaced or removed, as a snapshot of their own."""
    entries = dict[str, Entry]()
    for path in lost:
        for found, status in ((path, os.lstat(os.path.join(target, path))), *_below(target, path)):
            for above in _above(found):
                entries.setdefault(above, Entry(above, 0o755, 0, b""))
            _keep_one(keeper, target, found, status, entries)
    digest, tree = keep_tree(keeper.store, list(entries.values()))
    files = [entry for entry in entries.values() if not entry.is_folder]
    size = sum(entry.size for entry in files)
    write = listing(digest, target, mode=0o755, size=size, files=len(files), tree=tree)
    keeper.contents.note(write)
    keeper.commit()
    warn(
        f"replaced:{target}:{digest.hex()}",
        f"Files in {target} are replaced or removed ({len(files)}); what they held is kept.",
        f"`hitsave snapshot --restore {short(digest)} PATH` gives it back; "
        "overwrite=True keeps and says nothing",
    )


def _below(target: str, path: str) -> Iterator[tuple[str, os.stat_result]]:
    if stat.S_ISDIR(os.lstat(os.path.join(target, path)).st_mode):
        yield from _statuses(target, path)


def _keep_one(
    keeper: Keeper, target: str, path: str, status: os.stat_result, entries: dict[str, Entry]
) -> None:
    mode = stat.S_IMODE(status.st_mode) & LARGEST_MODE
    if stat.S_ISDIR(status.st_mode):
        entries[path] = Entry(path, mode, 0, b"")
    elif stat.S_ISREG(status.st_mode):
        kept = keeper.keep(os.path.join(target, path), pack=True)
        entries[path] = Entry(path, kept.mode, kept.blob.size, kept.blob.digest)
