"""One call, top to bottom.

Owns the order in which a call visits the rooms: bind, digest the arguments, code digest, look up;
and on a miss the lease and the evaluation, whose result `record` keeps. Whatever goes wrong here
costs a recompute and a warning; only the user's own exceptions come out.
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.reached import DependencySet
from hitsave.code.tracker import Moment, Tracked
from hitsave.codec import Digested as DigestedValue
from hitsave.codec import decode
from hitsave.codec.plain import LARGE, SCALARS, scalars_input
from hitsave.digest import digest_bytes
from hitsave.errors import MissError, NotDigestibleError, OtherSchemaError, UnkeyedError
from hitsave.events import Hit, Miss, emit, listening
from hitsave.memo.around import spoil, under_way
from hitsave.memo.modes import ASKING, Mode
from hitsave.memo.record import Before, call_writes, note_before
from hitsave.memo.trouble import bypass, unexpected
from hitsave.session import Session, current
from hitsave.store import CallRecord, Lease, Table, split_parts, unpack_call

if TYPE_CHECKING:
    from hitsave.memo.memoised import Memo

LEASE_LIMIT = 600.0
"""How long a call waits for another one that computes the same, in seconds."""

BRIEF = 0.01
"""Waiting that is not worth the name, in seconds."""

ABSENT: Any = object()
"""Stands for no result."""


class Digested(NamedTuple):
    """The values of a call's parameters, as they go into its key.

    `token` is what is hashed for them. `symbols` are the project definitions among them, and
    `mutable` holds the position and the digest of each that can be changed in place. `outside`
    holds something of each library that they come from, whose version counts.
    """

    token: bytes
    symbols: tuple[Any, ...] = ()
    mutable: tuple[tuple[int, bytes], ...] = ()
    outside: tuple[Any, ...] = ()


class Candidate(NamedTuple):
    """A key that a call's record may have, with the code digest and the dependency set it is of."""

    key: bytes
    tracked: Tracked
    among: DependencySet


class Call:
    """A call that was bound and digested.

    `overwrites` says that what is recorded of it, if anything, is not good enough.
    """

    __slots__ = (
        "_before",
        "_waiting_since",
        "digested",
        "known",
        "memo",
        "mode",
        "moment",
        "overwrites",
        "roots",
        "session",
        "values",
    )

    def __init__(
        self,
        memo: "Memo[..., Any]",
        session: Session,
        mode: Mode,
        values: tuple[Any, ...],
        digested: Digested,
    ) -> None:
        self.memo = memo
        self.session = session
        self.mode = mode
        self.values = values
        self.digested = digested
        brought = (*digested.symbols, *digested.outside)
        self.roots = (memo.root, *brought) if brought else memo.roots
        self.known = memo.known_sets(session)
        self.overwrites = False
        self.moment: Moment = {}
        self._before: Tracked | None = None
        self._waiting_since = 0.0

    def candidates(self) -> Iterator[Candidate]:
        """Yield the keys that a record may have with the code as it is now, likeliest first."""
        track, declared = self.session.tracker.track, self.memo.declared
        for among in self.known.likeliest_first(self.digested.token, self._is_recorded_with):
            tracked = track(self.roots, declared, among, self.moment)
            yield Candidate(self.key_under(tracked), tracked, among)

    def _is_recorded_with(self, code: bytes) -> bool:
        return self.session.store.get(Table.CALLS, self.key_with(code)) is not None

    @property
    def before(self) -> Tracked:
        """Everything reachable, as it is when this is first asked for: before the function runs."""
        if self._before is None:
            self.take_before()
            assert self._before is not None
        return self._before

    def counts(self, record: CallRecord) -> bool:
        """Whether a record counts now: its time is not over, nor is it too old for the mode."""
        since = self.mode.since
        if record.has_expired:
            return False
        # Nothing was begun later than now: it was begun earlier, by a clock that was ahead.
        return since == 0.0 or since < record.started <= time.time()

    def take_before(self) -> None:
        """Take everything reachable as it is now."""
        track = self.session.tracker.track
        self._before = track(self.roots, self.memo.declared, None, self.moment)

    def wait(self) -> None:
        """Begin to wait for another holder of the lease."""
        self._waiting_since = time.perf_counter()

    def go_on(self) -> None:
        """Wait no longer: where that took its time, anything may have changed meanwhile."""
        if time.perf_counter() - self._waiting_since > BRIEF:
            self.moment.clear()

    @property
    def key(self) -> bytes:
        """What tells this call from every other: the same in all processes with the same code."""
        return self.key_under(self.before)

    def key_under(self, tracked: Tracked) -> bytes:
        """The key that this call has with the code of `tracked`."""
        return self.key_with(tracked.digest)

    def key_with(self, code: bytes) -> bytes:
        """The key that this call has with the code of that digest."""
        # Two digests and then the rest, so that no two calls hash the same bytes.
        return digest_bytes(self.memo.identity + code + self.digested.token)


