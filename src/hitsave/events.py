"""Events: what happened, as typed values, to whoever subscribed.

Owns the event types, the list of subscribers, and the rule that a warning is given once. Refuses
to print: windows, logging and tests subscribe to the same events.
"""

import warnings
from collections.abc import Callable
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


class Warned(NamedTuple):
    """A warning was given."""

    message: str
    hint: str


Event = Hit | Miss | Stored | Bypassed | Widened | Untracked | Warned
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
    """Give `event` to every subscriber."""
    for subscriber in tuple(_subscribers):
        subscriber(event)


def warn(about: str, message: str, hint: str = "") -> None:
    """Warn once per process for each `about`.

    Where warnings are errors (`-W error`, pytest's `filterwarnings`) the warning is dropped rather
    than raised: a cache must not end the program that it serves.
    """
    if about in _given:
        return
    _given.add(about)
    emit(Warned(message, hint))
    # HitsaveWarning as an exception means that a filter turned it into one.
    try:
        warnings.warn(HitsaveWarning(f"{message} ({hint})" if hint else message), stacklevel=3)
    except HitsaveWarning:
        return


def warn_error(about: str, error: HitsaveError) -> None:
    """Warn once per `about` with the sentence and the hint of `error`."""
    warn(about, error.message, error.hint)


def forget_warnings() -> None:
    """Let every warning be given again (for tests, and for a fork's child)."""
    _given.clear()
