"""Early cutoff: a call whose own code is as it was, and whose memoised calls inside give what they
gave, has the result it had, whatever changed in the code of those.

Owns plans: which memoised calls an evaluation made, in order, and what they returned. Refuses
whatever cannot be told apart by the source: functions that only observation leads to, results that
bring code with them, calls made in other threads.
"""

import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack

from hitsave.code.dependencies import Manifest
from hitsave.code.functions import OBSERVED
from hitsave.code.reached import DependencySet, Without
from hitsave.code.symbol import Facet
from hitsave.codec import decode, encode
from hitsave.codec.plain import SCALARS
from hitsave.digest import digest_bytes, digest_parts
from hitsave.memo.around import under_way
from hitsave.memo.known import KnownSets
from hitsave.memo.trouble import unexpected
from hitsave.session import Session
from hitsave.store import CallRecord, Table, Write

if TYPE_CHECKING:
    from hitsave.memo.call import Call, Candidate
    from hitsave.memo.memoised import Memo

MOST_CALLS = 64
"""An evaluation that makes more memoised calls has no plan."""

MOST_BYTES = 4096
"""Length of the longest arguments that are kept in a plan, encoded, in bytes."""


class NestedCall(NamedTuple):
    """A memoised call made during an evaluation: of what, its arguments, what was recorded."""

    symbol: str
    arguments: bytes
    result: bytes


class Plan(NamedTuple):
    """The memoised calls of an evaluation, and the key of its own record."""

    nested: tuple[NestedCall, ...]
    key: bytes

    def pack(self) -> bytes:
        """Encode the plan."""
        return bytes(msgpack.packb((self.nested, self.key)) or b"")

    @classmethod
    def unpack(cls, data: bytes) -> "Plan":
        """Decode a plan."""
        nested, key = msgpack.unpackb(data, use_list=False)
        return cls(tuple(NestedCall(*row) for row in nested), key)


# -- while an evaluation is under way -----------------------------------------------------------


def note_nested(call: "Call", record: CallRecord) -> None:
    """Tell the evaluation around a memoised call what that call returned."""
    around = _around()
    if around is None:
        return
    # Asked for once: another thread may give them up at any moment.
    nested = around.nested_calls
    if nested is None:
        return
    arguments = _packed_arguments(call)
    if arguments is None or record.pickled or len(nested) == MOST_CALLS:
        around.nested_calls = None
    else:
        nested.append(NestedCall(call.memo.symbol, arguments, _result(record)))


def _around() -> Any:
    """The innermost evaluation of this thread; those of others lose their plans."""
    mine = None
    # A copy: of a list that another thread shortens meanwhile, one would be passed over.
    for evaluation in tuple(under_way):
        if evaluation.thread == threading.get_ident():
            mine = evaluation
        else:
            evaluation.nested_calls = None
    return mine


def _packed_arguments(call: "Call") -> bytes | None:
    """The arguments, where they are few and plain and can all be given by position."""
    memo, values = call.memo, call.values
    code = memo.__code__
    has_more = code.co_kwonlyargcount or code.co_flags & 0x0C or len(values) != code.co_argcount
    if has_more or memo.options.key is not None or not SCALARS.issuperset(map(type, values)):
        return None
    encoded = encode(values)
    is_small = len(encoded.payload) <= MOST_BYTES and not encoded.buffers
    return encoded.payload if is_small else None


def _result(record: CallRecord) -> bytes:
    if record.object is not None:
        return record.object
    return digest_bytes(record.payload or b"")


# -- recording ----------------------------------------------------------------------------------


def plan_writes(
    call: "Call",
    nested: "list[NestedCall] | None",
    manifest: Manifest,
    among: DependencySet,
    key: bytes,
) -> list[Write]:
    """Return what is to be written so that the call can be cut off early later."""
    own = _own_part(call, nested, manifest, among)
    if own is None or nested is None:
        return []
    tracked = call.session.tracker.track(call.roots, call.memo.declared, own)
    plan = Plan(tuple(nested), key)
    known = call.memo.known_plans(call.session)
    return [
        Write(Table.PLANS, _plan_key(call, tracked.digest), plan.pack()),
        *known.writes(own, call.digested.token),
    ]


