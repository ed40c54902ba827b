"""A large package as project code: networkx (190k lines) copied beside a script that uses it.

Cold, warm, after an edit of a helper deep inside, after a comment: each as a process of its own,
timed as a whole, plain and with hitsave. Whether the call was recomputed is checked, not assumed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import Run, Workspace, copy_package, workspace

SCRIPT = "graph_analysis.py"
EDITED = ("networkx/algorithms/shortest_paths/unweighted.py", "_single_shortest_path_length")
"""The file and the function that is edited: closeness centrality reaches it through two others."""

PLAIN = (SCRIPT, "plain")
MEMO = (SCRIPT, "memo")
RUN = ("-m", "hitsave", "run", SCRIPT, "memo")

Stage = tuple[str, str, tuple[str, ...], bool | None]
STAGES: tuple[Stage, ...] = (
    # What is inserted first, the stage, how it is run, and whether the call has to be computed.
    ("", "without hitsave", PLAIN, None),
    ("", "cold", MEMO, True),
    ("", "warm hit", MEMO, False),
    ("", "warm hit, hitsave run", RUN, False),
    ("# A comment.", "after a comment edit", MEMO, False),
    ("helped = True", "after an edit of a helper", MEMO, True),
    ("", "warm hit after the edit", MEMO, False),
)


def run(plan: Plan) -> Iterator[Figure]:
    """Measure every stage once a round, each round from an empty cache."""
    with workspace() as project:
        if not copy_package("networkx", plan.networkx, project.folder):
            yield Figure("networkx", note="not measured: not installed, nor given by --networkx")
            return
        project.add(SCRIPT)
        project.run(*PLAIN)
        project.compile_all()
        rounds = [_round(project) for _ in range(plan.repeat)]
    without = median(one["without hitsave"].wall for one in rounds)
    for _, stage, _, must_compute in STAGES:
        yield _figure(stage, must_compute, [one[stage] for one in rounds], without)


def _round(project: Workspace) -> dict[str, Run]:
    path = project.folder / EDITED[0]
    original = path.read_text()
    project.forget()
    found = {}
    for edit, stage, words, _ in STAGES:
        if edit:
            _insert(path, EDITED[1], edit)
        found[stage] = project.run(*words)
    path.write_text(original)
    return found


def _insert(path: Path, function: str, statement: str) -> None:
    """Put a line before the last statement of a function."""
    text = path.read_text()
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            last = node.body[-1]
            lines.insert(last.lineno - 1, f"{' ' * last.col_offset}{statement}\n")
            path.write_text("".join(lines))
            return
    raise LookupError(f"{path} defines no function {function}")


def _figure(stage: str, must_compute: bool | None, runs: list[Run], without: float) -> Figure:
    middle = {name: median(run.said[name] for run in runs) for name in ("load", "call", "again")}
    note = ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in middle.items())
    wrong = sum(must_compute not in (None, bool(run.said["computed"])) for run in runs)
    if wrong:
        surprise = "hit" if must_compute else "computed"
        note += f"; WRONG: {surprise} in {wrong} of {len(runs)}"
    wall = median(run.wall for run in runs)
    beside = without if must_compute is not None else 0.0
    return Figure(f"networkx: {stage}", wall, beside, kind="added", note=note)
