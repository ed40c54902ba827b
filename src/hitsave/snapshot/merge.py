"""Merging: a folder that is there already comes to hold what a snapshot holds.

Owns the order: look at everything, make everything that is new, keep everything that would be lost,
and only then touch what is there. Refuses what a file and a folder both want to be.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from hitsave import observe
from hitsave.digest import short
from hitsave.errors import SnapshotError
from hitsave.events import warn
from hitsave.snapshot.catalog import is_wanted, keep_tree, list_folder, listing
from hitsave.snapshot.keep import Keeper, Kept
from hitsave.snapshot.making import (
    STAGE,
    is_closed,
    link_for,
    make_entry,
    name_of,
    note_links,
    parent_of,
    set_modes,
    staging,
)
from hitsave.snapshot.place import folder_in, put_in_place_of, status_in
from hitsave.snapshot.restore_file import (
    Place,
    Way,
    is_same,
    tell_of_link,
    there_already,
    would_lose,
)
from hitsave.snapshot.seen import State
from hitsave.snapshot.tree import LARGEST_MODE, Entry, by_path, pack_tree
from hitsave.snapshot.walk import Found, join, walk
from hitsave.store import Blob


class Plan(NamedTuple):
    """What is to be done in a folder, and what there is.

    `files` and `folders` are to be made, or to get their permissions; `removed` are files that go,
    `emptied` folders that go if nothing else is in them, `lost` the files that have to be kept
    first; `there` says how these were, and closed folders. Of what stays as it is nothing is kept:
    a folder may hold any number of files.
    """

    files: list[Entry]
    folders: list[Entry]
    removed: list[str]
    emptied: list[str]
    lost: list[str]
    there: dict[str, os.stat_result]


class Merge:
    """Lets a folder that is there hold what a snapshot holds."""

    def __init__(self, keeper: Keeper, target: str, way: Way, list_as: str) -> None:
        self._keeper = keeper
        self._target = target
        self._way = way
        self._list_as = list_as

    def into(self, folder: int, entries: Iterable[Entry]) -> None:
        """Let the open folder hold the entries, in their order. Raises SnapshotError."""
        plan = self.plan(entries)
        if plan.lost and self._way.overwrite is False:
            raise there_already(self._whole(plan.lost[0]))
        opened = _open_up(plan, folder)
        try:
            self._place(plan, folder)
            self._remove(plan, folder)
        finally:
            set_modes(_still_there(opened, folder), folder)
        set_modes({entry.path: entry.mode for entry in plan.folders}, folder)
        note_links(self._keeper, plan.files, self._target, self._way.link)

    def _whole(self, path: str) -> str:
        return os.path.join(self._target, path)

    # -- looking --------------------------------------------------------------------------------

    def plan(self, entries: Iterable[Entry]) -> Plan:
        """Look at what is there. Raises SnapshotError where something is in the way."""
        plan = Plan([], [], [], [], [], {})
        there = ((found.path, found) for found in walk(self._target, _is_no_stage, _is_gone))
        for entry, found in join(by_path(entries), there):
            if found is not None and found.is_folder and is_closed(found.status.st_mode):
                plan.there[found.path] = found.status
            if entry is None:
                if found is not None and self._way.mirror:
                    self._plan_removal(plan, *found)
            elif found is None:
                (plan.folders if entry.is_folder else plan.files).append(entry)
            elif entry.is_folder:
                self._plan_folder(plan, entry, found.status)
            else:
                self._plan_file(plan, entry, found.status)
        return plan

    def _plan_folder(self, plan: Plan, entry: Entry, status: os.stat_result) -> None:
        if not stat.S_ISDIR(status.st_mode):
            raise SnapshotError(
                f"{self._whole(entry.path)} is no folder; a folder cannot take its place.",
                "remove it, or restore elsewhere",
            )
        if stat.S_IMODE(status.st_mode) & LARGEST_MODE != entry.mode:
            plan.folders.append(entry)

    def _plan_file(self, plan: Plan, entry: Entry, status: os.stat_result) -> None:
        keeper, whole, blob = self._keeper, self._whole(entry.path), Blob(entry.digest, entry.size)
        way = self._way._replace(link=link_for(keeper, entry, self._way.link))
        if is_same(keeper, Kept(blob, entry.mode), whole, status, way):
            return
        if not way.overwrite and would_lose(keeper, blob, whole, status):
            plan.lost.append(entry.path)
        plan.files.append(entry)
        plan.there[entry.path] = status

    def _plan_removal(self, plan: Plan, path: str, status: os.stat_result) -> None:
        if stat.S_ISDIR(status.st_mode):
            plan.emptied.append(path)
            return
        is_kept = stat.S_ISREG(status.st_mode) or self._leads_here(path)
        # Snapshots leave out links and what is no file, and so do mirrors, unless asked.
        if is_kept or self._way.overwrite:
            plan.removed.append(path)
            plan.there[path] = status
        if is_kept:
            plan.lost.append(path)

    def _leads_here(self, path: str) -> bool:
        return self._keeper.contents.leads_here(self._whole(path))

    # -- doing ----------------------------------------------------------------------------------

    def _place(self, plan: Plan, folder: int) -> None:
        with staging(folder) as stage:
            for number, entry in enumerate(plan.files):
                make_entry(self._keeper, entry, stage.folder, str(number), self._way.link)
            if plan.lost and not self._way.overwrite:
                self._keep_lost(plan)
            # From here on, nothing has to be made any more.
            for entry in plan.folders:
                with folder_in(folder, parent_of(entry.path)) as inner, suppress(FileExistsError):
                    os.mkdir(name_of(entry.path), 0o700, dir_fd=inner)
            for number, entry in enumerate(plan.files):
                with folder_in(folder, parent_of(entry.path)) as inner:
                    self._put(stage.folder, str(number), inner, entry, plan.there.get(entry.path))

    def _put(
        self, stage: int, made: str, folder: int, entry: Entry, known: os.stat_result | None
    ) -> None:
        whole, name = self._whole(entry.path), name_of(entry.path)
        observe.tell_made(whole)
        if known is not None and put_in_place_of(stage, made, folder, name, known):
            return
        # Something has come, or was written to, since it was looked at.
        list_as = f"{self._list_as}/{entry.path}"
        place = Place(self._keeper, stage, made, folder, name, whole, list_as)
        place.put(Blob(entry.digest, entry.size), self._way.overwrite)

    def _remove(self, plan: Plan, folder: int) -> None:
        for path in plan.removed:
            with folder_in(folder, parent_of(path)) as inner:
                now = status_in(inner, name_of(path))
                if now is None or stat.S_ISDIR(now.st_mode):
                    continue
                if not self._way.overwrite and State.of(now) != State.of(plan.there[path]):
                    list_as = f"{self._list_as}/{path}"
                    self._keeper.keep_lost(self._whole(path), list_as)
                observe.tell_made(self._whole(path))
                os.unlink(name_of(path), dir_fd=inner)
        for path in sorted(plan.emptied, reverse=True):
            # Where something else has come into it, it stays.
            with folder_in(folder, parent_of(path)) as inner, suppress(OSError):
                os.rmdir(name_of(path), dir_fd=inner)

    def _keep_lost(self, plan: Plan) -> None:
        """Keep the files that are about to be replaced or removed, as a snapshot of their own."""
        keeper, entries = self._keeper, dict[str, Entry]()
        for path in plan.lost:
            if stat.S_ISLNK(plan.there[path].st_mode) and not self._leads_here(path):
                tell_of_link(self._whole(path), os.readlink(self._whole(path)))
                continue
            kept = keeper.keep_any(self._whole(path), pack=True)
            entries[path] = Entry(path, kept.mode, kept.blob.size, kept.blob.digest)
            for above in _above(path):
                entries.setdefault(above, Entry(above, 0o755, 0, b""))
        if not entries:
            return
        tree = pack_tree(sorted(entries.values()))
        digest = keep_tree(keeper.store, tree)
        if not is_wanted(keeper.store, digest):
            keeper.contents.note(listing(list_folder(digest, self._list_as, tree)))
        keeper.commit()
        keeper.store.flush()  # for a power cut, as `Keeper.keep_lost`
        warn(
            f"replaced:{self._target}:{digest.hex()}",
            f"Files in {self._target} are replaced or removed ({tree.files}); what they held is "
            "kept.",
            f"`hitsave snapshot --restore {short(digest)} PATH` gives it back; "
            "overwrite=True keeps and says nothing",
        )


def _is_no_stage(found: Found) -> bool:
    """Whether something is not somebody else's stage."""
    return not name_of(found.path).startswith(STAGE + "-")


def _is_gone(_: str, error: OSError) -> None:
    """Go on without what went while it was looked at."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _open_up(plan: Plan, folder: int) -> dict[str, int]:
    """Let folders be written to that will be; return the permissions that they had."""
    touched = {parent_of(path) for path in (*(entry.path for entry in plan.files), *plan.removed)}
    touched.update(map(parent_of, (*(entry.path for entry in plan.folders), *plan.emptied)))
    before: dict[str, int] = {}
    for path in sorted(touched & plan.there.keys()):
        before[path] = stat.S_IMODE(plan.there[path].st_mode) & LARGEST_MODE
        with folder_in(folder, parent_of(path)) as inner:
            os.chmod(name_of(path), before[path] | 0o700, dir_fd=inner)
    return before


def _still_there(modes: dict[str, int], folder: int) -> dict[str, int]:
    found = {}
    for path, mode in modes.items():
        with suppress(OSError), folder_in(folder, path):
            found[path] = mode
    return found


def _above(path: str) -> Iterator[str]:
    while path := parent_of(path):
        yield path