def _own_part(
    call: "Call", nested: "list[NestedCall] | None", manifest: Manifest, among: DependencySet
) -> DependencySet | None:
    """What the call depends on besides its memoised calls; None where that cannot be told."""
    inner = {each.symbol for each in nested or ()}
    if not inner or call.memo.symbol in inner or among.is_wide:
        return None
    if any(d.facet is Facet.BINDING and d.digest == OBSERVED for d in manifest.dependencies):
        return None
    narrowed = Without(among, inner)
    tracked = call.session.tracker.compute(call.roots, call.memo.declared, narrowed)
    if tracked.closure.members.asked("__wrapped__"):
        return None
    bodies = {str(d.symbol) for d in tracked.manifest.dependencies if d.facet is Facet.BODY}
    return among.restricted(bodies)


def _plan_key(call: "Call", code: bytes) -> bytes:
    return digest_parts("plan", [call.memo.identity, code, call.digested.token])


def known_plans(session: Session, identity: bytes) -> KnownSets:
    """The dependency sets that a function's plans are kept under."""
    return KnownSets(session, digest_parts("plans", [identity]))


# -- looking up ---------------------------------------------------------------------------------


def find_candidate(call: "Call") -> "tuple[Candidate, CallRecord] | None":
    """Return the record of a call all of whose memoised calls still give what they gave.

    They are called to find out, which may compute them: the call itself would have done so.
    """
    try:
        for plan, among in _plans(call):
            found = _followed(call, plan, among)
            if found is not None:
                return found
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
    return None


def deciding(call: "Call") -> tuple[str, ...]:
    """Return the memoised functions on whose results alone it depends whether a call hits.

    None where it depends on more.
    """
    # The spine imports this module.
    from hitsave.memo.call import usable_record

    for plan, _ in _plans(call):
        if usable_record(call, plan.key) is not None:
            return tuple(dict.fromkeys(nested.symbol for nested in plan.nested))
    return ()


def _plans(call: "Call") -> Iterator[tuple[Plan, DependencySet]]:
    """Yield the plans of a call whose own code is as it was, and the set that each is under."""
    known = call.memo.known_plans(call.session)
    for among in known.to_try(call.digested.token):
        tracked = call.session.tracker.track(call.roots, call.memo.declared, among)
        packed = call.session.store.get(Table.PLANS, _plan_key(call, tracked.digest))
        if packed is not None:
            yield Plan.unpack(packed), among


def _followed(
    call: "Call", plan: Plan, among: DependencySet
) -> "tuple[Candidate, CallRecord] | None":
    # The spine imports this module.
    from hitsave.memo.call import Candidate, usable_record

    sets = []
    for nested in plan.nested:
        inner = _called_again(nested)
        if inner is None or _result(inner[1]) != nested.result:
            return None
        sets.append(inner[0].among)
    record = usable_record(call, plan.key)
    if record is None:
        return None
    whole = among.united(sets)
    tracked = call.session.tracker.track(call.roots, call.memo.declared, whole)
    candidate = Candidate(call.key_under(tracked), tracked, whole)
    return candidate, record._replace(code=tracked.digest)


def _called_again(nested: NestedCall) -> "tuple[Candidate, CallRecord] | None":
    """Make a memoised call; None where it is not recorded, or raises."""
    from hitsave.memo.call import ask, find_candidate_record

    memo = _memo_named(nested.symbol)
    if memo is None:
        return None
    args: Any = decode(nested.arguments, (), allow_pickle=False)
    try:
        memo(*args)
    except Exception:  # the function's own: the evaluation to come will raise it again
        return None
    return find_candidate_record(ask(memo, tuple(args), {}))


def _memo_named(symbol: str) -> "Memo[..., Any] | None":
    from hitsave.memo.memoised import Memo

    module, _, qualified = symbol.partition(":")
    for name in (module, "__main__"):
        found: Any = sys.modules.get(name)
        for step in qualified.split("."):
            found = getattr(found, step, None)
        if type(found) is Memo and found.symbol == symbol:
            return found
    return None
