"""Merging: a folder that is there already comes to hold what a snapshot holds.

Owns the order: look at everything, make everything that is new, keep everything that would be lost,
and only then touch what is there. Refuses what a file and a folder both want to be.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from hitsave import observe
from hitsave.digest import short
from hitsave.errors import SnapshotError
from hitsave.events import warn
from hitsave.snapshot.catalog import is_listed, keep_tree, list_folder
from hitsave.snapshot.keep import Keeper, Kept
from hitsave.snapshot.making import (
    STAGE,
    link_for,
    make_entry,
    name_of,
    note_links,
    parent_of,
    set_modes,
    staging,
)
from hitsave.snapshot.place import folder_in, put_in_place_of, status_in
from hitsave.snapshot.restore_file import Place, Target, Way, is_same, there_already, would_lose
from hitsave.snapshot.seen import State
from hitsave.snapshot.tree import LARGEST_MODE, Entry
from hitsave.store import Blob


class Plan(NamedTuple):
    """What is to be done in a folder, and what there is.

    `files` and `folders` are to be made, or to get their permissions; `removed` are files that go,
    `emptied` folders that go if nothing else is in them, `lost` the files that have to be kept
    first; `there` says how everything was.
    """

    files: list[Entry]
    folders: list[Entry]
    removed: list[str]
    emptied: list[str]
    lost: list[str]
    there: dict[str, os.stat_result]


def merge(
    keeper: Keeper,
    entries: Sequence[Entry],
    parent: int,
    target: Target,
    way: Way,
    list_as: str,
) -> None:
    """Let a folder that is there hold the entries. Raises SnapshotError."""
    plan = plan_for(keeper, entries, target.path, way)
    if plan.lost and way.overwrite is False:
        raise there_already(os.path.join(target.path, plan.lost[0]))
    with folder_in(parent, target.name) as folder:
        opened = _open_up(plan, folder)
        try:
            _carry_out(keeper, plan, folder, target.path, way, list_as)
        finally:
            set_modes(_still_there(opened, folder), folder)
        set_modes({entry.path: entry.mode for entry in plan.folders}, folder)
    note_links(keeper, plan.files, target.path, way.link)


def plan_for(keeper: Keeper, entries: Sequence[Entry], target: str, way: Way) -> Plan:
    """Look at what is there. Raises SnapshotError where something is in the way."""
    plan = Plan([], [], [], [], [], dict(_statuses(target)))
    for entry in entries:
        status, whole = plan.there.get(entry.path), os.path.join(target, entry.path)
        if entry.is_folder:
            _plan_folder(plan, entry, status, whole)
            continue
        if status is not None:
            blob = Blob(entry.digest, entry.size)
            by_link = way._replace(link=link_for(keeper, entry, way.link))
            if is_same(keeper, Kept(blob, entry.mode), whole, status, by_link):
                continue
            if not way.overwrite and would_lose(keeper, blob, whole, status):
                plan.lost.append(entry.path)
        plan.files.append(entry)
    if way.mirror:
        _plan_removal(keeper, plan, {entry.path for entry in entries}, target, way)
    return plan


def _plan_folder(plan: Plan, entry: Entry, status: os.stat_result | None, whole: str) -> None:
    if status is not None and not stat.S_ISDIR(status.st_mode):
        raise SnapshotError(
            f"{whole} is no folder; a folder cannot take its place.",
            "remove it, or restore elsewhere",
        )
    if status is None or stat.S_IMODE(status.st_mode) & LARGEST_MODE != entry.mode:
        plan.folders.append(entry)


def _plan_removal(keeper: Keeper, plan: Plan, wanted: set[str], target: str, way: Way) -> None:
    for path, status in plan.there.items():
        if path in wanted:
            continue
        if stat.S_ISDIR(status.st_mode):
            plan.emptied.append(path)
            continue
        leads_here = keeper.contents.leads_here(os.path.join(target, path))
        if stat.S_ISREG(status.st_mode) or leads_here:
            plan.removed.append(path)
            plan.lost.append(path)
        elif way.overwrite:
            # Snapshots leave out links and what is no file, and so do mirrors, unless asked.
            plan.removed.append(path)


def _statuses(target: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [""]
    while pending:
        inside, entries = pending.pop(), list[os.DirEntry[str]]()
        # What goes while it is looked at is not there.
        with suppress(FileNotFoundError), os.scandir(os.path.join(target, inside)) as found:
            entries += found
        for entry in entries:
            if entry.name.startswith(STAGE + "-"):
                continue  # somebody else's stage
            path = f"{inside}/{entry.name}" if inside else entry.name
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                yield path, status
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)


def _open_up(plan: Plan, folder: int) -> dict[str, int]:
    """Let folders be written to that will be; return the permissions that they had."""
    touched = {parent_of(path) for path in (*(entry.path for entry in plan.files), *plan.removed)}
    touched.update(map(parent_of, (*(entry.path for entry in plan.folders), *plan.emptied)))
    before: dict[str, int] = {}
    for path in sorted(touched & plan.there.keys()):
        mode = stat.S_IMODE(plan.there[path].st_mode) & LARGEST_MODE
        if mode & 0o700 != 0o700:
            before[path] = mode
            with folder_in(folder, parent_of(path)) as inner:
                os.chmod(name_of(path), mode | 0o700, dir_fd=inner)
    return before


def _still_there(modes: dict[str, int], folder: int) -> dict[str, int]:
    found = {}
    for path, mode in modes.items():
        with suppress(OSError), folder_in(folder, path):
            found[path] = mode
    return found


def _carry_out(
    keeper: Keeper, plan: Plan, folder: int, target: str, way: Way, list_as: str
) -> None:
    with staging(folder) as stage:
        for number, entry in enumerate(plan.files):
            make_entry(keeper, entry, stage.folder, str(number), way.link)
        if plan.lost and not way.overwrite:
            _keep_lost(keeper, plan, target, list_as)
        # From here on, nothing has to be made any more.
        for path in (*(entry.path for entry in plan.files), *plan.removed):
            observe.tell_made(os.path.join(target, path))
        for entry in plan.folders:
            with folder_in(folder, parent_of(entry.path)) as inner, suppress(FileExistsError):
                os.mkdir(name_of(entry.path), 0o700, dir_fd=inner)
        for number, entry in enumerate(plan.files):
            with folder_in(folder, parent_of(entry.path)) as inner:
                path = os.path.join(target, entry.path)
                names = (str(number), inner, name_of(entry.path), path)
                place = Place(keeper, stage.folder, *names, f"{list_as}/{entry.path}")
                _put(place, entry, plan.there.get(entry.path), way)
    _remove(keeper, plan, folder, target, way, list_as)


def _put(place: Place, entry: Entry, known: os.stat_result | None, way: Way) -> None:
    if known is None or not put_in_place_of(
        place.stage, place.made, place.folder, place.name, known
    ):
        # Something has come, or was written to, since it was looked at.
        place.put(Blob(entry.digest, entry.size), way.overwrite)


def _remove(keeper: Keeper, plan: Plan, folder: int, target: str, way: Way, list_as: str) -> None:
    for path in plan.removed:
        with folder_in(folder, parent_of(path)) as inner:
            now = status_in(inner, name_of(path))
            if now is None or stat.S_ISDIR(now.st_mode):
                continue
            if not way.overwrite and State.of(now) != State.of(plan.there[path]):
                keeper.keep_listed(os.path.join(target, path), f"{list_as}/{path}", anew=False)
            os.unlink(name_of(path), dir_fd=inner)
    for path in sorted(plan.emptied, reverse=True):
        # Where something else has come into it, it stays.
        with folder_in(folder, parent_of(path)) as inner, suppress(OSError):
            os.rmdir(name_of(path), dir_fd=inner)


def _keep_lost(keeper: Keeper, plan: Plan, target: str, list_as: str) -> None:
    """Keep the files that are about to be replaced or removed, as a snapshot of their own."""
    entries = dict[str, Entry]()
    for path in plan.lost:
        whole = os.path.join(target, path)
        if os.path.islink(whole) and not keeper.contents.leads_here(whole):
            led = os.readlink(whole)
            warn(f"replaced:{whole}:{led}", f"The link {whole} to {led} is replaced.")
            continue
        kept = keeper.keep_any(whole, pack=True)
        entries[path] = Entry(path, kept.mode, kept.blob.size, kept.blob.digest)
        for above in _above(path):
            entries.setdefault(above, Entry(above, 0o755, 0, b""))
    digest = keep_tree(keeper.store, entries.values())
    if not is_listed(keeper.store, digest):
        keeper.contents.note(list_folder(digest, list_as, entries.values()))
    keeper.commit()
    files = sum(not entry.is_folder for entry in entries.values())
    if files:
        warn(
            f"replaced:{target}:{digest.hex()}",
            f"Files in {target} are replaced or removed ({files}); what they held is kept.",
            f"`hitsave snapshot --restore {short(digest)} PATH` gives it back; "
            "overwrite=True keeps and says nothing",
        )


def _above(path: str) -> Iterator[str]:
    while path := parent_of(path):
        yield path
