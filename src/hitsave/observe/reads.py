"""Reads: what is read from outside the code goes into the journal, and into evaluations' notes.

Owns which reads count: the first of each path, on behalf of project code or of the project's own
files, and never what the evaluation itself wrote before.
"""

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from hitsave.code.surroundings import content_digest, listing_digest, presence
from hitsave.code.symbol import Facet
from hitsave.digest import Digest
from hitsave.observe.active import Notes
from hitsave.observe.askers import asker
from hitsave.observe.journal import Journal, journal
from hitsave.observe.locations import counts, is_in_project
from hitsave.observe.records import NOBODY, Caller

T = TypeVar("T")


def read_file(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that the file `path` is about to be read by `frame`."""
    _enter(Facet.FILE, path, frame)
    for each in notes:
        _note(Facet.FILE, path, frame, each, each.files, _content)


def read_listing(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that the folder `path` is about to be listed by `frame`."""
    _enter(Facet.LISTING, path, frame)
    for each in notes:
        _note(Facet.LISTING, path, frame, each, each.listings, _listing)


def ask_path(path: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that `frame` is about to ask what stands at `path`."""
    _enter(Facet.PRESENCE, path, frame)
    for each in notes:
        _note(Facet.PRESENCE, path, frame, each, each.paths, presence)


def ask_module(name: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that `frame` is about to look for the module `name`, which need not be there."""
    for each in notes:
        if name and name not in each.modules:
            caller = asker(frame, each.places)
            if caller is not None and caller != NOBODY:
                each.modules.setdefault(name, caller)


def _content(path: str) -> Digest | None:
    return content_digest(path) or None


def _listing(path: str) -> Digest | None:
    return listing_digest(path) or None


def _enter(facet: Facet, path: str, frame: FrameType | None) -> None:
    folder, places = _folder_of(facet, path), journal.places
    if not counts(path, folder, places) or asker(frame, places) in (None, NOBODY):
        return
    source = _source_of(path, journal)
    # What the program writes into its own file may be what it has read from another one.
    if source is None and facet is Facet.FILE and not _is_temporary(folder):
        source = path
    if source is not None and counts(source, _folder_of(facet, source), places):
        journal.enter(facet, source, frame)


def _note(
    facet: Facet,
    path: str,
    frame: FrameType | None,
    notes: Notes,
    found: "dict[str, tuple[T, Caller]]",
    state: Callable[[str], T],
) -> None:
    """Note the state of what is about to be read, unless that was noted or does not count."""
    if path in found:
        return
    source = _source_of(path, notes)
    # Next time, a folder that it has made may be there, with what somebody else has put there.
    is_listed = source is None and facet is Facet.LISTING and os.path.isdir(path)
    is_vain = source is None and path not in notes.own and not os.path.lexists(path)
    if is_listed or is_vain:
        source = path
    if source is None or source in found:
        return
    caller = _reader(source, _folder_of(facet, source), frame, notes)
    if caller is None:
        return
    if is_listed:
        notes.listed.setdefault(path, caller)
        return
    if is_vain:
        notes.vain.add(path)
    found.setdefault(source, (state(source), caller))


def settle_own(notes: Notes) -> None:
    """Note how the folders that an evaluation made are at its end, when it has listed them.

    What it asked for in vain in there, and has made since, is its own.
    """
    for path in filter(os.path.lexists, tuple(notes.vain)):  # other threads may go on
        for found in (notes.files, notes.listings, notes.paths):
            found.pop(path, None)
    for path, caller in tuple(notes.listed.items()):
        if os.path.isdir(path):
            notes.listings.setdefault(path, (_listing(path), caller))


def _folder_of(facet: Facet, path: str) -> str:
    return path if facet is Facet.LISTING else os.path.dirname(path)


def _is_temporary(folder: str) -> bool:
    """Whether files in `folder` have another name in each process."""
    tempfile: Any = sys.modules.get("tempfile")
    return is_own(folder, journal) or (tempfile is not None and folder == tempfile.gettempdir())


def _reader(path: str, folder: str, frame: FrameType | None, notes: Notes) -> Caller | None:
    """Return who reads `path`; None where that does not count."""
    if not counts(path, folder, notes.places):
        return None
    caller = asker(frame, notes.places)
    if caller == NOBODY and not is_in_project(folder, notes.places):
        return None
    return caller


def is_own(path: str, notes: Notes | Journal) -> bool:
    """Whether the evaluation, or the process, itself made `path`, or a folder above it."""
    return _made_part(path, notes) is not None


def _made_part(path: str, notes: Notes | Journal) -> str | None:
    """Return `path`, or the folder above it, that the evaluation or the process itself made."""
    while notes.own:
        if path in notes.own:
            return path
        parent = os.path.dirname(path)
        if parent == path:
            break
        path = parent
    return None


def _source_of(path: str, notes: Notes | Journal) -> str | None:
    """Return what is read by reading `path`; None where it is of the evaluation's own making.

    What it made may be a link, and lead to what it did not make.
    """
    made = _made_part(path, notes)
    if made is None:
        return path
    if not _has_link(path, made):
        return None
    real = os.path.realpath(path)
    # Another link may be above: that of `/tmp` on some systems.
    above, name = os.path.split(made)
    place = os.path.join(os.path.realpath(above), name)
    is_inside = real == place or real.startswith(place + os.sep)
    return None if is_inside or is_own(real, notes) else real


def _has_link(path: str, made: str) -> bool:
    """Whether `path`, or a folder above it up to `made`, is a symbolic link."""
    while not os.path.islink(path):
        if path == made:
            return False
        path = os.path.dirname(path)
    return True


def make(path: str, notes: tuple[Notes, ...]) -> None:
    """Note that `path` is about to get new content."""
    journal.own.add(path)
    for each in notes:
        if each.is_own_thread():
            each.own.add(path)


def link(path: str, target: str, frame: FrameType | None, notes: tuple[Notes, ...]) -> None:
    """Note that `frame` is about to give the file `path` another name, `target`."""
    read_file(path, frame, notes)
    journal.read_again(path)
    make(target, notes)


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
