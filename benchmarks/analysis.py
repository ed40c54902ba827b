"""Analysis: reading a package's source, and reading what was kept of it, beside `ast.parse`."""

import ast
import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Plan
from benchmarks.workspace import package_folder
from hitsave.code.analyze import analyze
from hitsave.code.records import pack_module, unpack_module


def run(plan: Plan) -> Iterator[Figure]:
    """Measure CPU time over the modules of networkx without its tests."""
    folder = package_folder("networkx", plan.networkx)
    if folder is None:
        yield Figure("analysis", note="not measured: networkx is not installed, nor given")
        return
    sources = _sources(folder)
    kept = [pack_module(analyze(source)) for source in sources]
    works: list[Work] = [(ast.parse, sources), (analyze, sources), (unpack_module, kept)]
    parse, analysis, unpacking = _medians(works, plan.repeat)
    lines = sum(source.count(b"\n") for source in sources)
    note = f"{lines / analysis / 1000:.0f}k lines/s"
    yield Figure("analysing a changed file", analysis, parse, "ast.parse", 1.3, note=note)
    yield Figure("an unchanged file", unpacking, parse, "ast.parse", 0.02)


Work = tuple[Callable[[bytes], object], list[bytes]]


def _sources(folder: Path) -> list[bytes]:
    paths = (path for path in folder.rglob("*.py") if "tests" not in path.parts)
    return [path.read_bytes() for path in sorted(paths)]


def _medians(works: list[Work], rounds: int) -> list[float]:
    times: list[list[float]] = [[] for _ in works]
    gc.disable()  # as hitsave does while it analyses
    try:
        for _ in range(rounds):
            for (work, items), found in zip(works, times, strict=True):
                found.append(_time(work, items))
                gc.collect()
    finally:
        gc.enable()
    return [median(found) for found in times]


def _time(work: Callable[[bytes], object], items: list[bytes]) -> float:
    start = time.process_time()
    for item in items:
        work(item)  # what it returns is dropped at once: keeping all trees would cost more
    return time.process_time() - start
