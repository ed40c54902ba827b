"""Making: entries of a tree become files and folders inside a folder that is held open.

Owns the stage, a folder in which everything is made before anything takes its place. What is left
in it goes with it.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import NamedTuple

from hitsave.events import Copied, emit
from hitsave.snapshot.contents import SMALL
from hitsave.snapshot.keep import Keeper
from hitsave.snapshot.place import Link, folder_in, make_file, remove_in, way_to_restore
from hitsave.snapshot.tree import LARGEST_MODE, Entry
from hitsave.store import Blob
from hitsave.store.disk import fresh_name

STAGE = ".hitsave"
"""What the names of stages begin with."""


class Stage(NamedTuple):
    """A folder in an open folder: its name, and a descriptor of it."""

    name: str
    folder: int


@contextmanager
def staging(folder: int) -> Iterator[Stage]:
    """Give an empty folder in an open one, which is removed with all that is still in it."""
    name = fresh_name(STAGE)
    os.mkdir(name, dir_fd=folder)
    try:
        with folder_in(folder, name) as staged:
            yield Stage(name, staged)
    finally:
        remove_in(folder, name)


def link_for(keeper: Keeper, entry: Entry, link: Link) -> Link:
    """Return how a file in a folder is restored: one that lies in a pack is copied."""
    return "copy" if entry.size < SMALL else way_to_restore(keeper.contents, entry.mode, link)


def make_all(keeper: Keeper, entries: Iterable[Entry], folder: int, link: Link) -> None:
    """Make everything in an empty folder: the entries of a tree, in their order."""
    closed: dict[str, int] = {}
    for parent, found in groupby(entries, key=lambda entry: parent_of(entry.path)):
        with folder_in(folder, parent) as inner:
            for entry in found:
                if not entry.is_folder:
                    make_entry(keeper, entry, inner, name_of(entry.path), link)
                    continue
                _make_folder(inner, name_of(entry.path), entry.mode)
                if is_closed(entry.mode):
                    closed[entry.path] = entry.mode
    set_modes(closed, folder)


def _make_folder(folder: int, name: str, mode: int) -> None:
    """Make a folder in an open one, with its permission bits, and what it takes to fill it."""
    os.mkdir(name, 0o700, dir_fd=folder)
    with folder_in(folder, name) as made:
        _set_mode(made, mode | 0o700)


def is_closed(mode: int) -> bool:
    """Whether its owner may not write to, read or enter a folder of this mode."""
    return mode & 0o700 != 0o700


def make_entry(keeper: Keeper, entry: Entry, folder: int, name: str, link: Link) -> None:
    """Make the file of an entry under some name in an open folder."""
    emit(Copied(entry.path, entry.size))
    blob = Blob(entry.digest, entry.size)
    make_file(keeper.contents, blob, entry.mode, folder, name, link_for(keeper, entry, link))


def note_links(keeper: Keeper, entries: Iterable[Entry], path: str, link: Link) -> None:
    """Note what the links stand for that were made in the folder `path`."""
    for entry in entries:
        if not entry.is_folder and link_for(keeper, entry, link) == "symlink":
            keeper.note_link(os.path.join(path, entry.path), entry.mode)
    keeper.commit()


def set_modes(modes: dict[str, int], folder: int) -> None:
    """Give folders inside an open one their permission bits."""
    # The innermost first: one that may not be written to is left before it is closed.
    for path in sorted(modes, reverse=True):
        with folder_in(folder, path) as inner:
            _set_mode(inner, modes[path])


def _set_mode(folder: int, mode: int) -> None:
    # What else is set stays: it may be there for all folders in this one.
    more = stat.S_IMODE(os.fstat(folder).st_mode) & ~LARGEST_MODE
    os.fchmod(folder, mode | more)


def parent_of(path: str) -> str:
    """Return all but the last part of a path with `/`."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """Return the last part of a path with `/`."""
    return path.rpartition("/")[2]
