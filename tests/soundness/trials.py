"""Trials: edit something at random, run it without and with the cache, and judge.

Owns the order of the runs and the verdicts. Refuses to choose edits (`choices` does), and to
explain: a row holds the diff of its edit, and what hitsave says of a miss.
"""

import difflib
from collections import Counter
from enum import StrEnum
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.soundness.choices import Choices, Chosen
from tests.soundness.definitions import Parsed
from tests.soundness.edits import INERT, apply
from tests.soundness.kept import Kept, read_kept
from tests.soundness.subjects import Subject
from tests.soundness.workspace import LIMIT, Run, Workspace

RECHECK = 6
"""After every so many trials, an unchanged rerun and a reversal have to hit."""


class Verdict(StrEnum):
    """What came of a trial, worst first."""

    STALE = "stale"
    """The edit changes the result, and the cached run gave the one before the edit."""
    WRONG = "wrong"
    """The cached run gave something that is neither, or failed."""
    NEVER = "never"
    """An unchanged rerun computed again."""
    LOST = "lost"
    """After the edit was taken back, the call was computed again."""
    INERT = "needless, inert"
    """Computed again though the edit cannot matter."""
    UNEXECUTED = "needless, unexecuted"
    """Computed again though what was edited never ran, and the result is the same."""
    EXECUTED = "needless, executed"
    """Computed again, with the same result: not to be known without running it."""
    OK = "ok"
    """As it should be."""
    NOTHING = "says nothing"
    """The truth varies from run to run, or no program was left to run."""


FAILURES = (Verdict.STALE, Verdict.WRONG, Verdict.NEVER, Verdict.LOST)
"""The verdicts that must not be."""


class Row(NamedTuple):
    """A trial that is worth a look: what was edited, how, what came of it, and the diff."""

    verdict: Verdict
    kind: str
    name: str
    detail: str
    diff: str


class Plan(NamedTuple):
    """What to do with each subject."""

    packages: Path
    python: str
    adapter: str
    trials: int
    seed: int


class Outcome(NamedTuple):
    """What came of the trials of one subject.

    `plain`, `cold` and `warm` are seconds of whole processes; `functions` is how many of the
    project's functions the workload runs.
    """

    subject: Subject
    tally: Counter[str]
    rows: tuple[Row, ...]
    plain: float
    cold: float
    warm: float
    kept: Kept
    functions: int


