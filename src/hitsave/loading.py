"""What calls load when they first need it, loaded before a fork beside other threads.

Owns the names of these modules. What another thread is importing at a fork, Python lets the child
never import: it waits for a lock whose holder it does not have.

Snapshots are not among them: what they load has to do with forks itself, and must not be loaded in
the middle of one.
"""

import os
import threading
from importlib import import_module

LATER = (
    "difflib",
    "pickle",
    "platform",
    "platformdirs",
    "tempfile",
    "tomllib",
    "hitsave.code.analyze",
    "hitsave.collect.background",
    "hitsave.memo.cutoff",
    "hitsave.memo.evaluation",
    "hitsave.memo.experiment",
    "hitsave.memo.explain",
    "hitsave.memo.fresh",
    "hitsave.memo.history",
    "hitsave.memo.imported",
    "hitsave.memo.probe",
    "hitsave.memo.recent",
    "hitsave.memo.verify",
    "hitsave.observe.processes",
    "hitsave.observe.variables",
    "hitsave.observe.warmup",
    "hitsave.store.local",
)


def load_before_forks() -> None:
    """Load all of it before each fork of a process that has several threads."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_load)


def _load() -> None:
    if threading.active_count() > 1:
        for name in LATER:
            import_module(name)
