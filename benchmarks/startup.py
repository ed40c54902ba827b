"""Start-up: what `import hitsave`, and a first hit, add to a process that does nothing."""

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import Run, Workspace, workspace

MODULES = "lmdb blake3 msgpack"
"""What hitsave stands on: the yardstick that loads these shows what is hitsave's own."""


def run(plan: Plan) -> Iterator[Figure]:
    """Measure whole processes, in turns."""
    with workspace() as project:
        project.add("first_hit.py")
        project.run("first_hit.py", "memo")
        project.compile_all()
        programs: dict[str, tuple[str, ...]] = {
            "nothing": ("-c", "pass"),
            "libraries": ("-c", f"import {', '.join(MODULES.split())}"),
            "import": ("-c", "import hitsave"),
            "plain": ("first_hit.py", "plain"),
            "hit": ("first_hit.py", "memo"),
        }
        runs = _in_turns(project, programs, 4 * plan.repeat)
    yield _added("import hitsave, clock", "wall", runs, "import", "nothing", 0.060)
    yield _added("import hitsave, CPU", "cpu", runs, "import", "nothing", 0.015)
    yield _added("  its libraries alone, CPU", "cpu", runs, "libraries", "nothing", 0.0)
    yield _added("process start to first hit, CPU", "cpu", runs, "hit", "plain", 0.015)


def _in_turns(
    project: Workspace, programs: dict[str, tuple[str, ...]], rounds: int
) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, words in programs.items():
            runs[name].append(project.run(*words))
    return runs


def _added(
    work: str, clock: str, runs: dict[str, list[Run]], ours: str, without: str, budget: float
) -> Figure:
    middle = {name: median(getattr(one, clock) for one in runs[name]) for name in (ours, without)}
    return Figure(work, middle[ours], middle[without], f"without: {without}", budget, "added")
