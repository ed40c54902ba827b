"""hitsave: `functools.cache` that survives restarts and knows when your code changed.

    from hitsave import memo

    @memo
    def f(x): ...

Importing it puts the import hook in place, so that every project module imported from then on is
tracked with the very source that was executed, and begins to watch which functions run.
"""

import sys

from hitsave.code.inert import inert
from hitsave.codec import register_digest
from hitsave.codec.registered_codecs import register_codec
from hitsave.errors import (
    HitsaveError,
    HitsaveWarning,
    MissError,
    OptionError,
)
from hitsave.memo.decorator import experiment, memo
from hitsave.memo.modes import mode
from hitsave.session import Session, install_hook, when_started

__version__ = "0.1.0"

__all__ = [
    "HitsaveError",
    "HitsaveWarning",
    "MissError",
    "OptionError",
    "experiment",
    "inert",
    "memo",
    "mode",
    "register_codec",
    "register_digest",
]


def _show_events(begun: Session) -> None:
    """Where the user set `verbose`, say on stderr what hits and what misses."""
    if begun.settings.verbose and sys.stderr is not None:
        # A window, loaded only by those who asked for it.
        from hitsave.cli.console import Console

        Console(sys.stderr).start()


when_started.append(_show_events)
install_hook()