class Trials:
    """The trials of one subject in one workspace."""

    def __init__(self, workspace: Workspace, subject: Subject, plan: Plan) -> None:
        self._workspace, self._subject, self._plan = workspace, subject, plan
        self._tally: Counter[str] = Counter()
        self._rows: list[Row] = []
        self._truth, self._limit = "", LIMIT

    def run(self) -> Outcome:
        """Fill the cache, carry out the trials, and return what came of them."""
        work, adapter = self._workspace, self._plan.adapter
        plain = self._learn_truth()
        started = work.started(0, 1)
        cold = work.run(adapter, 0, 1)
        warm = [work.run(adapter, 1) for _ in range(3)]
        self._expect("the cold run", cold)
        self._expect("the warm run", warm[0], Verdict.NEVER)
        kept = read_kept(work.home)
        self._try_all(Choices(work, started, self._plan.seed))
        return Outcome(
            self._subject,
            self._tally,
            tuple(self._rows),
            median(plain),
            cold.seconds,
            median(run.seconds for run in warm),
            kept,
            sum(name[0] != "<" for _, _, name in started),
        )

    def _learn_truth(self) -> list[float]:
        """Note what the second case gives without a cache; return how long that takes."""
        plain = [self._workspace.run("none", 1) for _ in range(3)]
        assert not plain[0].died, plain[0].said
        after_another = self._workspace.run("none", 0, 1)
        results = {run.result for run in [*plain, after_another]}
        assert len(results) == 1, f"the workload is not deterministic: {results}"
        self._truth = plain[0].result
        # Some edits make endless loops, which are not worth waiting for.
        self._limit = 8 + 8 * max(run.seconds for run in plain)
        return [run.seconds for run in plain]

    def _try_all(self, choices: Choices) -> None:
        for number in range(self._plan.trials):
            self._try(choices.choose(), recheck=number % RECHECK == RECHECK - 1)
            self._tally["trials"] += 1
        self._expect("the run after all trials", self._cached(), Verdict.LOST)

    def _cached(self) -> Run:
        return self._workspace.run(self._plan.adapter, 1)

    def _expect(self, which: str, run: Run, computed: Verdict | None = None) -> None:
        """Note a run of the unedited program that gave something else, or computed needlessly."""
        if run.result != self._truth:
            self._note(Verdict.WRONG, None, f"{which}: {_difference(self._truth, run)}")
        elif run.ran and computed is not None:
            self._note(computed, None, f"{which}\n{_explanation(run)}")

    def _try(self, chosen: Chosen, *, recheck: bool) -> None:
        work, path = self._workspace, chosen.file.path
        work.write(path, apply(chosen.file.text, chosen.edit))
        try:
            truth = work.run("none", 1, limit=self._limit)
            verdict, detail = self._judged(chosen, truth)
            if recheck and verdict is not Verdict.NOTHING and not truth.result.startswith("raised"):
                self._recheck(chosen, truth)
        finally:
            work.write(path, chosen.file.text)
        self._note(verdict, chosen, detail)
        self._tally["changed"] += verdict is not Verdict.NOTHING and truth.result != self._truth
        if recheck:
            back = self._cached()
            if back.result != self._truth:
                self._note(Verdict.WRONG, chosen, f"taken back: {_difference(self._truth, back)}")
            elif back.ran:
                self._note(Verdict.LOST, chosen, f"taken back\n{_explanation(back)}")

    def _recheck(self, chosen: Chosen, truth: Run) -> None:
        """An unchanged rerun of the edited program has to hit."""
        again = self._cached()
        if again.result == truth.result and again.ran and not again.died:
            self._note(
                Verdict.NEVER, chosen, f"the edited program, run again\n{_explanation(again)}"
            )

    def _judged(self, chosen: Chosen, truth: Run) -> tuple[Verdict, str]:
        """Run the edited program with the cache, and compare with the truth."""
        if truth.is_endless:
            return Verdict.NOTHING, ""
        cached = self._cached()
        if truth.died and cached.died:
            return Verdict.NOTHING, ""
        if cached.result != truth.result:
            if self._varies(truth):
                return Verdict.NOTHING, ""
            is_old = cached.result == self._truth
            return (Verdict.STALE if is_old else Verdict.WRONG), _difference(truth.result, cached)
        if truth.result != self._truth or not cached.ran:
            return Verdict.OK, ""
        if chosen.edit.kind in INERT:
            return Verdict.INERT, _explanation(cached)
        needless = Verdict.EXECUTED if chosen.executed else Verdict.UNEXECUTED
        return needless, _explanation(cached)

    def _varies(self, truth: Run) -> bool:
        return any(self._workspace.run("none", 1).result != truth.result for _ in range(2))

    def _note(self, verdict: Verdict, chosen: Chosen | None, detail: str) -> None:
        self._tally[verdict] += 1
        if verdict in (Verdict.OK, Verdict.NOTHING):
            return
        if chosen is None:
            self._rows.append(Row(verdict, "none", self._subject.name, detail, ""))
        else:
            diff = _diff(chosen.file, apply(chosen.file.text, chosen.edit))
            self._rows.append(Row(verdict, chosen.edit.kind, chosen.name, detail, diff))


def _difference(truth: str, run: Run) -> str:
    """Where two results part."""
    pairs = enumerate(zip(truth, run.result, strict=False))
    at = next((n for n, (one, other) in pairs if one != other), min(len(truth), len(run.result)))
    start = max(0, at - 20)
    return f"true {truth[start : at + 60]!r}, cached {run.result[start : at + 60]!r}"


def _explanation(run: Run) -> str:
    """What hitsave said of its misses, in short."""
    said = [line for line in run.said.splitlines() if " miss " in line or line[:2] == "  "]
    return "\n".join(f"    {line[:200]}" for line in said[:12])


def _diff(file: Parsed, after: str) -> str:
    before = file.text.splitlines()
    lines = difflib.unified_diff(before, after.splitlines(), file.path, file.path, lineterm="", n=2)
    return "\n".join(lines)


def try_subject(subject: Subject, plan: Plan) -> Outcome:
    """Carry out the trials of one subject in a temporary workspace."""
    with TemporaryDirectory(prefix=f"soundness-{subject.name}-") as folder:
        workspace = Workspace(Path(folder), subject, plan.packages, plan.python)
        return Trials(workspace, subject, plan).run()
