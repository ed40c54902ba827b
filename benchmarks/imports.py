"""Imports: a large package as project code, imported under the hook and without it."""

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import Workspace, copy_package, workspace

TIMED = """
{before}
import time
start, cpu = time.perf_counter(), time.process_time()
import {package}
cpu = time.process_time() - cpu
import json
print(json.dumps(cpu))
"""


def run(plan: Plan) -> Iterator[Figure]:
    """Measure the import statement alone, in fresh processes, with bytecode in place."""
    for package, given in (("networkx", plan.networkx), ("sympy", plan.sympy)):
        with workspace() as project:
            if copy_package(package, given, project.folder):
                yield _compare(project, package, plan)
            else:
                note = f"not measured: {package} is not installed, nor given by --{package}"
                yield Figure(f"import {package} under the hook", note=note)


def _compare(project: Workspace, package: str, plan: Plan) -> Figure:
    project.compile_all()
    plain = TIMED.format(before="", package=package)
    hooked = TIMED.format(before="import hitsave", package=package)
    times: dict[str, list[float]] = {plain: [], hooked: []}
    for number in range(2 * plan.repeat + 1):
        for program, found in times.items():
            # Modules that both need are loaded by whoever comes first; hitsave's are before.
            spent = float(project.run("-c", program).said)
            if number:
                found.append(spent)
    ours, without = median(times[hooked]), median(times[plain])
    return Figure(f"import {package} under the hook", ours, without, "without, CPU", 1.10)
