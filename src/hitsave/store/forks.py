"""Forks: what stores do around one, and whether this process is one that may end without a word.

Owns being told of forks from the first import on: what is loaded in the middle of a fork would be
told of its second half only. Owns telling the workers of `multiprocessing`, which wait for their
threads, from other forks, which often end by `os._exit`.
"""

import os
import sys
from typing import Any, Protocol


class AroundFork(Protocol):
    """What has something to do around a fork."""

    def before_fork(self) -> None:
        """Let nothing be half done, and nobody begin."""
        ...

    def after_fork_in_parent(self) -> None:
        """Let others go on."""

    def after_fork_in_child(self) -> None:
        """Give up what is the parent's."""


_told: list[AroundFork] = []
_waiting: list[AroundFork] = []
"""Who was told before the fork, and has not been told after it."""

_is_fork = False
_parent_then: Any = None
"""What `multiprocessing` held for the parent when this process was forked."""


def tell_of_forks(each: AroundFork) -> None:
    """From now on tell `each` of forks."""
    _told.append(each)


def may_end_at_once() -> bool:
    """Whether the process may end while threads and exit handlers have something left to do."""
    return _is_fork and _parent() is _parent_then


def _parent() -> Any:
    """Return what `multiprocessing` holds for the parent: set only once a worker has begun."""
    process = sys.modules.get("multiprocessing.process")
    return None if process is None else process.parent_process()


def _before() -> None:
    for each in tuple(_told):
        each.before_fork()
        _waiting.append(each)


def _after_in_parent() -> None:
    while _waiting:
        _waiting.pop().after_fork_in_parent()


def _after_in_child() -> None:
    global _is_fork, _parent_then
    _is_fork, _parent_then = True, _parent()
    _waiting.clear()
    for each in _told:
        each.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
