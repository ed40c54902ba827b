"""Events: what happened, as typed values, to whoever subscribed.

Owns the event types, the list of subscribers, and the rule that a warning is given once. Refuses
to print: windows, logging and tests subscribe to the same events.
"""

import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from hitsave.errors import HitsaveError, HitsaveWarning


class Hit(NamedTuple):
    """A recorded result was served. `saved` is what computing it took, in seconds."""

    symbol: str
    key: bytes
    saved: float


class Miss(NamedTuple):
    """No recorded result was usable. `reason` is a sentence; `detail` may hold a diff."""

    symbol: str
    key: bytes
    reason: str
    detail: str


class Stored(NamedTuple):
    """A result was recorded. `seconds` is how long it took to compute."""

    symbol: str
    key: bytes
    seconds: float


class Bypassed(NamedTuple):
    """A call ran without the cache, because of `reason`."""

    symbol: str
    reason: str


class Widened(NamedTuple):
    """A dependency could not be known exactly and counts by something larger."""

    symbol: str
    reason: str


class Untracked(NamedTuple):
    """A dependency cannot be seen at all. `symbol` reads it."""

    symbol: str
    reason: str


class Impure(NamedTuple):
    """A result was recorded of `symbol`, which touches what may be different each time.

    `kind` says what that is, such as the clock; `source` names it, and `place` is where.
    """

    symbol: str
    kind: str
    source: str
    place: str


class Copied(NamedTuple):
    """A file of a folder was kept in the store, or restored from it. `size` is in bytes."""

    path: str
    size: int


class Verified(NamedTuple):
    """A call that hits was run as well.

    `outcome` is "same", "differs" (from what is recorded, the same way twice), "varies" (from one
    run to the next), "raises", or "incomparable". `recorded` and `now` are summaries; `now` is
    empty where it is the same.
    """

    symbol: str
    key: bytes
    outcome: str
    recorded: str
    now: str


class Warned(NamedTuple):
    """A warning was given."""

    message: str
    hint: str


Event = Hit | Miss | Stored | Bypassed | Widened | Untracked | Impure | Copied | Verified | Warned
Subscriber = Callable[[Event], None]

_subscribers: list[Subscriber] = []
_given: set[str] = set()


def subscribe(subscriber: Subscriber) -> Callable[[], None]:
    """Call `subscriber` with every event from now on. Returns the function that ends it."""
    _subscribers.append(subscriber)

    def unsubscribe() -> None:
        if subscriber in _subscribers:
            _subscribers.remove(subscriber)

    return unsubscribe


def listening() -> bool:
    """Whether anybody subscribed, so that costly events need not be built for nobody."""
    return bool(_subscribers)


def emit(event: Event) -> None:
    """Give `event` to every subscriber. One that raises is told of and not called again."""
    for subscriber in tuple(_subscribers):
        # Whoever listens is no part of the call that is told of, and must not end it.
        try:
            subscriber(event)
        except Exception as error:
            _dismiss(subscriber, error)


def _dismiss(subscriber: Subscriber, error: Exception) -> None:
    if subscriber in _subscribers:
        _subscribers.remove(subscriber)
    name = getattr(subscriber, "__qualname__", type(subscriber).__qualname__)
    raised = f"{type(error).__name__}: {error}"
    warn(f"subscriber:{name}", f"The subscriber {name} raised {raised}", "it hears no more events")


def warn(about: str, message: str, hint: str = "") -> bool:
    """Warn once per process for each `about`. Returns whether this was the first time.

    Where warnings are errors (`-W error`, pytest's `filterwarnings`) the warning is dropped rather
    than raised: a cache must not end the program that it serves.
    """
    if about in _given:
        return False
    _given.add(about)
    emit(Warned(message, hint))
    # A filter may turn the warning into an exception, and what shows it may be the user's own.
    try:
        text = f"{message} ({hint})" if hint else message
        warnings.warn(HitsaveWarning(text), stacklevel=_depth_of_user())
    except Exception:
        return True
    return True


def _depth_of_user() -> int:
    """How far up from `warn` the user's code is, as `stacklevel` counts."""
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and _is_own(frame):
        frame, depth = frame.f_back, depth + 1
    return depth


def _is_own(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == __name__.partition(".")[0]


def warn_error(about: str, error: HitsaveError) -> None:
    """Warn once per `about` with the sentence and the hint of `error`."""
    warn(about, error.message, error.hint)


def forget_warnings() -> None:
    """Let every warning be given again (for tests, and for a fork's child)."""
    _given.clear()
