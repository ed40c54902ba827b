"""A power cut: what was said to be on disk is there, and whatever else is left does no harm.

A program records all sorts of things while the shim logs what it does to the disk. Of every state
that a power cut may leave, a folder is made, which a program reads, and records to again.
"""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import shim as shims
from tests.faults.conftest import Rounds
from tests.faults.disk import Disk, Operation, read_log
from tests.faults.everything import CALLS
from tests.faults.warm import Outcome, Warm, warm

# Says in the log what is about to be written, and what is on disk now.
RECORD = """
import io, json, os, random
import calls
from hitsave.session import current
from hitsave.store import Table, Write

tried = set()


def content(number, times):
    return b"%d," % number * times


def note(**said):
    line = json.dumps(said).encode()
    with open(os.environ["FAULTS_LOG"], "ab", buffering=0) as log:
        log.write(b"note\\t0\\t0\\t0\\t%d\\t\\t\\t%b\\n" % (len(line), line))


def change(store, chance):
    number = chance.randrange(10**6)
    keys = chance.sample(range(12), chance.randrange(1, 6))
    if chance.random() < 0.3:
        note(issued=dict.fromkeys(keys))
        store.delete(Table.STATE, [b"raw %d" % key for key in keys])
        return
    values = {key: [number + key, chance.randrange(1, 1500)] for key in keys}
    durable = chance.random() < 0.3
    note(issued=values)
    writes = [Write(Table.STATE, b"raw %d" % k, content(*value)) for k, value in values.items()]
    store.commit(writes, durable=durable)
    if durable:
        note(durable=True)


def keep(store, chance):
    number, times = chance.randrange(10**6), chance.randrange(1, 40_000)
    if chance.random() < 0.5:
        digest = store.write_object([b"object", content(number, times)])
        note(object=[digest.hex(), number, times])
    else:
        digest = store.write_blob(io.BytesIO(content(number, times))).digest
        note(blob=[digest.hex(), number, times])


def call(store, chance):
    name, x = chance.choice([each for each in calls.ALL if each[0] not in ("array", "folder")])
    calls.call(name, x)
    note(called=f"{name} {x}")
    # An experiment brings everything to disk, and one that hits nothing.
    if name == "tried" and x not in tried:
        tried.add(x)
        note(durable=True)


def flush(store, chance):
    store.flush()
    note(durable=True)


def main(seed):
    chance, store = random.Random(int(seed)), current().store
    for _ in range(60):
        step = chance.choice([change, change, keep, call, call, flush])
        step(store, chance)
"""

CHECK = """
import json
import calls
from hitsave.session import current
from hitsave.store import Table, Write, split_parts
from record import content


def raw(store):
    found = dict(store.scan(Table.STATE, b"raw ", limit=100))
    for key, value in found.items():
        assert store.get(Table.STATE, key) == value
    seen = {key[4:].decode(): [int(v.split(b",")[0]), v.count(b",")] for key, v in found.items()}
    for key, value in seen.items():
        assert found[b"raw " + key.encode()] == content(*value)
    return seen


def main(objects, blobs):
    store = current().store
    print("raw", json.dumps(raw(store)))
    for digest, *what in json.loads(objects):
        found = store.read_object(bytes.fromhex(digest))
        print("object", found is not None and split_parts(found)[1] == content(*what))
    for digest, *what in json.loads(blobs):
        path = store.blob_path(bytes.fromhex(digest))
        print("blob", path is not None and open(path, "rb").read() == content(*what))
    calls.main("small", "large", "tried", "written")
    store.commit([Write(Table.STATE, b"raw %d" % key, content(key, 100)) for key in range(12)])
    store.flush()
"""

EACH = 50
"""How many states of each recording are tried."""

AGAIN = {str(key): [key, 100] for key in range(12)}

NAMES = ("small", "large", "tried", "written")
PROGRAMS = {"calls": CALLS, "record": RECORD, "check": CHECK}
Raw = dict[str, list[int]]


@pytest.fixture
def process(tmp_path: Path, shim: Path) -> Iterator[Warm]:
    with warm(tmp_path / "project", PROGRAMS, LD_PRELOAD=str(shim)) as found:
        yield found


