"""Reads: what is read from outside the code goes into the journal, and into evaluations' notes.

Owns which reads count: the first of each path, on behalf of project code or of the project's own
files, and never what the evaluation itself wrote before.
"""

import os
import sys
from types import FrameType
from typing import Any

from hitsave.code.surroundings import content_digest, listing_digest, presence
from hitsave.code.symbol import Facet
from hitsave.observe.active import Notes
from hitsave.observe.askers import asker
from hitsave.observe.journal import Journal, journal
from hitsave.observe.locations import counts, is_in_project
from hitsave.observe.records import NOBODY, Caller


def read_file(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that the file `path` is about to be read by `frame`."""
    folder = os.path.dirname(path)
    _enter(Facet.FILE, path, folder, frame)
    for each in notes:
        if path not in each.files:
            caller = _reader(path, folder, frame, each)
            if caller is not None:
                each.files.setdefault(path, (content_digest(path) or None, caller))


def read_listing(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that the folder `path` is about to be listed by `frame`."""
    _enter(Facet.LISTING, path, path, frame)
    for each in notes:
        if path not in each.listings:
            caller = _reader(path, path, frame, each)
            if caller is not None:
                each.listings.setdefault(path, (listing_digest(path) or None, caller))


def ask_path(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that `frame` is about to ask what stands at `path`."""
    folder = os.path.dirname(path)
    _enter(Facet.PRESENCE, path, folder, frame)
    for each in notes:
        if path not in each.paths:
            caller = _reader(path, folder, frame, each)
            if caller is not None:
                each.paths.setdefault(path, (presence(path), caller))


def ask_module(name: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that `frame` is about to look for the module `name`, which need not be there."""
    for each in notes:
        if name and name not in each.modules:
            caller = asker(frame, each.places)
            if caller is not None and caller != NOBODY:
                each.modules.setdefault(name, caller)


def _enter(facet: Facet, path: str, folder: str, frame: FrameType | None) -> None:
    places = journal.places
    if not counts(path, folder, places) or asker(frame, places) in (None, NOBODY):
        return
    # What the program writes into its own file may be what it has read from another one.
    if not is_own(path, journal) or (facet is Facet.FILE and not _is_temporary(folder)):
        journal.enter(facet, path, frame)


def _is_temporary(folder: str) -> bool:
    """Whether files in `folder` have another name in each process."""
    tempfile: Any = sys.modules.get("tempfile")
    return is_own(folder, journal) or (tempfile is not None and folder == tempfile.gettempdir())


def _reader(path: str, folder: str, frame: FrameType | None, notes: Notes) -> Caller | None:
    """Return who reads `path`; None where that does not count."""
    if not counts(path, folder, notes.places) or is_own(path, notes):
        return None
    caller = asker(frame, notes.places)
    if caller == NOBODY and not is_in_project(folder, notes.places):
        return None
    return caller


def is_own(path: str, notes: Notes | Journal) -> bool:
    """Whether the evaluation, or the process, itself made `path`, or a folder above it."""
    while notes.own:
        if path in notes.own:
            return True
        parent = os.path.dirname(path)
        if parent == path:
            break
        path = parent
    return False


def make(path: str, notes: tuple[Notes, ...]) -> None:
    """Note that `path` is about to get new content."""
    journal.own.add(path)
    for each in notes:
        if each.is_own_thread():
            each.own.add(path)


def move(path: str, target: str, notes: tuple[Notes, ...]) -> None:
    """Note that `path` is about to be moved to `target`."""
    _move_own(target, journal, is_own(path, journal))
    for each in notes:
        _move_own(target, each, is_own(path, each) and each.is_own_thread())


def _move_own(target: str, notes: Notes | Journal, is_its_doing: bool) -> None:
    if is_its_doing:
        notes.own.add(target)
    else:
        # What then stands there is not of its making.
        notes.own.discard(target)
