"""Snapshots of many small files and of a large one, beside reading the bytes once and `cp -r`,
and beside restic and DVC where these are installed.

`SNAPSHOT_FILES` says how many small files (10,000), `SNAPSHOT_BYTES` how large the large one is
(200,000,000). Pages are in memory for all of them.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Plan
from benchmarks.tools import tools
from benchmarks.workspace import Workspace, workspace

FILES = int(os.environ.get("SNAPSHOT_FILES", "10000"))
BYTES = int(os.environ.get("SNAPSHOT_BYTES", "200000000"))


def run(plan: Plan) -> Iterator[Figure]:
    """Measure each step in a process of its own, and its yardsticks in turns with it."""
    with workspace() as project:
        project.add("snapshots.py")
        _make_many(project.folder / "many")
        _make_large(project.folder / "large")
        time.sleep(2.5)  # what has just been written is not taken for unchanged
        for name, what in (("many", f"{FILES} small files"), ("large", f"{BYTES:.0e} bytes")):
            yield from _measure(project, name, what, min(plan.repeat, 3))


def _measure(project: Workspace, name: str, what: str, repeat: int) -> Iterator[Figure]:
    seconds: dict[str, list[float]] = {}
    memory = [0, 0]

    def note(step: str, act: Callable[[], float]) -> None:
        seconds.setdefault(step, []).append(act())

    def ours(step: str) -> float:
        took, *peaks = project.run("snapshots.py", step, name).said
        memory[:] = map(max, memory, peaks)
        return float(took)

    for _ in range(repeat):
        project.forget()
        _remove(project.folder / "out", project.folder / "copied")
        note("read", lambda: float(project.run("snapshots.py", "read", name).said[0]))
        note("cp", lambda: _copy(project.folder / name, project.folder / "copied"))
        for step in ("cold", "unchanged", "restore", "again"):
            note(step, lambda step=step: ours(step))
        for tool in tools():
            for step, took in tool.measure(project.folder / name, project.folder / "tool").items():
                seconds.setdefault(f"{tool.name} {step}", []).append(took)
    medians = {step: median(found) for step, found in seconds.items()}
    for step in ("cold", "unchanged", "restore", "again"):
        work = f"{_WORKS[step]}: {what}"
        yield Figure(work, medians[step], medians["read"], "reading the bytes")
        yield Figure(work, medians[step], medians["cp"], "cp -r")
        for tool in tools():
            yield Figure(work, medians[step], medians[f"{tool.name} {step}"], tool.name)
    most, own = (f"{peak / 1e6:.0f} MB" for peak in memory)
    yield Figure(f"peak memory: {what}", note=f"{most}, {own} of it other than pages of files")


_WORKS = {
    "cold": "snap",
    "unchanged": "snap, unchanged",
    "restore": "restore copies",
    "again": "restore over the same",
}


def _make_many(folder: Path) -> None:
    for number in range(FILES):
        if number % 100 == 0:
            (folder / f"{number // 100:04}").mkdir(parents=True)
        path = folder / f"{number // 100:04}" / f"{number}.txt"
        path.write_bytes(b"%d" % number * 200)


def _make_large(folder: Path) -> None:
    folder.mkdir()
    with (folder / "large.bin").open("wb") as file:
        for start in range(0, BYTES, 1 << 20):
            file.write(os.urandom(min(1 << 20, BYTES - start)))


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(folder: Path, target: Path) -> float:
    start = time.perf_counter()
    subprocess.run(["cp", "-r", str(folder), str(target)], check=True)
    subprocess.run(["sync", "-f", str(target)], check=True)
    return time.perf_counter() - start
