"""Trouble: calls that run without the cache, and what is said about them.

Owns the sentences, and that each is said once. Refuses to let trouble of hitsave's own reach the
user's program, unless the setting `strict` asks for it.
"""

import sys

from hitsave.errors import HitsaveError, StoreUnavailableError, UnknownCodecError
from hitsave.events import Bypassed, emit, warn
from hitsave.session import Session


def bypass(symbol: str, kind: str, reason: str, hint: str = "") -> None:
    """Say that a call of `symbol` is not recorded; the warning comes once for each `kind`."""
    emit(Bypassed(symbol, reason))
    warn(f"{kind}:{symbol}", f"{symbol} is not cached: {reason.rstrip('.')}.", hint)


def _is_deep() -> bool:
    """Whether the call was made from so deep in the program that little of the stack is left."""
    frame, left = sys._getframe(1), sys.getrecursionlimit() // 2
    while frame.f_back is not None and left:
        frame, left = frame.f_back, left - 1
    return not left


def unexpected(session: Session, symbol: str, error: Exception) -> None:
    """Say that something went wrong inside hitsave; raise it where `strict` is set."""
    if isinstance(error, RecursionError) and _is_deep():
        # The user's own recursion is about to end: saying so would need stack that is not there.
        return
    if isinstance(error, HitsaveError):
        # Whether a commit fails or the writing of an object: it is one store, and one trouble.
        is_store = isinstance(error, StoreUnavailableError)
        kind = "commit" if is_store else type(error).__name__
        if isinstance(error, UnknownCodecError):
            kind = f"codec {error.codec}"  # each is another line that the program lacks
        session.trouble(kind, error)
        return
    if session.settings.strict:
        raise error
    reason = f"{type(error).__name__} inside hitsave: {error}"
    hint = "please report it; HITSAVE_STRICT=1 shows where"
    bypass(symbol, f"unexpected {type(error).__name__}", reason, hint)
