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

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.dependencies import Manifest
from hitsave.code.reached import DependencySet
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.tracker import Tracked
from hitsave.events import Untracked, emit
from hitsave.memo.around import under_way
from hitsave.memo.explain import recent_calls
from hitsave.memo.trouble import unexpected
from hitsave.session import Session
from hitsave.store import CallRecord

if TYPE_CHECKING:
    from hitsave.memo.call import Call, Candidate

TIME_LIMIT = 60.0
"""How long a fresh process may take to import the modules and digest the values, in seconds."""

# Two at a time. A dict of two keys may come out in the same order in all of eight once in 128.
_SEEDS = (("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"))
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from hitsave.memo.probe import answer; answer()"
)

Digests = dict[str, str]
"""By the name of a module, a colon and a qualified name in it: the digest of a value, as hex."""


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


def find_candidate(call: "Call") -> "tuple[Candidate, CallRecord] | None":
    """Return the record of a call that differs by nothing but values that always do."""
    if under_way:
        # What an evaluation around would see of the processes is not its own doing.
        return None
    try:
        for record in recent_calls(call.session, call.memo.symbol):
            if not _is_same_call(call, record):
                continue
            manifest = call.session.manifest(record.code)
            return None if manifest is None else _judged(call, record, manifest)
    except Exception as error:
        unexpected(call.session, call.memo.symbol, error)
    return None


def _is_same_call(call: "Call", record: CallRecord) -> bool:
    """Whether a record that counts is of these arguments, whatever the code was."""
    # The spine imports this module.
    from hitsave.memo.call import has_expired

    if record.started <= call.mode.since or has_expired(record):
        return False
    digest = call.session.digest_argument
    pairs = zip(call.memo.argument_names, call.values, strict=True)
    now = {name: digest(value).digest for name, value in pairs}
    return now == {name: digest for name, digest, _ in record.arguments}


def _judged(
    call: "Call", record: CallRecord, manifest: Manifest
) -> "tuple[Candidate, CallRecord] | None":
    # The spine imports this module.
    from hitsave.memo.call import Candidate

    if not manifest.reached:
        return None
    session, among = call.session, DependencySet.unpack(manifest.reached)
    tracked = session.tracker.track(call.roots, call.memo.declared, among)
    suspects = _suspects(tracked, manifest)
    values = _askable(tracked)
    if not suspects or not suspects <= values.keys():
        return None
    if any(session.is_steady(symbol, values[symbol].definition) for symbol in suspects):
        return None
    varying = _varying(session.root, values, suspects)
    _note(session, values, suspects, varying)
    if not suspects <= varying:
        return None
    tracked = session.tracker.track(call.roots, call.memo.declared, among)
    candidate = Candidate(call.key_under(tracked), tracked, among)
    return candidate, record._replace(code=tracked.digest)


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


# -- asking -------------------------------------------------------------------------------------


def _varying(root: str, values: dict[Symbol, Asked], suspects: set[Symbol]) -> set[Symbol]:
    """Those whose value the fresh processes do not agree about."""
    modules: dict[str, list[str]] = {}
    for asked in values.values():
        modules.setdefault(asked.module, []).append(asked.symbol.name)
    question = {"root": root, "path": sys.path, "arguments": sys.argv, "modules": modules}
    told: list[Digests] = []
    varying: set[Symbol] = set()
    for seeds in _SEEDS:
        told += _answers(json.dumps(question).encode(), seeds)
        varying = {symbol for symbol, asked in values.items() if _differs(asked.place, told)}
        if suspects <= varying:
            break
    return varying


def _differs(place: str, told: list[Digests]) -> bool:
    return len({digests[place] for digests in told if place in digests}) > 1


def _answers(question: bytes, seeds: tuple[str, ...]) -> list[Digests]:
    processes = [_start(seed) for seed in seeds]
    try:
        # All are given the question before any is waited for.
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(question)
            process.stdin.close()
            process.stdin = None
        return [_answer(process) for process in processes]
    except OSError:
        return []
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _start(seed: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "HITSAVE_MODE": "read-only"}
    if sys.flags.hash_randomization and "PYTHONHASHSEED" not in os.environ:
        environment["PYTHONHASHSEED"] = seed
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return subprocess.Popen(
        [sys.executable, "-c", _START, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _answer(process: "subprocess.Popen[bytes]") -> Digests:
    try:
        said, _ = process.communicate(timeout=TIME_LIMIT)
        answer: Any = json.loads(said)
    except (subprocess.TimeoutExpired, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}
