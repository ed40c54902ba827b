"""Records: what is kept of a call that has just been evaluated.

Owns what a record says, and when none is made: a result without an encoding, an argument that the
function changed. Refuses to run the function, and to raise.
"""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.reached import DependencySet
from hitsave.code.tracker import Tracked
from hitsave.codec import encode, is_immutable, is_read_only, summarize
from hitsave.digest import Digest, digest_parts
from hitsave.errors import NotDigestibleError, NotEncodableError
from hitsave.events import Impure, Stored, emit, listening, warn
from hitsave.memo.around import spoil
from hitsave.memo.filled import Filled, has_cached_properties, is_as_before, note_filled
from hitsave.memo.texts import text_writes
from hitsave.memo.trouble import bypass, unexpected
from hitsave.session import Session
from hitsave.store import CallRecord, Table, Write, pack_call
from hitsave.units import size_text

if TYPE_CHECKING:
    from hitsave.memo.call import Call
    from hitsave.memo.evaluation import Evaluation

INLINE_LIMIT = 64 * 1024
"""Results above this many bytes become objects in files."""

CHEAP = 0.05
"""Seconds of computing that may be lost with the process, where many calls are recorded at once."""


class Before(NamedTuple):
    """How things stood just before the function ran.

    `started` is in seconds since the epoch, `clock` on the performance counter; `context` is what
    an experiment keeps; `filled` are the cached properties that had a value already. `evaluation`
    observes what the function does, and has to be ended.
    """

    started: float
    clock: float
    context: dict[str, object]
    filled: Filled
    evaluation: "Evaluation | None"


def note_before(call: "Call") -> Before:
    """Note how things stand. To be followed by nothing but the function itself."""
    # What only misses need is loaded by the first of them.
    from hitsave.memo.evaluation import Evaluation

    context: dict[str, object] = {}
    filled: Filled = {}
    evaluation = None
    try:
        if call.memo.options.kind == "experiment":
            # Only experiments pay for loading `platform` and `subprocess`.
            from hitsave.memo.experiment import run_context

            context = run_context(call.session.root)
        if call.digested.mutable and any(map(has_cached_properties, call.digested.symbols)):
            filled = note_filled(call.values)
        call.take_before()
        evaluation = Evaluation(call)
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
    return Before(time.time(), time.perf_counter(), context, filled, evaluation)


def end(before: Before) -> None:
    """Observe no more: the function has returned, or raised."""
    if before.evaluation is not None:
        before.evaluation.end()


def keep(call: "Call", result: Any, before: Before, seconds: float) -> None:
    """Record the result of a call that ran for `seconds`."""
    symbol = call.memo.symbol
    try:
        end(before)
        changed = _changed_argument(call, before)
        if changed is None:
            _record(call, result, before, seconds)
        else:
            hint = "change a copy of it, and return that"
            bypass(symbol, "changed", f"it changed its argument {changed}", hint)
            spoil()
    except NotEncodableError as error:
        spoil()
        reason = f"result{error.path} cannot be stored: {error.message}"
        bypass(symbol, "result", reason, error.hint)
    except Exception as error:
        spoil()
        unexpected(call.session, symbol, error)


def _changed_argument(call: "Call", before: Before) -> str | None:
    """Return the name of an argument that is not what it was; None where all are."""
    session = call.session
    for position, digest in call.digested.mutable:
        value = call.values[position]
        try:
            same = session.digest_argument(value).digest == digest
            if not same and before.filled:
                same = is_as_before(session, value, digest, before.filled)
        except NotDigestibleError:
            same = False
        if not same:
            return call.memo.argument_names[position]
    return None


def _record(call: "Call", result: Any, before: Before, seconds: float) -> None:
    from hitsave.memo.cutoff import note_nested, plan_writes  # only misses need it

    session, memo = call.session, call.memo
    if before.evaluation is None:  # of which was warned
        return
    encoded = encode(result)
    tracked, among = before.evaluation.settle()
    key = call.key_under(tracked)
    size = len(encoded.payload) + sum(map(len, encoded.buffers))
    if size > session.settings.max_size:
        raise _too_large(size, session.settings.max_size)
    is_inline = size <= INLINE_LIMIT and not encoded.buffers
    stored = None if is_inline else session.store.write_object((encoded.payload, *encoded.buffers))
    ttl = memo.options.ttl
    record = CallRecord(
        symbol=memo.symbol,
        code=tracked.digest,
        arguments=_summaries(call),
        payload=encoded.payload if is_inline else None,
        object=stored,
        pickled=encoded.pickled,
        result=summarize(result),
        known=None if is_inline else _known_digest(session, result),
        keeps=tuple({*encoded.keeps, *before.evaluation.snapped}),
        started=before.started,
        seconds=seconds,
        kind=memo.options.kind,
        context=before.context,
        expires=None if ttl is None else before.started + ttl,
    )
    writes = [
        *call_writes(call, key, record, tracked, among),
        *plan_writes(call, before.evaluation.nested_calls, tracked.code.manifest, among, key),
    ]
    durable = memo.options.kind == "experiment"
    replaces = call.overwrites or call.mode.name == "refresh"
    if session.commit(writes, durable=durable, replace=replaces, soon=seconds < CHEAP):
        if record.known is not None:
            session.recalled.note(result, record.known)
        note_nested(call, record)
        _tell_impure(memo.symbol, tracked)
        session.grew(size)
        if listening():
            emit(Stored(memo.symbol, key, seconds))
    else:
        spoil()


def _too_large(size: int, limit: int) -> NotEncodableError:
    return NotEncodableError(
        f"it takes up {size_text(size)}, and the whole store may take up {size_text(limit)}.",
        "the setting max_size says how much",
    )


def _known_digest(session: Session, result: Any) -> Digest | None:
    """The digest of a large result as an argument, where it can come back as one unchanged."""
    if not (is_immutable(result) or is_read_only(result)):
        return None
    try:
        return session.digest_argument(result).digest
    except NotDigestibleError:
        return None


def call_writes(
    call: "Call", key: bytes, record: CallRecord, tracked: Tracked, among: DependencySet
) -> list[Write]:
    """Return what is to be written so that `record` is found under `key`, and can be explained."""
    moment = b"%020d" % time.time_ns()
    return [
        Write(Table.CALLS, key, pack_call(record)),
        Write(Table.HISTORY, history_prefix(call.memo.symbol) + moment + key[:4], key),
        *call.known.writes(among, call.digested.token),
        *call.known.code_writes(among, tracked.digest),
        *text_writes(call.session, tracked),
    ]


def _tell_impure(symbol: str, tracked: Tracked) -> None:
    """Warn, once for each source, that what was recorded may be different another time."""
    for found in tracked.closure.impure.found():
        if found.is_timer:
            continue
        message = f"{symbol} {found}; its results are recorded all the same."
        hint = f"hitsave.inert({found.subject}) says that it does not matter"
        if warn(f"impure:{symbol}:{found.source}", message, hint):
            emit(Impure(symbol, found.kind, found.source, str(found.place)))


def history_prefix(symbol: str) -> bytes:
    """The beginning of the history keys of a symbol."""
    return digest_parts("history", [symbol.encode()])[:16]


def _summaries(call: "Call") -> tuple[tuple[str, bytes, str], ...]:
    digest = call.session.digest_argument
    known = dict(call.digested.mutable)
    return tuple(
        (name, known.get(position) or digest(value).digest, summarize(value))
        for position, (name, value) in enumerate(
            zip(call.memo.argument_names, call.values, strict=True)
        )
    )
