"""Scanning: what is in a folder, and what of it is snapped.

Owns what is left out: what the caller ignores, and symbolic links, of which is warned. Refuses what
is neither file nor folder nor link, and to go into the store's own folder.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator

from pathspec import GitIgnoreSpec

from hitsave.errors import SnapshotError
from hitsave.events import warn
from hitsave.snapshot.keep import check_file, unreadable
from hitsave.snapshot.tree import check_path
from hitsave.snapshot.walk import Found, walk

IsIgnored = Callable[[str], bool]


def scan(
    folder: str, ignore: Iterable[str], avoid: str, is_restored: Callable[[str], bool]
) -> Iterator[Found]:
    """Yield the files and folders below `folder`, in the order of their paths.

    `ignore` are patterns as in `.gitignore`; `avoid` is a folder that must not be in there. Links
    are left out unless they `is_restored`. Raises SnapshotError.
    """
    is_ignored, links = ignored_by(ignore), list[str]()

    def is_wanted(found: Found) -> bool:
        if is_ignored(found.path + "/" * found.is_folder):
            return False
        whole = os.path.join(folder, check_path(found.path))
        if stat.S_ISLNK(found.status.st_mode):
            if is_restored(whole):
                return True
            links.append(found.path)
            return False
        if not found.is_folder:
            check_file(whole, found.status)
        elif whole == avoid:
            raise SnapshotError(
                f"The store's own folder {avoid} is in the folder to be snapped.",
                "leave it out with ignore=, or set HITSAVE_HOME to another folder",
            )
        return True

    def failed(path: str, error: OSError) -> None:
        raise unreadable(os.path.join(folder, path), error) from error

    yield from walk(folder, is_wanted, failed)
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
