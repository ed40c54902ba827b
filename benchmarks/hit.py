"""The warm hit, beside a hand-written one and beside other caches that are installed."""

from collections.abc import Iterator

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import workspace

MANY = 500
"""Helpers of the larger function: each is two dependencies, its body and its header."""


def run(plan: Plan) -> Iterator[Figure]:
    """Measure in one process of its own; see `programs/hit.py`."""
    with workspace() as project:
        (project.folder / "many.py").write_text(many(MANY))
        yield from project.measure("hit.py", str(plan.repeat))


def many(count: int) -> str:
    """Return a module with a function that calls `count` helpers."""
    helpers = "".join(f"def helper_{n}(x):\n    return x + {n}\n\n\n" for n in range(count))
    calls = "".join(f"    found += helper_{n}(x)\n" for n in range(count))
    return f"{helpers}def total(x):\n    found = 0\n{calls}    return found\n"
