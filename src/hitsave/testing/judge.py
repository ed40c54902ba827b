"""Judge: run a case, and say whether the cache did what a correct one does.

Owns the order of the runs and the verdicts. Refuses to decide what a case should expect: a label
that contradicts the truth, computed without any cache, is a `CaseError`.
"""

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hitsave.testing.cases import WAYS, Case, CaseError, Expect, Way
from hitsave.testing.sandbox import Run, Sandbox


class Verdict(StrEnum):
    """What came of a case."""

    OK = "ok"
    ERROR = "error"
    """A run failed that does not fail without a cache."""
    WRONG = "wrong"
    """A value that is neither the true one nor an earlier one."""
    STALE = "stale"
    """An earlier value was served after an edit that changes it."""
    NEVER = "never"
    """An unchanged second run computed again."""
    NEEDLESS = "needless"
    """An edit that cannot change the result, or its reversal, computed again."""


@dataclass(frozen=True, slots=True)
class Report:
    """A case's verdict, a sentence on it, and the runs: the truths, then those with the cache."""

    case: Case
    way: Way
    verdict: Verdict
    reason: str
    true_before: str
    true_after: str
    cold: Run
    warm: Run
    edited: Run
    reverted: Run

    def __str__(self) -> str:
        return f"{self.case.source} ({self.case.name}; {self.way}): {self.verdict}. {self.reason}"


def run_case(
    case: Case, folder: Path, *, way: Way = WAYS[0], python: str = sys.executable
) -> Report:
    """Run `case` below `folder` (created; must not exist) and report.

    Each run is a fresh interpreter with another `PYTHONHASHSEED`: two for the truth without a
    cache, then cold, warm, edited and reverted with one. Raises `CaseError` if the case fails
    without a cache or its label contradicts the truth.
    """
    before, after = run_truth(case, folder / "plain", way=way, python=python)
    box = Sandbox(case, way, folder / "cached", python=python, cache=True)
    box.place(edited=False)
    cold, warm = box.run(1), box.run(2)
    box.place(edited=True)
    edited = box.run(3, edited=True)
    box.place(edited=False)
    reverted = box.run(4)
    runs = (cold, warm, edited, reverted)
    verdict, reason = judged(case.expect, before, after, *runs)
    return Report(case, way, verdict, reason, before, after, *runs)


def run_truth(
    case: Case, folder: Path, *, way: Way = WAYS[0], python: str = sys.executable
) -> tuple[str, str]:
    """Return the values before and after the edit, computed with a stand-in for hitsave.

    Raises `CaseError` where a run fails, where no body runs, or where the label is wrong.
    """
    box = Sandbox(case, way, folder, python=python, cache=False)
    box.place(edited=False)
    before = _true_value(case, box.run(1), "before")
    box.place(edited=True)
    after = _true_value(case, box.run(3, edited=True), "after")
    changes = case.expect in (Expect.RECOMPUTES, Expect.UNTRACKED)
    if changes == (before == after):
        raise CaseError(
            f"{case.source}: labelled {case.expect}, but the value goes from {before} to {after}."
        )
    return before, after


def run_off(case: Case, folder: Path, *, way: Way, python: str = sys.executable) -> Run:
    """Run the project before the edit with hitsave in the mode `off`."""
    box = Sandbox(case, way, folder, python=python, cache=True)
    box.place(edited=False)
    return box.run(1, mode="off")


def _true_value(case: Case, run: Run, when: str) -> str:
    if run.error or run.value is None:
        raise CaseError(f"{case.source}: fails {when} the edit without a cache: {run.error}")
    if not run.ran:
        raise CaseError(f"{case.source}: no body runs {when} the edit.", "Does it call ran()?")
    return run.value


def judged(
    expect: Expect, before: str, after: str, cold: Run, warm: Run, edited: Run, reverted: Run
) -> tuple[Verdict, str]:
    """The verdict on four runs, worst first, with a sentence."""
    steps = {"cold": cold, "warm": warm, "edited": edited, "reverted": reverted}
    for name, run in steps.items():
        if run.error:
            return Verdict.ERROR, f"The {name} run failed: {run.error}"
    for name, run in steps.items():
        allowed = {after} if name == "edited" else {before}
        if name == "edited" and expect is Expect.UNTRACKED:
            allowed = {before, after}
        if run.value not in allowed:
            known = run.value in (before, after)
            verdict = Verdict.STALE if known else Verdict.WRONG
            return verdict, f"The {name} run gave {run.value}, the truth is {allowed}."
    if warm.ran:
        return Verdict.NEVER, f"The unchanged second run computed {warm.ran} bodies."
    if expect is Expect.HITS and edited.ran:
        return Verdict.NEEDLESS, f"The run after the edit computed {edited.ran} bodies."
    if reverted.ran:
        return Verdict.NEEDLESS, f"The run after the reversal computed {reverted.ran} bodies."
    return Verdict.OK, f"{expect.capitalize()}, as it should."
