"""Mutation soundness in short: three subjects from the standard library, a few edits of each.

The edits are always the same ones for a version of Python. `nox -s soundness` tries more.
"""

import sys
from pathlib import Path

import pytest
from tests.soundness.report import as_rows
from tests.soundness.subjects import SUBJECTS
from tests.soundness.trials import FAILURES, Outcome, Plan, Verdict, try_subject


def _try(subject: str, adapter: str, packages: Path) -> Outcome:
    plan = Plan(packages, sys.executable, adapter, trials=6, seed=1)
    return try_subject(SUBJECTS[subject], plan)


@pytest.mark.parametrize(
    ("subject", "adapter"),
    [("stdlib_json", "python"), ("stdlib_toml", "run"), ("stdlib_dispatch", "python")],
)
def test_no_edit_of_a_real_package_gives_a_stale_result(
    subject: str, adapter: str, tmp_path: Path
) -> None:
    outcome = _try(subject, adapter, tmp_path)
    assert not any(outcome.tally[each] for each in FAILURES), as_rows(outcome, FAILURES)
    assert outcome.tally["trials"] == 6
    assert outcome.kept.largest > 10


def test_without_a_cache_every_run_computes(tmp_path: Path) -> None:
    outcome = _try("stdlib_config", "none", tmp_path)
    assert outcome.tally[Verdict.NEVER]
    assert outcome.tally[Verdict.LOST]
    assert not outcome.tally[Verdict.STALE] + outcome.tally[Verdict.WRONG]
