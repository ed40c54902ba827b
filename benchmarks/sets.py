"""Dependency sets that differ in a file: what each costs beside the closure that they share."""

from collections.abc import Iterator

from benchmarks.figures import Figure, Plan
from benchmarks.hit import many
from benchmarks.workspace import workspace

MANY = 6000
"""Helpers of the function: each is three dependencies."""


def run(plan: Plan) -> Iterator[Figure]:  # noqa: ARG001 - the first closure is computed once
    """Measure in one process of its own; see `programs/sets.py`."""
    with workspace() as project:
        (project.folder / "many.py").write_text(many(MANY))
        yield from project.measure("sets.py")
