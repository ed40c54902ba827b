"""Observation: what it costs the function that is observed."""

from collections.abc import Iterator

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import workspace


def run(plan: Plan) -> Iterator[Figure]:
    """Measure in one process of its own; see `programs/observed.py`."""
    with workspace() as project:
        yield from project.measure("observed.py", str(plan.repeat), str(project.folder))
