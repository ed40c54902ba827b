"""Fresh processes: whether a global has the same value in any two of them.

Some values are others in every process although nothing has changed: what was ordered by a hash
seed, drawn by chance, or numbered by an address. A call that misses because of them alone would
never hit. Where importing the modules executes what it did when a result was recorded (`imported`),
and nothing but values of globals differs, some fresh processes with different hash seeds import the
modules and digest these values (`probe`). Those on which they disagree count by their definitions
from then on; where these are all that differed, the result is the one that was recorded.

Owns when to ask, and what the answer means. Refuses to guess: what cannot be asked about, as a
global of the main program, goes on counting by its value.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from hitsave.code.dependencies import Manifest, digest_beside
from hitsave.code.reached import DependencySet, Witness
from hitsave.code.surroundings import NOTHING
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.tracker import Tracked, TrackedCode
from hitsave.events import Untracked, emit
from hitsave.memo.around import under_way
from hitsave.memo.recent import recent_calls
from hitsave.memo.trouble import unexpected
from hitsave.session import Session
from hitsave.store import CallRecord

if TYPE_CHECKING:
    from hitsave.memo.call import Call, Candidate
    from hitsave.memo.memoised import Memo


LATEST = 4
"""How many of the latest calls are looked at for what code they were recorded with."""


class Asked(NamedTuple):
    """A global or class-level binding that a fresh process can be asked about.

    `module` is the name that its module is imported by.
    """

    symbol: Symbol
    module: str
    definition: bytes

    @property
    def place(self) -> str:
        """What its digest is found by in an answer."""
        return f"{self.module}:{self.symbol.name}"


class Judged(NamedTuple):
    """What was found out about earlier code: whether it is the present code, of digest `now`.

    `among` is the dependency set that both are narrowed by; `equal` the one under which results of
    the earlier code are to be found from now on, None where it is other code. All are of code
    alone, but that `equal` has what was read for values that count by their definitions now.
    """

    among: DependencySet
    now: bytes
    equal: DependencySet | None


_judgements: "WeakKeyDictionary[Memo[..., Any], dict[bytes, Judged]]" = WeakKeyDictionary()


def find_candidate(call: "Call") -> "tuple[Candidate, CallRecord] | None":
    """Return the record of a call that differs by nothing but values that always do."""
    # The spine imports this module.
    from hitsave.memo.call import Candidate, usable_record

    if under_way:
        # What an evaluation around would see of the processes is not its own doing.
        return None
    try:
        for code in _earlier_code(call):
            for key, among in _keys_with(call, code):
                record = usable_record(call, key)
                if record is not None:
                    tracked = _track(call, among)
                    candidate = Candidate(call.key_under(tracked), tracked, among)
                    return candidate, record._replace(code=tracked.digest)
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
    return None


def _track(call: "Call", among: DependencySet) -> Tracked:
    return call.session.tracker.track(call.roots, call.memo.declared, among)


def _earlier_code(call: "Call") -> list[bytes]:
    """The code of the latest calls of the function, whatever their arguments, if not present.

    And what has been found to be the present code, whose calls are soon no longer the latest.
    """
    session, judged = call.session, _judgements.get(call.memo, {})
    present = {candidate.tracked.code.digest for candidate in call.candidates()}
    latest = recent_calls(session, call.memo.symbol, limit=LATEST)
    found = [session.code_part(record.code) for record in latest]
    found += [code for code, each in judged.items() if each.equal is not None]
    return [code for code in dict.fromkeys(found) if code is not None and code not in present]


def _keys_with(call: "Call", code: bytes) -> "Iterator[tuple[bytes, DependencySet]]":
    """The keys of the call with earlier code that is the present code, and the sets for them."""
    judged = _judged(call, code)
    if judged.equal is None:
        return
    left = judged.equal.outside
    for among in call.known.to_try(call.digested.token):
        if among.code == judged.among:
            outside = _track(call, among).outside.dependencies
            key = call.key_with(digest_beside(code, outside))
            yield key, DependencySet.beside(judged.equal.code, among.outside | left)


def _judged(call: "Call", code: bytes) -> Judged:
    """Return what is known of earlier code; find it out where that is not known."""
    judged = _judgements.setdefault(call.memo, {})
    known = judged.get(code)
    if known is not None and known.now == _track(call, known.among).code.digest:
        return known
    manifest = call.session.manifest(code)
    if manifest is None or not manifest.reached:
        return Judged(DependencySet(()), b"", None)
    among = DependencySet.unpack(manifest.reached).code
    equal = _equal(call, among, manifest)
    judged[code] = Judged(among, _track(call, among).code.digest, equal)
    return judged[code]


def _equal(call: "Call", among: DependencySet, manifest: Manifest) -> DependencySet | None:
    session, tracked = call.session, _as_then(call, among, manifest)
    suspects = _suspects(tracked, manifest)
    if suspects is None:
        return None
    if not suspects:
        # All is as it was, but that some of the values are known to be state by now.
        return _widened(call, among)
    values = _askable(tracked)
    if not suspects <= values.keys():
        return None
    if any(session.is_steady(symbol, values[symbol].definition) for symbol in suspects):
        return None
    # Few calls come this far, and a process is started by what takes long to load.
    from hitsave.memo.imported import executed_alike, imported_now, imported_then, read_alike
    from hitsave.memo.probe import ask, can_ask

    now, then = imported_now(session), imported_then(session, manifest.imported)
    if then is None or not executed_alike(session, now, then) or not can_ask():
        # What the values are made of may be what has changed.
        return None
    same_seed = now.has_seed_of(then)
    varying = ask(session.root, values, suspects, same_seed=same_seed)
    _note(session, values, suspects, varying)
    if not suspects <= varying or not read_alike(now, then):
        return None
    widened = _widened_and_asked(call, among, values, same_seed)
    known = manifest.by_key().keys()
    found = _track(call, widened).code.manifest.by_key().keys()
    # Of a library that nothing else leads to, nobody knows which version it was.
    return None if any(facet is Facet.VERSION for _, facet in found - known) else widened


def _widened_and_asked(
    call: "Call", among: DependencySet, asked: dict[Symbol, Asked], same_seed: bool
) -> DependencySet:
    """Widen a set until nothing is left in it that may vary and was not asked about.

    What counts by its definition leads to what it was made of.
    """
    from hitsave.memo.probe import ask

    while True:
        widened = _widened(call, among)
        values = _askable(_track(call, widened).code)
        rest = {symbol: value for symbol, value in values.items() if symbol not in asked}
        if not rest:
            return widened
        asked = asked | rest
        varying = ask(call.session.root, rest, frozenset(), same_seed=same_seed)
        _note(call.session, rest, set(), varying)


def _as_then(call: "Call", among: DependencySet, manifest: Manifest) -> TrackedCode:
    """The present code, with the values that counted as such when `manifest` was made.

    Some of them may be known since to be state, from another evaluation or other earlier code.
    """
    now = _track(call, among).code
    values = {symbol for symbol, facet in manifest.by_key() if facet is Facet.VALUE}
    if values.isdisjoint(now.closure.values.by_definition):
        return now
    tracker, declared = call.session.tracker, call.memo.declared
    return tracker.compute_by_value(call.roots, declared, among, values)


def _widened(call: "Call", among: DependencySet) -> DependencySet:
    """Add the functions that made what counts by its definition now, when it was imported."""
    # The rest of what only misses load.
    from hitsave.memo.evaluation import ran_before
    from hitsave.memo.history import readings_in

    tracker, declared = call.session.tracker, call.memo.declared
    roots = dict(among.roots())
    facts = {fact: (NOTHING, via) for fact, _, via in among.facts()}
    session = call.session
    witness = Witness(roots, facts, ran_before(session), read_at=readings_in(session))
    with tracker.standing_still():
        tracker.compute(call.roots, declared, witness)
    return witness.dependency_set()


def _suspects(tracked: TrackedCode, manifest: Manifest) -> set[Symbol] | None:
    """The values that differ from the recorded ones; None where anything else does."""
    now, then = tracked.manifest.by_key(), manifest.by_key()
    if now.keys() != then.keys():
        return None
    different = [key for key in now if now[key].digest != then[key].digest]
    if any(facet is not Facet.VALUE for _, facet in different):
        return None
    return {symbol for symbol, _ in different}


def _askable(tracked: TrackedCode) -> dict[Symbol, Asked]:
    """The values that count and that a module has by itself once it is imported."""
    found = {}
    closure = tracked.closure
    for symbol, facet in tracked.manifest.by_key():
        module = closure.modules.get(symbol.module)
        name = "" if module is None else module.source.module
        # Items, cells and defaults have a bracket in their names.
        if facet is Facet.VALUE and "[" not in symbol.name and name not in ("", "__main__"):
            found[symbol] = Asked(symbol, name, closure.values.definition_digest(symbol))
    return found


def _note(
    session: Session, values: dict[Symbol, Asked], suspects: set[Symbol], varying: set[Symbol]
) -> None:
    for symbol in sorted(varying):
        reason = "its value differs in every process; it counts by its definition"
        emit(Untracked(str(symbol), reason))
    session.mark_state(*((symbol, values[symbol].definition) for symbol in varying))
    steady = suspects - varying
    session.mark_steady(*((symbol, values[symbol].definition) for symbol in steady))
    session.tracker.forget()