@dataclass
class Promised:
    """What has to be there after a power cut: one of the `states` from `oldest` on, and more."""

    states: list[Raw] = field(default_factory=lambda: [{}])
    oldest: int = 0
    objects: list[list[object]] = field(default_factory=list)
    blobs: list[list[object]] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    recorded: set[str] = field(default_factory=set)

    def note(self, said: dict[str, object]) -> None:
        """Take in what the program said in the log."""
        ((kind, what),) = said.items()
        if kind == "issued":
            assert isinstance(what, dict)
            changed = {**self.states[-1], **what}
            self.states.append({key: value for key, value in changed.items() if value})
        elif kind == "called":
            self.called.add(str(what))
        elif kind == "durable":
            self.oldest, self.recorded = len(self.states) - 1, set(self.called)
        else:
            assert isinstance(what, list)
            (self.objects if kind == "object" else self.blobs).append(what)


class Recording(NamedTuple):
    """What a program did to the disk in the folder `root`."""

    root: Path
    operations: list[Operation]


def record(process: Warm, folder: Path, seed: int) -> Recording:
    """Run the program that records."""
    root, log = folder / f"disk{seed}", folder / f"log{seed}"
    root.mkdir()
    done = process.run("record", root / "home", str(seed), **shims.logging(root, log))
    assert (done.status, done.err) == (0, "")
    return Recording(root, read_log(log))


def promised(operations: list[Operation]) -> Promised:
    """Return what the program was promised in the course of some operations."""
    found = Promised()
    for each in operations:
        if each.kind == "note":
            found.note(json.loads(each.data))
    return found


def lost(process: Warm, disk: Path, expected: Promised, results: list[str]) -> list[str]:
    """Return what is wrong with a folder that a power cut left."""
    words = json.dumps(expected.objects), json.dumps(expected.blobs)
    first = process.run("check", disk / "home", *words)
    again = process.run("check", disk / "home", *words)
    return [*_wrong(first, expected, results), *_not_recorded(again, results)]


def _wrong(done: Outcome, expected: Promised, results: list[str]) -> list[str]:
    if done.status:
        return [f"ended with {done.status}: {done.err}"]
    raw, *rest = done.results
    found = json.loads(raw.removeprefix("raw "))
    kept = rest[: len(expected.objects) + len(expected.blobs)]
    again = expected.recorded & set(done.computed)
    return [
        *([] if found in expected.states[expected.oldest :] else [f"records are {found}"]),
        *(each for each in kept if not each.endswith("True")),
        *([] if rest[len(kept) :] == results else [f"gave {rest[len(kept) :]}"]),
        *(f"computed {each} again" for each in again),
    ]


def _not_recorded(done: Outcome, results: list[str]) -> list[str]:
    """What the run after that does not find, although it was recorded again."""
    if done.status or done.err:
        return [f"the next run ended with {done.status}: {done.err}"]
    raw, *rest = done.results
    right = json.loads(raw.removeprefix("raw ")) == AGAIN and rest[-len(results) :] == results
    return [f"then computed {each}" for each in done.computed] + ([] if right else [done.out])


def cuts(process: Warm, folder: Path, recording: Recording) -> Iterator[list[str]]:
    """Yield what is wrong with one state after the other that a power cut may leave."""
    chance, left = random.Random(len(recording.operations)), folder / "left"
    plain = process.run("calls", folder / "plain", *NAMES)
    while True:
        # What is wrong with the last one can be looked at when the test has failed.
        shutil.rmtree(left, ignore_errors=True)
        done = recording.operations[: chance.randrange(len(recording.operations) + 1)]
        Disk(str(recording.root), done).leave(left, chance)
        yield lost(process, left, promised(done), plain.results)


def test_a_power_cut_loses_nothing_that_was_said_to_be_on_disk(
    process: Warm, tmp_path: Path, rounds: Rounds
) -> None:
    for seed, first in enumerate(range(0, times := rounds(16), EACH)):
        states = cuts(process, tmp_path, record(process, tmp_path, seed))
        for number, wrong in enumerate(islice(states, min(EACH, times - first))):
            assert wrong == [], f"state {number} of recording {seed}, left in {tmp_path}"


@pytest.mark.parametrize("kind", ["records/data.mdb", ".part-", "objects", "blobs"])
def test_what_is_not_brought_to_disk_would_be_missed(
    process: Warm, tmp_path: Path, kind: str
) -> None:
    root, operations = record(process, tmp_path, 0)
    unsynced = [each for each in operations if each.kind != "sync" or kind not in each.path]
    assert any(islice(cuts(process, tmp_path, Recording(root, unsynced)), 50))
