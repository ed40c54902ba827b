"""Modes: what calls do with the cache.

Owns which mode is in force where. Refuses to act on it: `call` does.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from hitsave.config import MODES, suggestion
from hitsave.errors import OptionError
from hitsave.session import current


class Mode(NamedTuple):
    """A mode in force. Records that were begun at `since` or before do not count in it."""

    name: str
    since: float = 0.0

    @property
    def records(self) -> bool:
        """Whether results are recorded."""
        return self.name in ("use", "refresh", "verify")


def _begun(name: str) -> Mode:
    """A mode that begins now.

    `refresh` computes again what was recorded before it began, and only that: a recursive function
    would otherwise compute each of its results as often as it is asked for.
    """
    return Mode(name, time.time() if name == "refresh" else 0.0)


REFRESH_ALWAYS = Mode("refresh", float("inf"))
"""The mode of one call that is to be computed again whatever is recorded."""

ASKING = Mode("use")
"""The mode of a call that is only asked about."""

_BY_SETTING = {name: _begun(name) for name in MODES}
_mode: ContextVar[Mode | None] = ContextVar("hitsave mode", default=None)


def mode_now() -> Mode:
    """The mode in force: of the innermost `with hitsave.mode(...)`, else of the settings."""
    return _mode.get() or _BY_SETTING[current().settings.mode]


@contextmanager
def mode(name: str) -> Iterator[None]:
    """Calls inside use this mode.

    `use` takes recorded results and records new ones; `refresh` computes everything once more, and
    records it; `verify` runs also what hits, and warns where that gives another result than is
    recorded, which is returned all the same; `read-only` records nothing; `off` leaves the cache
    alone altogether; `require` raises `MissError` rather than run a function. The mode holds for
    the code inside, also across `await`, and not for threads that it starts.

    Raises `OptionError` for any other name.
    """
    if name not in MODES:
        raise OptionError(f"there is no mode {name!r}.", suggestion(str(name), list(MODES)))
    token = _mode.set(_begun(name))
    try:
        yield
    finally:
        _mode.reset(token)
