"""One call, top to bottom.

Owns the order in which a call visits the rooms: bind, code digest, argument digest, lookup; and on
a miss the evaluation's record. Whatever goes wrong here costs a recompute and a warning; only the
user's own exceptions come out.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.tracker import Tracked
from hitsave.codec import decode, encode, summarize
from hitsave.config import MODES, suggestion
from hitsave.digest import digest_parts
from hitsave.errors import (
    DamagedError,
    HitsaveError,
    MissError,
    NotDigestibleError,
    NotEncodableError,
    OptionError,
    StoreUnavailableError,
)
from hitsave.events import Bypassed, Hit, Miss, Stored, emit, listening, warn
from hitsave.memo.experiment import run_context
from hitsave.memo.texts import text_writes
from hitsave.session import Session, current
from hitsave.store import CallRecord, Table, Write, pack_call, split_parts, unpack_call

if TYPE_CHECKING:
    from hitsave.memo.decorator import Memo

INLINE_LIMIT = 64 * 1024
"""Results above this many bytes become objects in files."""

LEASE_LIMIT = 600.0
"""How long a call waits for another one that computes the same, in seconds."""

ABSENT: Any = object()
"""Stands for no result."""


class Call(NamedTuple):
    """A call that was bound, digested and given its key."""

    session: Session
    values: tuple[Any, ...]
    roots: tuple[Any, ...]
    tracked: Tracked
    arguments: bytes
    is_mutable: bool
    key: bytes


_mode: ContextVar[str] = ContextVar("hitsave mode")


def mode_now() -> str:
    """The mode in force: of the innermost `with hitsave.mode(...)`, else of the settings."""
    return _mode.get("") or current().settings.mode


@contextmanager
def mode(name: str) -> Iterator[None]:
    """Calls inside use this mode: use, refresh, read-only, off or require.

    Raises `OptionError` for any other.
    """
    if name not in MODES:
        raise OptionError(f"there is no mode {name!r}.", suggestion(str(name), list(MODES)))
    token = _mode.set(name)
    try:
        yield
    finally:
        _mode.reset(token)


def prepare(memo: "Memo[..., Any]", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Bind a call and form its key; None where it cannot be keyed and has to run uncached."""
    session = current()
    try:
        values = memo.binder.bind(*args, **kwargs)
    except TypeError:
        # The function itself says best what is wrong with the arguments.
        return None
    if memo.options.key is not None:
        values = (memo.options.key(*args, **kwargs),)
    try:
        return _keyed(memo, session, values)
    except NotDigestibleError as error:
        _bypass_argument(memo, values, error)
    except HitsaveError as error:
        session.trouble("call", error)
    except Exception as error:
        _unexpected(session, memo, error)
    return None


def _keyed(memo: "Memo[..., Any]", session: Session, values: tuple[Any, ...]) -> Call:
    digested = session.digest_argument(values)
    roots = (memo.root, *digested.symbols) if digested.symbols else memo.roots
    tracked = session.tracker.track(roots, memo.declared)
    key = call_key(memo, tracked, digested.digest)
    return Call(session, values, roots, tracked, digested.digest, digested.mutable, key)


def call_key(memo: "Memo[..., Any]", tracked: Tracked, arguments: bytes) -> bytes:
    """The key a call is recorded under."""
    return digest_parts("call", (memo.symbol_bytes, tracked.digest, arguments))


def find(memo: "Memo[..., Any]", call: Call) -> Any:
    """Return a fresh copy of the recorded result, or ABSENT."""
    try:
        record = find_record(call)
        if record is None:
            return ABSENT
        result = _decoded(call.session, record)
    except DamagedError as error:
        call.session.trouble(f"damaged {memo.symbol}", error)
        return ABSENT
    except Exception as error:
        _unexpected(call.session, memo, error)
        return ABSENT
    memo.count_hit()
    if listening():
        emit(Hit(memo.symbol, call.key, record.seconds))
    return result


def find_record(call: Call) -> CallRecord | None:
    """Return the record of a call; None where there is none, or it has expired."""
    packed = call.session.store.get(Table.CALLS, call.key)
    if packed is None:
        return None
    record = unpack_call(packed)
    if record.expires is not None and record.expires < time.time():
        return None
    return record


def _decoded(session: Session, record: CallRecord) -> Any:
    if record.payload is not None:
        return decode(record.payload, (), allow_pickle=True)
    stored = session.store.read_object(record.object) if record.object is not None else None
    if stored is None:
        raise DamagedError("a recorded result is gone or damaged", "it is computed again")
    payload, *buffers = split_parts(stored)
    return decode(payload, buffers, allow_pickle=True)


def tell_miss(memo: "Memo[..., Any]", call: Call | None) -> None:
    """Count a miss and say why to whoever listens. Raises MissError in mode `require`."""
    memo.count_miss()
    is_required = mode_now() == "require"
    if not is_required and (call is None or not listening()):
        return
    reason, detail = _reason(memo, call)
    if is_required:
        raise MissError(
            f"{memo.symbol} has no recorded result: {reason}.",
            "run it once in mode 'use', or leave mode 'require'",
        )
    emit(Miss(memo.symbol, call.key if call else b"", reason, detail))


