"""The report: outcomes as Markdown.

Owns its columns and its layout. Refuses to run anything.
"""

from collections.abc import Iterable
from pathlib import Path

from tests.soundness.packages import version
from tests.soundness.trials import FAILURES, Outcome, Row, Verdict

COLUMNS = (
    "subject",
    "version",
    "functions run",
    "trials",
    "changed",
    "stale",
    "wrong",
    "never",
    "lost",
    "needless: inert",
    "unexecuted",
    "executed",
    "say nothing",
    "plain",
    "cold",
    "warm",
    "sets",
    "largest",
    "kB",
)


def as_table(outcomes: Iterable[Outcome], packages: Path) -> str:
    """Return one row for each subject, and one for their sum."""
    found = list(outcomes)
    rows = [_cells(outcome, packages) for outcome in found]
    numbers = [[row[n] for row in rows] for n in range(3, 13)]
    total = ["**all**", "", "", *(str(sum(map(int, column))) for column in numbers)]
    rows.append([*total, *[""] * (len(COLUMNS) - len(total))])
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(outcome: Outcome, packages: Path) -> list[str]:
    tally, kept = outcome.tally, outcome.kept
    needless = (Verdict.INERT, Verdict.UNEXECUTED, Verdict.EXECUTED)
    counted = ("trials", "changed", *FAILURES, *needless, Verdict.NOTHING)
    return [
        outcome.subject.name,
        version(outcome.subject, packages),
        str(outcome.functions),
        *(str(tally[each]) for each in counted),
        f"{outcome.plain:.2f} s",
        f"{outcome.cold / outcome.plain:.2f} x",
        f"{outcome.warm / outcome.plain:.2f} x",
        str(kept.sets),
        str(kept.largest),
        f"{kept.size / 1000:.0f}",
    ]


def as_rows(outcome: Outcome, verdicts: Iterable[Verdict]) -> str:
    """Return the trials of some verdicts, worst first, each with its diff."""
    order = list(Verdict)
    chosen = [row for row in outcome.rows if row.verdict in set(verdicts)]
    chosen.sort(key=lambda row: order.index(row.verdict))
    return "\n".join(_section(outcome.subject.name, row) for row in chosen)


def _section(subject: str, row: Row) -> str:
    said = [f"### {row.verdict} ({subject}): {row.kind}, {row.name}", "", row.detail]
    diff = ["", "```diff", row.diff, "```"] if row.diff else []
    return "\n".join([*said, *diff, ""])
