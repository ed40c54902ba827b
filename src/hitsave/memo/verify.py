"""Verifying: a call that hits is run as well, and what it gives compared with what is recorded.

Owns which hits are drawn, and what the comparison says. What the program gets is the recorded
result, whatever comes out. Refuses to raise: what the function raises here is a finding too.

A call is drawn once in a process, however often it hits, or a recursive function would run for as
long as without a cache. Hits inside a call that is being recorded are left alone: what ran in them
would count as what that call depends on.
"""

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hitsave.codec import encode, summarize
from hitsave.digest import digest_parts, short
from hitsave.errors import NotDigestibleError, NotEncodableError
from hitsave.events import Verified, emit, warn
from hitsave.memo.around import under_way
from hitsave.memo.call import Call, Candidate, find_candidate_record
from hitsave.memo.trouble import unexpected
from hitsave.session import Session
from hitsave.store import CallRecord

_drawn: set[bytes] = set()
"""The keys of the calls that were drawn in this process, or left out."""


def verify(call: Call | None, found: Any, run: Callable[[], Any]) -> None:
    """Run a call that hit, if it is drawn, and tell whether it gives what is recorded."""
    verification = _draw(call, found)
    while verification is not None and not verification.is_over:
        try:
            result = run()
        except Exception as error:
            verification.fail(error)
        else:
            verification.take(result)


async def verify_awaited(call: Call | None, found: Any, run: Callable[[], Awaitable[Any]]) -> None:
    """As `verify`, for what has to be awaited."""
    verification = _draw(call, found)
    while verification is not None and not verification.is_over:
        try:
            result = await run()
        except Exception as error:
            verification.fail(error)
        else:
            verification.take(result)


def _draw(call: Call | None, found: Any) -> "_Verification | None":
    if call is None or under_way:
        return None
    try:
        hit = find_candidate_record(call)
        if hit is None or hit[0].key in _drawn:
            return None
        _drawn.add(hit[0].key)
        if int.from_bytes(os.urandom(6)) >= call.session.settings.sample * (1 << 48):
            return None
        return _Verification(call, *hit, found)
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
        return None


class _Verification:
    """What is found out of one call. Of results that differ from the record, two are taken."""

    def __init__(self, call: Call, candidate: Candidate, record: CallRecord, found: Any) -> None:
        self._call = call
        self._key = candidate.key
        self._record = record
        self._summary = summarize(found)
        self._recorded = _identity(call.session, found)
        self._first: bytes | None = None
        self._first_summary = ""
        self.is_over = False

    def take(self, result: Any) -> None:
        """Compare with what the function has returned."""
        now = _identity(self._call.session, result)
        if self._recorded is None or now is None:
            self._end("incomparable", "a result cannot be digested")
        elif now == self._recorded:
            # Right once and wrong once is no steadier than wrong twice.
            self._end("same" if self._first is None else "varies", self._first_summary)
        elif self._first is None:
            self._first, self._first_summary = now, summarize(result)
        elif now == self._first:
            self._end("differs", self._first_summary)
        else:
            self._end("varies", f"{self._first_summary}, then {summarize(result)}")

    def fail(self, error: Exception) -> None:
        """Note what the function has raised."""
        self._end("raises", f"{type(error).__name__}: {error}")

    def _end(self, outcome: str, now: str) -> None:
        self.is_over = True
        symbol = self._call.memo.symbol
        emit(Verified(symbol, self._key, outcome, self._summary, now))
        if outcome in _SENTENCES:
            sentence, hint = _SENTENCES[outcome]
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self._record.started))
            message = f"{symbol} {sentence}: {now}. Recorded on {when} is {self._summary}."
            hint = f"{hint}; `hitsave forget {short(self._key)}` removes the record"
            warn(f"verify:{symbol}:{outcome}", message, hint)


_SENTENCES = {
    "differs": (
        "gives another result than is recorded",
        "it depends on something that hitsave does not see: name that with depends_on=, or pass it "
        "as an argument",
    ),
    "varies": (
        "does not give the same result each time that it runs",
        "pass what makes the difference as an argument: a seed, a time, an order",
    ),
    "raises": (
        "raises where a result is recorded",
        "it depends on something that is not there any more, or that hitsave does not see",
    ),
}


def _identity(session: Session, value: Any) -> bytes | None:
    """Return what two equal results have in common; None where that cannot be known."""
    try:
        return session.digest_argument(value).digest
    except NotDigestibleError:
        pass
    try:
        encoded = encode(value)
    except NotEncodableError:
        return None
    return digest_parts("result", [encoded.payload, *map(bytes, encoded.buffers)])
