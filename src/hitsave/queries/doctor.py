"""What is well with this installation and its store, and what is not.

Owns what is looked at. Refuses to mend anything: each finding says what to do.
"""

import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import NamedTuple

from hitsave.collect.calls import kept_calls
from hitsave.config import WORKSPACE_MARKS
from hitsave.errors import HitsaveError
from hitsave.session import Session
from hitsave.store import Store, Table, Write, open_local
from hitsave.store.disk import UNFINISHED
from hitsave.store.home import CORRUPT, Home
from hitsave.store.locks import has_slot_locks
from hitsave.store.network import local_path
from hitsave.units import DAY, counted, size_text

PACKAGES = ("hitsave", "blake3", "lmdb", "msgpack")

LITTLE_ROOM = 10**9
"""Bytes that should be free for results to come."""

_KEY = b"doctor"


class Finding(NamedTuple):
    """Something that was looked at. `state` is "ok", "note" or "problem"."""

    state: str
    subject: str
    text: str
    hint: str = ""


def examine(session: Session) -> Iterator[Finding]:
    """Look at everything that a user's results depend on, and say how each thing is."""
    yield _versions()
    yield _project(session)
    yield from _settings(session)
    try:
        store = open_local(session.settings.home)
    except HitsaveError as error:
        yield Finding("problem", "store", error.message, error.hint)
        return
    try:
        yield from _examine_store(session, store)
    finally:
        store.close()


def _versions() -> Finding:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    text = f"{packages}, Python {platform.python_version()}"
    if sys.version_info >= (3, 12):
        return Finding("ok", "versions", text)
    hint = "Python 3.12 and newer run faster while a call is computed, and tell more of threads"
    return Finding("note", "versions", text, hint)


def _project(session: Session) -> Finding:
    if any(os.path.exists(os.path.join(session.root, mark)) for mark in WORKSPACE_MARKS):
        return Finding("ok", "project", session.root)
    hint = f"a file that marks it ({' or '.join(WORKSPACE_MARKS)}) lets subfolders belong to it"
    return Finding("note", "project", f"{session.root} alone", hint)


def _settings(session: Session) -> Iterator[Finding]:
    settings = session.settings
    for name, origin in settings.origins.items():
        if origin != "default":
            yield Finding("ok", "settings", f"{name} is {getattr(settings, name)!r}, by {origin}")
    if settings.mode == "off":
        hint = "HITSAVE_MODE=use takes results and records them"
        yield Finding("note", "settings", "the mode is off: nothing is cached", hint)


# -- the store ------------------------------------------------------------------------------------


def _examine_store(session: Session, store: Store) -> Iterator[Finding]:
    home = Home(os.path.realpath(local_path(session.settings.home)))
    yield _folder(home)
    yield _room(home)
    yield _writing(store)
    yield _locks()
    yield _size(session, store)
    yield from _left_behind(home)
    yield from _calls(store)


def _folder(home: Home) -> Finding:
    mode = os.stat(home.path).st_mode & 0o777
    if mode & 0o077:
        text = f"{home.path} can be used by others (its permissions are {mode:o})"
        return Finding("problem", "store", text, f"chmod 700 {home.path}")
    return Finding("ok", "store", home.path)


def _room(home: Home) -> Finding:
    free = shutil.disk_usage(home.path).free
    text = f"{size_text(free)} free on its disk"
    if free >= LITTLE_ROOM:
        return Finding("ok", "disk", text)
    return Finding("problem", "disk", text, "results that do not fit are computed again each time")


def _writing(store: Store) -> Finding:
    value = os.urandom(8)
    started = time.perf_counter()
    try:
        store.commit([Write(Table.STATE, _KEY, value)], durable=True)
        is_there = store.get(Table.STATE, _KEY) == value
        store.delete(Table.STATE, [_KEY])
    except HitsaveError as error:
        return Finding("problem", "writing", error.message, error.hint)
    took = time.perf_counter() - started
    if not is_there:
        return Finding("problem", "writing", "what was written was not there afterwards")
    return Finding("ok", "writing", f"a record came to disk and back in {took * 1e3:.0f} ms")


def _locks() -> Finding:
    if has_slot_locks():
        return Finding("ok", "locks", "of processes that want the same result, one computes it")
    text = "this platform has no locks for single flight"
    return Finding("note", "locks", text, "processes that want the same result all compute it")


def _size(session: Session, store: Store) -> Finding:
    held = [*store.objects(), *store.blobs()]
    size, limit = store.records_size() + sum(each.size for each in held), session.settings.max_size
    text = (
        f"{size_text(size)} of {size_text(limit)} used by records and {counted(len(held), 'file')}"
    )
    if size <= limit:
        return Finding("ok", "size", text)
    hint = "`hitsave gc` makes room, and says what stays; max_size says how much there may be"
    return Finding("note", "size", text, hint)


def _left_behind(home: Home) -> Iterator[Finding]:
    quarantined = _files_in(home.quarantine)
    if quarantined:
        text = f"{counted(len(quarantined), 'damaged file')} set aside in {home.quarantine}"
        hint = "a failing disk or memory may be the cause; the files may be removed"
        yield Finding("note", "damage", text, hint)
    corrupt = [name for name in os.listdir(home.path) if name.startswith(CORRUPT)]
    if corrupt:
        text = f"records were lost to damage, and are in {home.path}: {', '.join(corrupt)}"
        hint = "`hitsave gc` removes nothing until they are removed"
        yield Finding("problem", "damage", text, hint)
    old = time.time() - DAY
    folders = (home.path, home.records, home.objects, home.blobs)
    unfinished = [
        path
        for folder in folders
        for path in _files_in(folder)
        if os.path.basename(path).startswith(UNFINISHED) and os.lstat(path).st_ctime < old
    ]
    if unfinished:
        text = f"{counted(len(unfinished), 'unfinished file')} of processes that died"
        yield Finding("note", "damage", text, "`hitsave gc` removes them")


def _files_in(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _calls(store: Store) -> Iterator[Finding]:
    count, ahead, now = 0, 0, time.time()
    try:
        for call in kept_calls(store):
            count += 1
            ahead += call.record.started > now + DAY
    except HitsaveError as error:
        yield Finding("note", "calls", error.message, "`hitsave gc` removes nothing meanwhile")
        return
    yield Finding("ok", "calls", f"{count} recorded")
    if ahead:
        text = f"{counted(ahead, 'call')} recorded later than it is now"
        yield Finding("note", "calls", text, "was the clock wrong, or is it?")
