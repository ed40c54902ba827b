"""Operations that fail: a full disk, or one that is broken, costs the cache and nothing else.

A program runs while the shim lets one operation after the other fail: a write, the making of a
file or folder, an fsync, a rename, a close.
"""

import errno
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import shim as shims
from tests.faults.conftest import Rounds
from tests.faults.everything import CALLS
from tests.faults.homes import put_back
from tests.faults.warm import Outcome, Warm, warm

SNAPSHOTS = ("written", "folder")
"""The calls that hitsave may refuse, since what they ask for is to be kept."""


class Fault(NamedTuple):
    """Which operation fails, and how."""

    at: int
    error: int
    for_ever: bool

    def variables(self, home: Path) -> dict[str, str]:
        """What the environment has to say for it to happen below `home`."""
        return shims.failing(home, self.at, self.error, for_ever=self.for_ever)


@pytest.fixture
def process(tmp_path: Path, shim: Path) -> Iterator[Warm]:
    with warm(tmp_path / "project", {"calls": CALLS}, LD_PRELOAD=str(shim)) as found:
        yield found


def all_faults(operations: int, times: int) -> Iterator[Fault]:
    """Yield every fault of so many operations, spread evenly, or of all that there are."""
    for at in range(1, operations + 1, -(-operations // times)):
        for error, for_ever in product((errno.ENOSPC, errno.EIO), (False, True)):
            yield Fault(at, error, for_ever)


def harmed(done: Outcome, results: list[str], warnings: int) -> str:
    """Return what is wrong with how a program got on; nothing where a snapshot was refused.

    It may have given so many warnings.
    """
    if done.status or "Traceback" in done.err:
        return f"ended with {done.status}: {done.err}"
    if len(done.warnings) > warnings:
        return done.err
    wrong = [
        found
        for found, right in zip(done.results, results, strict=True)
        if found != right and not (found.endswith(" refused") and right.startswith(SNAPSHOTS))
    ]
    return "".join(wrong)


def test_an_operation_that_fails_costs_the_cache_and_nothing_else(
    process: Warm, tmp_path: Path, home: Path, rounds: Rounds
) -> None:
    count, warned = tmp_path / "count", 0
    plain = process.run("calls", home, **shims.counting(home, count))
    for fault in all_faults(shims.counted(count), rounds(4)):
        shutil.rmtree(home, ignore_errors=True)
        failed = process.run("calls", home, **fault.variables(home))
        assert harmed(failed, plain.results, warnings=1) == "", fault
        warned += len(failed.warnings)
        after = process.run("calls", home)
        assert (after.status, after.results, after.err) == (0, plain.results, ""), fault
        healed = process.run("calls", home)
        assert (healed.computed, healed.results, healed.err) == ([], plain.results, ""), fault
    assert warned


def test_an_operation_that_fails_while_a_store_is_set_aside_costs_no_more(
    process: Warm, tmp_path: Path, home: Path, rounds: Rounds
) -> None:
    plain, count, sound = process.run("calls", home), tmp_path / "count", tmp_path / "sound"
    data = home / "records" / "data.mdb"
    data.write_bytes(bytes(data.stat().st_size))
    shutil.copytree(home, sound, symlinks=True)
    process.run("calls", home, **shims.counting(home, count))
    for fault in all_faults(shims.counted(count), rounds(2)):
        put_back(home, sound)
        failed = process.run("calls", home, **fault.variables(home))
        # One that the store is damaged, and one that it cannot be written to.
        assert harmed(failed, plain.results, warnings=2) == "", fault
        after = process.run("calls", home)
        assert (after.status, after.results) == (0, plain.results), fault
        # Where nothing could be set aside before, it was by that run, and maybe not at first.
        process.run("calls", home)
        healed = process.run("calls", home)
        assert (healed.computed, healed.results, healed.err) == ([], plain.results, ""), fault
