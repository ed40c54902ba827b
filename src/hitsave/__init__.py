"""hitsave: `functools.cache` that survives restarts and knows when your code changed.

    from hitsave import memo

    @memo
    def f(x): ...

Importing it puts the import hook in place, so that every project module imported from then on is
tracked with the very source that was executed, and begins to watch which functions run.
"""

import sys
from typing import TYPE_CHECKING, Any

from hitsave.code.inert import inert
from hitsave.codec import register_digest
from hitsave.codec.registered_codecs import provide_codec, register_codec
from hitsave.errors import (
    HitsaveError,
    HitsaveWarning,
    MissError,
    OptionError,
    SnapshotError,
)
from hitsave.loading import load_before_forks
from hitsave.memo.decorator import experiment, memo
from hitsave.memo.modes import mode
from hitsave.session import Session, install_hook, when_grown, when_started

if TYPE_CHECKING:
    from hitsave.snapshot import DirectorySnapshot, FileSnapshot, restore

__version__ = "0.1.0"

__all__ = [
    "DirectorySnapshot",
    "FileSnapshot",
    "HitsaveError",
    "HitsaveWarning",
    "MissError",
    "OptionError",
    "SnapshotError",
    "experiment",
    "inert",
    "memo",
    "mode",
    "register_codec",
    "register_digest",
    "restore",
]


def __getattr__(name: str) -> Any:
    """Load snapshots for those who use them."""
    if name not in ("DirectorySnapshot", "FileSnapshot", "restore"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from hitsave import snapshot

    return getattr(snapshot, name)


def _provide_snapshots() -> None:
    from hitsave.snapshot.codecs import register  # only for those who use them

    register()


def _make_room(grown: Session, size: int) -> None:
    """Now and then, look whether the store has become too large."""
    from hitsave.collect.background import note_growth  # only for those whose results are stored

    note_growth(grown, size)


def _show_events(begun: Session) -> None:
    """Where the user set `verbose`, say on stderr what hits and what misses."""
    if begun.settings.verbose and sys.stderr is not None:
        # A window, loaded only by those who asked for it.
        from hitsave.cli.console import Console

        Console(sys.stderr).start()


provide_codec("hitsave.FileSnapshot", _provide_snapshots)
provide_codec("hitsave.DirectorySnapshot", _provide_snapshots)
when_started.append(_show_events)
when_grown.append(_make_room)
load_before_forks()
install_hook()
