"""Fresh processes: whether a global has the same value in any two of them.

Some values are others in every process although nothing has changed: what was ordered by a hash
seed, drawn by chance, or numbered by an address. A call that misses because of them alone would
never hit. Where the sources are those that a result was recorded with, and nothing but values of
globals differs, some fresh processes with different hash seeds import the modules and digest these
values (`probe`). Those on which they disagree count by their definitions from then on; where these
are all that differed, the result is the one that was recorded.

Owns when to ask, and what the answer means. Refuses to guess: what cannot be asked about, as a
global of the main program, goes on counting by its value.
"""

from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from hitsave.code.dependencies import Manifest
from hitsave.code.reached import DependencySet, Witness
from hitsave.code.surroundings import NOTHING
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.tracker import Tracked
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
    the earlier code are to be found from now on, None where it is other code.
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
        for code in _latest_codes(call):
            record = usable_record(call, call.key_with(code))
            equal = None if record is None else _judged(call, code).equal
            if record is not None and equal is not None:
                tracked = call.session.tracker.track(call.roots, call.memo.declared, equal)
                candidate = Candidate(call.key_under(tracked), tracked, equal)
                return candidate, record._replace(code=tracked.digest)
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
    return None


def _latest_codes(call: "Call") -> list[bytes]:
    """The code digests of the latest calls of the function, whatever their arguments."""
    latest = recent_calls(call.session, call.memo.symbol, limit=LATEST)
    return list(dict.fromkeys(record.code for record in latest))


def _judged(call: "Call", code: bytes) -> Judged:
    """Return what is known of earlier code; find it out where that is not known."""
    judged, track = _judgements.setdefault(call.memo, {}), call.session.tracker.track
    known = judged.get(code)
    if known is not None and known.now == track(call.roots, call.memo.declared, known.among).digest:
        return known
    manifest = call.session.manifest(code)
    if manifest is None or not manifest.reached:
        return Judged(DependencySet(()), b"", None)
    among = DependencySet.unpack(manifest.reached)
    equal = _equal(call, among, manifest)
    now = track(call.roots, call.memo.declared, among).digest
    judged[code] = Judged(among, now, equal)
    return judged[code]


def _equal(call: "Call", among: DependencySet, manifest: Manifest) -> DependencySet | None:
    session = call.session
    tracked = session.tracker.track(call.roots, call.memo.declared, among)
    suspects = _suspects(tracked, manifest)
    if not suspects:
        return None
    values = _askable(tracked)
    if not suspects <= values.keys():
        return None
    if any(session.is_steady(symbol, values[symbol].definition) for symbol in suspects):
        return None
    # Few calls come this far, and a process is started by what takes long to load.
    from hitsave.memo.history import surroundings_of
    from hitsave.memo.probe import ask, can_ask

    if not can_ask():
        return None
    surroundings = surroundings_of(tracked)
    varying = ask(session.root, values, suspects)
    _note(session, values, suspects, varying)
    if not suspects <= varying or surroundings != manifest.surroundings:
        # What they are made of may be what has changed.
        return None
    return _widened(call, among)


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


def _suspects(tracked: Tracked, manifest: Manifest) -> set[Symbol]:
    """The values that differ from the recorded ones, where nothing else does."""
    if tracked.manifest.sources != manifest.sources:
        return set()
    now, then = tracked.manifest.by_key(), manifest.by_key()
    if now.keys() != then.keys():
        return set()
    different = [key for key in now if now[key].digest != then[key].digest]
    if any(facet is not Facet.VALUE for _, facet in different):
        return set()
    return {symbol for symbol, _ in different}


def _askable(tracked: Tracked) -> dict[Symbol, Asked]:
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
