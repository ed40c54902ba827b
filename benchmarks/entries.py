"""Lookups and records in stores of a thousand to a million entries, and what an entry takes up.

`ENTRIES` says how many the largest store has at most (100,000). Beside plain SQLite, diskcache and
joblib where these are installed.
"""

import os
from collections.abc import Iterator

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import workspace

MOST = int(os.environ.get("ENTRIES", "100000"))


def run(plan: Plan) -> Iterator[Figure]:
    """Measure each size in a process of its own; see `programs/entries.py`."""
    few = 0.0
    for count in (number for number in (10**3, 10**4, 10**5, 10**6) if number <= MOST):
        with workspace() as project:
            figures = [*project.measure("entries.py", str(count), str(plan.repeat))]
        yield from figures
        hit = figures[0].ours
        few = few or hit
        yield Figure(
            f"hit among {count:,}, beside 1,000", hit, few, "itself, CPU", 2e-6, kind="added"
        )
