"""Explanations: whether a call hits, and if not, what differs from the nearest earlier call.

Owns the search for that earlier call and the comparison with it. Refuses to run or record
anything.
"""

import difflib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.dependencies import BY_OBSERVATION, Dependency, Manifest
from hitsave.code.reached import DependencySet
from hitsave.code.symbol import Facet
from hitsave.code.tracker import Tracked
from hitsave.codec import summarize
from hitsave.errors import DamagedError, UnkeyedError
from hitsave.memo.call import Call, Candidate, ask, find_candidate_record
from hitsave.memo.cutoff import deciding
from hitsave.memo.recent import recent_calls
from hitsave.memo.texts import current_text, kept_text
from hitsave.session import Session
from hitsave.store import CallRecord, Table

if TYPE_CHECKING:
    from hitsave.memo.memoised import Memo


class Change(NamedTuple):
    """One difference from the earlier call.

    `subject` is a symbol with its facet, or an argument; `what` is `changed`, `added`, `removed`.
    `how` says where it stands and how it was reached; `diff` is a unified diff, or empty.
    """

    subject: str
    what: str
    how: str
    diff: str


class Explanation(NamedTuple):
    """Whether a call hits, a sentence why, and every change from the nearest earlier call.

    `deciding` are the memoised functions inside of a call that misses as far as can be told without
    running anything: where these give what they gave, it hits. `impure` are the sources of results
    that differ from run to run, such as the clock, that the code touches; a line each.
    """

    symbol: str
    hit: bool
    reason: str
    changes: tuple[Change, ...] = ()
    deciding: tuple[str, ...] = ()
    impure: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        """The changes, as text."""
        return "\n".join(_written(change) for change in self.changes)

    def __str__(self) -> str:
        head = f"{self.symbol}: {'hit' if self.hit else 'miss'}: {self.reason}"
        lines = [head, self.detail] if self.changes else [head]
        if self.deciding:
            gives = "gives what it" if len(self.deciding) == 1 else "give what they"
            lines.append(f"  it hits all the same if {', '.join(self.deciding)} {gives} gave")
        return "\n".join([*lines, *(f"  {touched}" for touched in self.impure)])


def _written(change: Change) -> str:
    how = f" ({change.how})" if change.how else ""
    lines = [f"  {change.subject} {change.what}{how}"]
    lines += [f"    {line}" for line in change.diff.splitlines()]
    return "\n".join(lines)


def explain_call(
    memo: "Memo[..., Any]", args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Explanation:
    """Explain what calling `memo` with these arguments would do now."""
    try:
        call = ask(memo, args, kwargs)
    except UnkeyedError as error:
        return Explanation(memo.symbol, False, f"it runs uncached: {error.message}")
    found = _readable(call)
    if found is None:
        tracked = next((candidate.tracked for candidate in call.candidates()), call.before)
        return explain_miss(call)._replace(deciding=deciding(call), impure=_impure(tracked))
    candidate, record = found
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.started))
    reason = f"recorded on {when}, when it took {record.seconds:.3g} s"
    return Explanation(memo.symbol, True, reason, impure=_impure(candidate.tracked))


def _readable(call: Call) -> tuple[Candidate, CallRecord] | None:
    try:
        return find_candidate_record(call)
    except DamagedError:
        return None


def _impure(tracked: Tracked) -> tuple[str, ...]:
    return tuple(map(str, tracked.closure.impure.found()))


def explain_miss(call: Call) -> Explanation:
    """Explain a miss against the nearest earlier call of the same function."""
    symbol = call.memo.symbol
    earlier = _nearest(call)
    if earlier is None:
        return Explanation(symbol, False, "it has no earlier call")
    arguments = _argument_changes(call, earlier)
    manifest = call.session.manifest(earlier.code)
    now = _tracked_like(call, manifest)
    same_code = earlier.code == now.digest
    code = () if same_code or manifest is None else _code_changes(call.session, now, manifest)
    if not arguments and same_code:
        return Explanation(symbol, False, _why_unusable(call, earlier))
    return Explanation(symbol, False, _sentence(arguments, code), (*arguments, *code))