def _reason(memo: "Memo[..., Any]", call: Call | None) -> tuple[str, str]:
    if call is None:
        return "the call cannot be keyed", ""
    from hitsave.memo.explain import explain_miss  # only for messages

    explanation = explain_miss(memo, call)
    return explanation.reason, explanation.detail


def keep(memo: "Memo[..., Any]", call: Call, result: Any, started: float, seconds: float) -> None:
    """Record the result of a call that has just been evaluated."""
    session = call.session
    try:
        if call.is_mutable and session.digest_argument(call.values).digest != call.arguments:
            _bypass(memo, "it changed one of its arguments", "return a changed copy instead")
            return
        _record(memo, call, result, started, seconds)
    except NotEncodableError as error:
        where = f"result{error.path}"
        _bypass(memo, f"{where} cannot be stored: {error.message}", error.hint)
    except NotDigestibleError as error:
        _bypass(memo, f"an argument cannot be digested any more: {error.message}", error.hint)
    except StoreUnavailableError as error:
        session.trouble("record", error)
    except Exception as error:
        _unexpected(session, memo, error)


def _record(
    memo: "Memo[..., Any]", call: Call, result: Any, started: float, seconds: float
) -> None:
    session, options = call.session, memo.options
    encoded = encode(result)
    tracked = session.tracker.settle(call.tracked, call.roots, memo.declared)
    key = call_key(memo, tracked, call.arguments)
    size = len(encoded.payload) + sum(map(len, encoded.buffers))
    is_inline = size <= INLINE_LIMIT and not encoded.buffers
    stored = None if is_inline else session.store.write_object((encoded.payload, *encoded.buffers))
    record = CallRecord(
        symbol=memo.symbol,
        code=tracked.digest,
        arguments=_summaries(memo, call),
        payload=encoded.payload if is_inline else None,
        object=stored,
        pickled=encoded.pickled,
        result=summarize(result),
        started=started,
        seconds=seconds,
        kind=options.kind,
        context=run_context(session.root) if options.kind == "experiment" else {},
        expires=started + options.ttl if options.ttl else None,
    )
    moment = b"%020d" % time.time_ns()
    writes = [
        Write(Table.CALLS, key, pack_call(record)),
        Write(Table.HISTORY, history_prefix(memo.symbol) + moment + key[:4], key),
        *text_writes(session, tracked),
    ]
    replaces = mode_now() == "refresh" or options.ttl is not None
    durable = options.kind == "experiment"
    if session.commit(writes, durable=durable, replace=replaces) and listening():
        emit(Stored(memo.symbol, key, seconds))


def history_prefix(symbol: str) -> bytes:
    """The beginning of the history keys of a symbol."""
    return digest_parts("history", [symbol.encode()])[:16]


def _summaries(memo: "Memo[..., Any]", call: Call) -> tuple[tuple[str, bytes, str], ...]:
    digest = call.session.digest_argument
    names = memo.argument_names
    return tuple(
        (name, digest(value).digest, summarize(value))
        for name, value in zip(names, call.values, strict=True)
    )


# -- what runs uncached -------------------------------------------------------------------------


def _bypass(memo: "Memo[..., Any]", reason: str, hint: str) -> None:
    emit(Bypassed(memo.symbol, reason))
    warn(f"bypass:{memo.symbol}:{reason}", f"{memo.symbol} is not cached: {reason}.", hint)


def _bypass_argument(
    memo: "Memo[..., Any]", values: tuple[Any, ...], error: NotDigestibleError
) -> None:
    """Name the argument whose digest cannot be formed; `error.path` begins with its position."""
    position, _, rest = error.path.removeprefix("[").partition("]")
    known = position.isdigit() and int(position) < len(memo.argument_names)
    name = memo.argument_names[int(position)] if known else "an argument"
    ways = f"leave it out with ignore=({name!r},), or say what to key by with key="
    message = error.message.rstrip(".")
    _bypass(memo, f"argument {name}{rest} cannot be digested: {message}", ways)


def _unexpected(session: Session, memo: "Memo[..., Any]", error: Exception) -> None:
    """Trouble inside hitsave that nobody foresaw: the call runs uncached."""
    if session.settings.strict:
        raise error
    reason = f"{type(error).__name__} inside hitsave: {error}"
    hint = "please report it; HITSAVE_STRICT=1 shows where"
    emit(Bypassed(memo.symbol, reason))
    warn(f"unexpected:{type(error).__name__}", f"{memo.symbol} runs uncached: {reason}", hint)


def lease(call: Call, limit: float = LEASE_LIMIT) -> Any:
    """The lease for a call's key: of many that want the same result, one computes it."""
    return call.session.store.lease(call.key, limit=limit)
