"""Damaged files: no wrong result, no exception, no death, and a store that heals by being used.

Every file that a store has is damaged in every way, one at a time, and a program runs that uses
everything in the store.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice, product
from pathlib import Path

import pytest
from tests.faults.conftest import Rounds
from tests.faults.everything import CALLS
from tests.faults.homes import put_back
from tests.faults.warm import Outcome, Warm, warm

Change = Callable[[bytearray, random.Random], bytes]


def flip(content: bytearray, chance: random.Random) -> bytes:
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return content


def flip_in_header(content: bytearray, chance: random.Random) -> bytes:
    """Flip a bit where LMDB keeps its own numbers, and files say what they are."""
    at = chance.randrange(0, len(content), 4096) + chance.randrange(64)
    content[min(at, len(content) - 1)] ^= 1 << chance.randrange(8)
    return content


def cut(content: bytearray, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def zero_block(content: bytearray, chance: random.Random) -> bytes:
    at = chance.randrange(0, len(content), 512)
    size = chance.choice([512, 4096, 65536])
    content[at : at + size] = bytes(len(content[at : at + size]))
    return content


def zero(content: bytearray, _: random.Random) -> bytes:
    return bytes(len(content))


def garbage(content: bytearray, chance: random.Random) -> bytes:
    return chance.randbytes(len(content))


CHANGES: tuple[Change, ...] = (flip, flip_in_header, cut, zero_block, zero, garbage)

CHANGED = ("CACHEDIR.TAG", "blobs/*/*", "format", "objects/*/*", "records/data.mdb", "trees/*/few")

REMOVED = (*CHANGED, "leases", "trees/*/inner/many")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Warm]:
    with warm(tmp_path / "project", {"calls": CALLS}) as found:
        yield found


def change(path: Path, how: Change, chance: random.Random) -> None:
    """Write something else to a file, which is then as old as it was."""
    status = path.lstat()
    path.chmod(0o600)
    path.write_bytes(how(bytearray(path.read_bytes()), chance))
    path.chmod(status.st_mode)
    # A folder to be read in is not read again by hitsave: there a change shows by its time.
    if "trees" not in path.parts:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def remove(path: Path) -> None:
    path.parent.chmod(0o700)
    path.unlink()


def ways(home: Path, chance: random.Random) -> Iterator[Callable[[], str]]:
    """Yield what damages a store, one way after the other; each says what it did."""
    pairs = [*product(CHANGED, CHANGES), *((pattern, None) for pattern in REMOVED)]
    chance.shuffle(pairs)
    for pattern, how in cycle(pairs):
        yield partial(damage, home, pattern, how, chance)


def damage(home: Path, pattern: str, how: Change | None, chance: random.Random) -> str:
    path = chance.choice(sorted(home.glob(pattern)))
    if how is None:
        remove(path)
        return f"{path} was removed"
    change(path, how, chance)
    return f"{path} after {how.__name__}"


def refused(done: Outcome, results: list[str]) -> bool:
    """Whether all is right, but that a snapshot of a file that is damaged was not given out."""
    pairs = list(zip(done.results, results, strict=True))
    assert all(found == right or found.endswith(" refused") for found, right in pairs), done.out
    return done.results != results


def test_a_store_with_a_damaged_file_gives_right_results_and_heals(
    process: Warm, home: Path, tmp_path: Path, rounds: Rounds
) -> None:
    plain, sound = process.run("calls", home), tmp_path / "sound"
    shutil.copytree(home, sound, symlinks=True)
    for damages in islice(ways(home, random.Random(1)), rounds(32)):
        put_back(home, sound)
        done = damages()
        first = process.run("calls", home)
        assert (first.status, "Traceback" in first.err) == (0, False), f"{done}: {first.err}"
        is_refused = refused(first, plain.results)
        assert not is_refused or "/blobs/" in done, done
        if is_refused or list(home.glob("corrupt-*")):
            # A call that hit has lost what it snapped; or its record, which was set aside when a
            # later call met the damage. It is computed once more.
            second = process.run("calls", home)
            assert (second.status, second.results) == (0, plain.results), f"{done}: {second.err}"
        healed = process.run("calls", home)
        assert (healed.status, healed.results) == (0, plain.results), done
        assert (healed.computed, healed.err) == ([], ""), done
