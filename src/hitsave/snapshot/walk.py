"""Walking: what is in a folder, in the order that trees have, and two such orders side by side.

Owns that order. What is met is forgotten at once: a folder may hold any number of files.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import NamedTuple, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Found(NamedTuple):
    """Something in a folder: its path in there, with `/`, and its status; a link's is its own."""

    path: str
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no link to one."""
        return stat.S_ISDIR(self.status.st_mode)


def walk(
    folder: str, is_wanted: Callable[[Found], bool], failed: Callable[[str, OSError], None]
) -> Iterator[Found]:
    """Yield what is below `folder`, in the order of the paths.

    What is not wanted is neither yielded nor entered. `failed` is called with what could not be
    looked at, and goes without it unless it raises.
    """
    waiting = [""]
    while waiting:
        path = heappop(waiting)
        try:
            # What is in a folder `a` comes after a file `a-b`, and before `a0`.
            if not path or path[-1] == "/":
                for name in os.listdir(os.path.join(folder, path)):
                    heappush(waiting, path + name)
                continue
            found = Found(path, os.lstat(os.path.join(folder, path)))
        except OSError as error:
            failed(path.rstrip("/"), error)
            continue
        if is_wanted(found):
            yield found
            if found.is_folder:
                heappush(waiting, path + "/")


def join(
    ones: Iterable[tuple[str, A]], others: Iterable[tuple[str, B]]
) -> Iterator[tuple[A | None, B | None]]:
    """Yield what belongs to the same path, of two that are each in the order of the paths.

    None stands for what only the other one has.
    """
    left, right = iter(ones), iter(others)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        is_left = other is None or (one is not None and one[0] <= other[0])
        is_right = one is None or (other is not None and other[0] <= one[0])
        yield one[1] if one and is_left else None, other[1] if other and is_right else None
        one = next(left, None) if is_left else one
        other = next(right, None) if is_right else other
