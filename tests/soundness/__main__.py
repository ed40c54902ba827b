"""`python -m tests.soundness`: edit real packages at random, and report as Markdown.

Exits with 1 where a result was stale or wrong, a call never hit, or a result was lost.
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soundness.packages import fetch
from tests.soundness.report import as_rows, as_table
from tests.soundness.subjects import SUBJECTS, Subject
from tests.soundness.trials import FAILURES, Outcome, Plan, Verdict, try_subject
from tests.soundness.workspace import ADAPTERS


def main() -> int:
    """Run what the command line asks for."""
    asked = _parse(sys.argv[1:])
    subjects = [SUBJECTS[name] for name in asked.subject or SUBJECTS]
    with ExitStack() as stack:
        packages = asked.packages
        if packages is None:
            temporary = TemporaryDirectory(prefix="soundness-packages-")
            packages = Path(stack.enter_context(temporary))
        for subject in subjects:
            fetch(subject, packages)
        plan = Plan(packages.resolve(), asked.python, asked.adapter, asked.trials, asked.seed)
        outcomes = _outcomes(subjects, plan, asked.jobs, asked.rows)
        print(f"\n{asked.adapter} adapter, {asked.python}, seed {asked.seed}\n")
        print(as_table(outcomes, packages))
    failed = sum((outcome.tally[each] for outcome in outcomes for each in FAILURES), 0)
    print(f"\n{len(outcomes)} subjects, {failed} failures")
    return 1 if failed else 0


def _outcomes(subjects: list[Subject], plan: Plan, jobs: int, rows: str) -> list[Outcome]:
    """Carry out every subject's trials, split in as many workspaces as there are jobs."""
    verdicts = set(FAILURES) | (set(Verdict) if rows == "all" else set())
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        pending = [_submit(pool, subject, plan, jobs) for subject in subjects]
        for parts in pending:
            outcome = _united([part.result() for part in parts])
            outcomes.append(outcome)
            summary = ", ".join(f"{name}: {n}" for name, n in sorted(outcome.tally.items()))
            print(f"## {outcome.subject.name} ({outcome.subject.about})\n\n{summary}\n", flush=True)
            print(as_rows(outcome, verdicts), flush=True)
    return outcomes


def _submit(
    pool: ThreadPoolExecutor, subject: Subject, plan: Plan, jobs: int
) -> list[Future[Outcome]]:
    shares = [plan.trials // jobs + (job < plan.trials % jobs) for job in range(jobs)]
    return [
        # Seeds far apart, so that no two workspaces draw the same edits.
        pool.submit(try_subject, subject, plan._replace(trials=share, seed=plan.seed + 1000 * job))
        for job, share in enumerate(shares)
        if share
    ]


def _united(parts: list[Outcome]) -> Outcome:
    tally = sum((part.tally for part in parts), Counter[str]())
    rows = tuple(row for part in parts for row in part.rows)
    return parts[0]._replace(tally=tally, rows=rows)


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soundness", description=__doc__)
    parser.add_argument("--subject", action="append", choices=SUBJECTS, help="all, by default")
    parser.add_argument("--trials", type=int, default=30, help="edits of each subject (30)")
    parser.add_argument("--seed", type=int, default=1, help="which edits are drawn (1)")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with hitsave")
    parser.add_argument("--adapter", default="python", choices=ADAPTERS, help="how it is started")
    parser.add_argument("--packages", type=Path, help="a folder that keeps what was fetched")
    parser.add_argument("--jobs", type=int, default=1, help="workspaces at a time (1)")
    parser.add_argument("--rows", default="failures", choices=("failures", "all"))
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
