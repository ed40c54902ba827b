"""Whole calls with large arguments and results, beside other caches that are installed."""

from collections.abc import Iterator
from importlib.util import find_spec

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import workspace


def run(plan: Plan) -> Iterator[Figure]:
    """Measure in one process of its own; see `programs/calls.py`."""
    if find_spec("numpy") is None:
        yield Figure("large arguments and results", note="not measured: numpy is not installed")
        return
    with workspace() as project:
        yield from project.measure("calls.py", str(plan.repeat))
