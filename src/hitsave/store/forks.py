"""Forks: whether this process is one that may end without a word.

Owns telling the workers of `multiprocessing`, which wait for their threads, from other forks, which
often end by `os._exit`.
"""

import os
import sys
from typing import Any

_is_fork = False
_parent_then: Any = None
"""What `multiprocessing` held for the parent when this process was forked."""


def may_end_at_once() -> bool:
    """Whether the process may end while threads and exit handlers have something left to do."""
    return _is_fork and _parent() is _parent_then


def _parent() -> Any:
    """Return what `multiprocessing` holds for the parent: set only once a worker has begun."""
    process = sys.modules.get("multiprocessing.process")
    return None if process is None else process.parent_process()


def _note_fork() -> None:
    global _is_fork, _parent_then
    _is_fork, _parent_then = True, _parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