def _why_unusable(call: Call, earlier: CallRecord) -> str:
    """Why a record of the very call does not count."""
    if earlier.has_expired:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(earlier.expires))
        return f"its recorded result expired on {when}"
    if call.mode.name == "refresh":
        return "its recorded result is refreshed"
    store = call.session.store
    if all(store.get(Table.CALLS, candidate.key) is None for candidate in call.candidates()):
        return "it was recorded under other options"
    return "its recorded result is gone or damaged"


def _sentence(arguments: tuple[Change, ...], code: tuple[Change, ...]) -> str:
    parts = []
    if arguments:
        names = ", ".join(change.subject for change in arguments)
        parts.append(f"{names} differs" if len(arguments) == 1 else f"{names} differ")
    if code:
        shown = ", ".join(f"{change.subject} {change.what}" for change in code[:3])
        more = f" and {len(code) - 3} more" if len(code) > 3 else ""
        parts.append(shown + more)
    return "; ".join(parts) or "what it depends on changed"


# -- the nearest earlier call -------------------------------------------------------------------


def _nearest(call: Call) -> CallRecord | None:
    """The newest earlier call with the same arguments, else with the same code, else the newest."""
    now = _digests(call)
    codes = {candidate.tracked.digest for candidate in call.candidates()}
    best, score = None, (-1, False)
    for record in recent_calls(call.session, call.memo.symbol):
        same = sum(now.get(name) == digest for name, digest, _ in record.arguments)
        mine = (same, record.code in codes)
        if mine > score:
            best, score = record, mine
    return best


def _digests(call: Call) -> dict[str, bytes]:
    digest = call.session.digest_argument
    pairs = zip(call.memo.argument_names, call.values, strict=True)
    return {name: digest(value).digest for name, value in pairs}


# -- comparing ----------------------------------------------------------------------------------


def _argument_changes(call: Call, earlier: CallRecord) -> tuple[Change, ...]:
    now = _digests(call)
    values = dict(zip(call.memo.argument_names, call.values, strict=True))
    then = {name: (digest, summary) for name, digest, summary in earlier.arguments}
    changes = []
    for name, digest in now.items():
        before = then.get(name)
        if before is None:
            changes.append(Change(f"argument {name}", "added", "", ""))
        elif before[0] != digest:
            diff = _diff(before[1], summarize(values[name]))
            changes.append(Change(f"argument {name}", "changed", "", diff))
    changes += [Change(f"argument {n}", "removed", "", "") for n in then if n not in now]
    return tuple(changes)


def _tracked_like(call: Call, manifest: Manifest | None) -> Tracked:
    """The code as it is now, narrowed to what an earlier manifest was narrowed to."""
    if manifest is None or not manifest.reached:
        return call.before
    among = DependencySet.unpack(manifest.reached)
    return call.session.tracker.track(call.roots, call.memo.declared, among)


def _code_changes(session: Session, tracked: Tracked, manifest: Manifest) -> tuple[Change, ...]:
    now, then = tracked.manifest.by_key(), manifest.by_key()
    changes = [
        _change(session, tracked, then.get(key), now.get(key))
        for key in sorted(now.keys() | then.keys())
        if key not in now or key not in then or now[key].digest != then[key].digest
    ]
    # What changed explains; what came or went with it is a consequence, told last.
    return tuple(sorted(changes, key=lambda change: change.what != "changed"))


def _change(
    session: Session, tracked: Tracked, then: Dependency | None, now: Dependency | None
) -> Change:
    shown = now or then
    assert shown is not None
    what = "changed" if now and then else "added" if now else "removed"
    before = kept_text(session, then) if then else ""
    after = current_text(tracked, now) if now else ""
    where = f"{shown.place}, " if shown.place.path else ""
    # What only observation leads to was told when it was observed.
    via = then.via if then is not None and shown.via == BY_OBSERVATION else shown.via
    how = f"{where}{via}".strip(", ")
    subject = f"{shown.symbol} ({_FACETS.get(shown.facet, shown.facet)})"
    diff = _diff(before, after) if what == "changed" else ""
    return Change(subject, what, how, diff)


_FACETS = {
    Facet.BINDING: "what the name leads to",
    Facet.INSTANCE: "which one of its definition",
    Facet.INITIAL: "what it was at first",
}


def _diff(before: str, after: str) -> str:
    """Return the changed lines of two texts, without file headers."""
    if before == after:
        return ""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    return "\n".join(line for line in list(lines)[2:])