# -- bind, digest, form the key -----------------------------------------------------------------


def begin(
    memo: "Memo[..., Any]", args: tuple[Any, ...], kwargs: dict[str, Any], mode: Mode
) -> Call | None:
    """Bind a call and form its key; None where it cannot be keyed and has to run uncached.

    Raises MissError instead in mode `require`.
    """
    try:
        values = memo.binder.bind(*args, **kwargs)
    except TypeError:
        # The arguments do not fit; the function itself says best how.
        return None
    try:
        return _keyed(memo, mode, values, args, kwargs)
    except UnkeyedError as error:
        spoil()
        if mode.name == "require":
            raise _required(memo, error.message, error.hint) from None
        bypass(memo.symbol, "unkeyed", error.message, error.hint)
    except Exception as error:
        spoil()
        unexpected(current(), memo.symbol, error)
    return None


def ask(memo: "Memo[..., Any]", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Form the key of a call that is only asked about.

    Raises TypeError where the arguments do not fit, UnkeyedError where the call has no key.
    """
    values = memo.binder.bind(*args, **kwargs)
    try:
        return _keyed(memo, ASKING, values, args, kwargs)
    except UnkeyedError:
        raise
    except Exception as error:
        if current().settings.strict:
            raise
        raise UnkeyedError(f"{type(error).__name__} inside hitsave: {error}") from error


def _keyed(
    memo: "Memo[..., Any]",
    mode: Mode,
    values: tuple[Any, ...],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Call:
    session = current()
    if memo.options.key is not None:
        values = (_own_key(memo, args, kwargs),)
    return Call(memo, session, mode, values, _digest(memo, session, values))


def _own_key(memo: "Memo[..., Any]", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    assert memo.options.key is not None
    try:
        return memo.options.key(*args, **kwargs)
    except Exception as error:
        said = f"key= raised {type(error).__name__}: {error}"
        raise UnkeyedError(said, "it is given the arguments of the call") from error


def _digest(memo: "Memo[..., Any]", session: Session, values: tuple[Any, ...]) -> Digested:
    if SCALARS.issuperset(map(type, values)) and not session.recalled.has_any(values):
        token = scalars_input(values)
        if len(token) < LARGE:
            return Digested(b"scalars" + token)
    symbols: dict[int, Any] = {}
    outside: dict[int, Any] = {}
    mutable, parts = [], [b"digests"]
    for position, value in enumerate(values):
        found = _digest_one(memo, session, position, value)
        parts.append(found.digest)
        symbols.update((id(symbol), symbol) for symbol in found.symbols)
        outside.update((id(each), each) for each in found.outside)
        if found.mutable:
            mutable.append((position, found.digest))
    brought = tuple(symbols.values()), tuple(mutable), tuple(outside.values())
    return Digested(b"".join(parts), *brought)


def _digest_one(
    memo: "Memo[..., Any]", session: Session, position: int, value: Any
) -> DigestedValue:
    try:
        return session.digest_argument(value)
    except NotDigestibleError as error:
        name = memo.argument_names[position]
        way = f"ignore=({name!r},)" if memo.options.key is None else "another key="
        raise UnkeyedError(
            f"argument {name}{error.path} cannot be digested: {error.message}",
            f"leave it out with {way}, or say what to key by with key=, or what stands for such "
            "an object with hitsave.register_digest or a method __hitsave_digest__",
        ) from error


# -- look up ------------------------------------------------------------------------------------


def find(call: Call | None) -> Any:
    """Return a fresh copy of the recorded result, or ABSENT."""
    if call is None:
        return ABSENT
    try:
        known = call.known.hits.find(call)
        if known is not None:
            result = _taken(call, known.candidate, known.record)
            if result is not ABSENT:
                return result
        return _find_in_store(call)
    except Exception as error:
        call.overwrites = True
        unexpected(call.session, call.memo.symbol, error)
    return ABSENT


def _find_in_store(call: Call) -> Any:
    version = call.session.store.version()
    for candidate in call.candidates():
        record = usable_record(call, candidate.key)
        if record is not None:
            result = _taken(call, candidate, record)
            if result is not ABSENT:
                call.known.hits.keep(call, candidate, record, version)
                return result
            call.overwrites = True
    return ABSENT


def _taken(call: Call, candidate: Candidate, record: CallRecord) -> Any:
    """Return the result that is recorded, and note the hit; ABSENT where it cannot be read."""
    result = _decoded(call.session, record)
    if result is not ABSENT:
        _note_hit(call, candidate, record)
    return result


def _note_hit(call: Call, candidate: Candidate, record: CallRecord) -> None:
    call.memo.count_hit()
    call.session.note_use(candidate.key, record.started)
    call.known.use(candidate.among, call.digested.token)
    if under_way:
        from hitsave.memo.cutoff import note_nested  # loaded by whoever has begun an evaluation

        note_nested(call, record)
        for evaluation in tuple(under_way):
            evaluation.note_hit(call.memo.symbol, candidate.among, candidate.tracked)
    if listening():
        emit(Hit(call.memo.symbol, candidate.key, record.seconds))


def find_record(call: Call) -> CallRecord | None:
    """Return the record of a call; None where there is none that counts now.

    Raises DamagedError where it cannot be read.
    """
    found = find_candidate_record(call)
    return None if found is None else found[1]


def find_candidate_record(call: Call) -> tuple[Candidate, CallRecord] | None:
    """As `find_record`, with the key that the record is under."""
    for candidate in call.candidates():
        record = usable_record(call, candidate.key)
        if record is not None:
            return candidate, record
    return None


def usable_record(call: Call, key: bytes) -> CallRecord | None:
    """Return the record under `key`; None where there is none that counts now."""
    packed = call.session.store.get(Table.CALLS, key)
    if packed is None:
        return None
    try:
        record = unpack_call(packed)
    except OtherSchemaError:  # what was recorded before an upgrade is computed again
        call.overwrites = True
        return None
    if not call.counts(record):
        call.overwrites = True
        return None
    return record


def find_after_waiting(call: Call) -> Any:
    """As `find`, of what another holder of the lease may have recorded meanwhile."""
    try:
        _go_on(call)
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
    found = find(call)
    return _find_equivalent(call) if found is ABSENT else found


def _is_there_by_now(call: Call) -> bool:
    """Whether `find_after_waiting` would find what another holder of the lease has recorded."""
    try:
        _go_on(call)
        return find_record(call) is not None
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
        return False


def _go_on(call: Call) -> None:
    call.go_on()
    call.known.reload()


def _find_equivalent(call: Call) -> Any:
    """Return the result that was recorded under another key, which is known to be this one's."""
    from hitsave.memo import cutoff, fresh  # only a miss loads them

    found = cutoff.find_candidate(call) or fresh.find_candidate(call)
    if found is None:
        return ABSENT
    candidate, record = found
    try:
        result = _taken(call, candidate, record)
        if result is not ABSENT:
            writes = call_writes(call, candidate.key, record, *candidate[1:])
            call.session.commit(writes, soon=True)
        return result
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
        return ABSENT


def _decoded(session: Session, record: CallRecord) -> Any:
    if record.payload is not None:
        return decode(record.payload, (), allow_pickle=True)
    stored = session.store.read_object(record.object) if record.object is not None else None
    if stored is None:  # gone, or damaged, which the store has told of
        return ABSENT
    payload, *buffers = split_parts(stored)
    result = decode(payload, buffers, allow_pickle=True)
    if record.known is not None:
        session.recalled.note(result, record.known)
    return result


# -- on a miss ----------------------------------------------------------------------------------


def is_recorded(call: Call) -> bool:
    """Whether the result of this call, which misses, is to be recorded.

    Where it is not, the miss has been told of. Raises MissError in mode `require`.
    """
    if call.mode.records:
        return True
    spoil()
    call.memo.count_miss()
    _tell_miss(call)
    return False


def lease(call: Call, owner: object = None) -> Lease | nullcontext[bool]:
    """The lease for a call's key: of many that want the same result, one computes it.

    Whether it is held at once, after another holder, or not at all: look up again inside.
    """
    try:
        key = call.key
        call.wait()
        return call.session.store.lease(
            key,
            limit=LEASE_LIMIT,
            what=f"a result of {call.memo.symbol}",
            owner=owner,
            until=lambda: _is_there_by_now(call),
        )
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
        return nullcontext(False)


def start(call: Call) -> Before:
    """Tell of the miss, and note how things stand just before the function runs."""
    call.memo.count_miss()
    _tell_miss(call)
    return note_before(call)


def _tell_miss(call: Call) -> None:
    is_required = call.mode.name == "require"
    if not (is_required or listening()):
        return
    reason, detail, key = _explained(call)
    if is_required:
        raise _required(call.memo, reason, "")
    emit(Miss(call.memo.symbol, key, reason, detail))


def _explained(call: Call) -> tuple[str, str, bytes]:
    """Return why a call misses, shortly and at length, and its key, where that can be formed."""
    try:
        # Loaded for messages only.
        from hitsave.memo.explain import explain_miss

        explanation = explain_miss(call)
        return explanation.reason, explanation.detail, call.key
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
        return "why is not known", "", b""


def _required(memo: "Memo[..., Any]", reason: str, hint: str) -> MissError:
    way = hint or "run it once in mode 'use', or leave mode 'require'"
    return MissError(f"{memo.symbol} has no recorded result: {reason.rstrip('.')}.", way)
