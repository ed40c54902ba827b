"""Scanning: what is in a folder, and what of it is snapped.

Owns what is left out: what the caller ignores, and symbolic links, of which is warned. Refuses what
is neither file nor folder nor link, and to go into the store's own folder.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pathspec import GitIgnoreSpec

from hitsave.errors import SnapshotError
from hitsave.events import warn
from hitsave.snapshot.keep import check_file, unreadable
from hitsave.snapshot.tree import check_path

IsIgnored = Callable[[str], bool]


class Found(NamedTuple):
    """Something in a folder: its path in there, with `/`, and its status; a link's is its own."""

    path: str
    status: os.stat_result


def scan(
    folder: str, ignore: Iterable[str], avoid: str, is_restored: Callable[[str], bool]
) -> Iterator[Found]:
    """Yield the files and folders below `folder`, a folder before what is in it.

    `ignore` are patterns as in `.gitignore`; `avoid` is a folder that must not be in there. Links
    are left out unless they `is_restored`. Raises SnapshotError.
    """
    is_ignored, links = ignored_by(ignore), list[str]()
    pending = [""]
    while pending:
        for found in _in_folder(folder, pending.pop(), is_ignored):
            whole = os.path.join(folder, found.path)
            if stat.S_ISLNK(found.status.st_mode):
                if not is_restored(whole):
                    links.append(found.path)
                    continue
            elif stat.S_ISDIR(found.status.st_mode):
                if whole == avoid:
                    raise SnapshotError(
                        f"The store's own folder {avoid} is in the folder to be snapped.",
                        "leave it out with ignore=, or set HITSAVE_HOME to another folder",
                    )
                pending.append(found.path)
            else:
                check_file(whole, found.status)
            yield found
    if links:
        few = ", ".join(links[:3]) + (", ..." if len(links) > 3 else "")
        message = f"Symbolic links are left out of the snapshot of {folder}: {few}."
        warn(f"links:{folder}:{len(links)}", message, "snap what they lead to")


def ignored_by(patterns: Iterable[str]) -> IsIgnored:
    """Return what tells whether patterns as in `.gitignore` leave out a path, `/` after folders."""
    lines = [patterns] if isinstance(patterns, str) else list(patterns)
    try:
        return GitIgnoreSpec.from_lines(lines).match_file if lines else lambda _: False
    except (ValueError, TypeError, re.error) as error:
        raise SnapshotError(
            f"What is to be ignored cannot be understood: {error}.", "give lines of a .gitignore"
        ) from error


def _in_folder(folder: str, inside: str, is_ignored: IsIgnored) -> list[Found]:
    try:
        with os.scandir(os.path.join(folder, inside)) as entries:
            found = [_found(entry, inside) for entry in entries]
    except OSError as error:
        raise unreadable(os.path.join(folder, inside), error) from error
    kept = [each for each in found if not is_ignored(_as_pattern_sees(each))]
    for each in kept:
        check_path(each.path)
    return kept


def _found(entry: "os.DirEntry[str]", inside: str) -> Found:
    path = f"{inside}/{entry.name}" if inside else entry.name
    return Found(path, entry.stat(follow_symlinks=False))


def _as_pattern_sees(found: Found) -> str:
    return found.path + "/" if stat.S_ISDIR(found.status.st_mode) else found.path
