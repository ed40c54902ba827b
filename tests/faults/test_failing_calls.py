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
from tests.faults.programs import CALLS
from tests.faults.warm import Outcome, Warm, warm

SNAPSHOTS = ("written", "folder")
"""The calls that hitsave may refuse, since what they ask for is to be kept."""


class Fault(NamedTuple):
    """Which operation fails, and how."""

    at: int
    error: int
    for_ever: bool


@pytest.fixture
def process(tmp_path: Path, shim: Path) -> Iterator[Warm]:
    with warm(tmp_path / "project", {"calls": CALLS}, LD_PRELOAD=str(shim)) as found:
        yield found


def all_faults(operations: int, times: int) -> Iterator[Fault]:
    """Yield every fault of so many operations, spread evenly, or of all that there are."""
    for at in range(1, operations + 1, -(-operations // times)):
        for error, for_ever in product((errno.ENOSPC, errno.EIO), (False, True)):
            yield Fault(at, error, for_ever)


def harmed(done: Outcome, results: list[str]) -> str:
    """Return what is wrong with how a program got on; nothing where a snapshot was refused."""
    if done.status or "Traceback" in done.err:
        return f"ended with {done.status}: {done.err}"
    if len(done.warnings) > 1:
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
        failing = shims.failing(home, fault.at, fault.error, for_ever=fault.for_ever)
        failed = process.run("calls", home, **failing)
        assert harmed(failed, plain.results) == "", fault
        warned += len(failed.warnings)
        after = process.run("calls", home)
        assert (after.status, after.results, after.err) == (0, plain.results, ""), fault
        healed = process.run("calls", home)
        assert (healed.computed, healed.results, healed.err) == ([], plain.results, ""), fault
    assert warned
