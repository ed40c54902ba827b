"""Workspaces: temporary projects that programs of the benchmarks run in, as processes of their own.

A function is tracked only as far as it is project code, and what a project is depends on the main
program; hence each measured program is a script in a workspace.
"""

import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.figures import Figure

PROGRAMS = Path(__file__).parent / "programs"


class Run(NamedTuple):
    """One finished process: seconds on the clock, seconds of CPU, and what it printed as JSON."""

    wall: float
    cpu: float
    said: Any


class Workspace:
    """A project folder of its own, with a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.home = folder / "home"
        self.folder.mkdir()
        (self.folder / "pyproject.toml").touch()

    def add(self, program: str) -> None:
        """Copy a program of the benchmarks into the project."""
        shutil.copy(PROGRAMS / program, self.folder)

    def forget(self) -> None:
        """Empty the cache."""
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *words: str) -> Run:
        """Run `python *words` in the project. What it prints last is read as JSON."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        last = done.stdout.strip().rpartition("\n")[2]
        return Run(wall, cpu, json.loads(last) if last else None)

    def measure(self, program: str, *words: str) -> Iterator[Figure]:
        """Run a program of the benchmarks in the project. Yields the figures that it says."""
        self.add(program)
        for figure in self.run(program, *words).said:
            yield Figure(*figure)

    def _environment(self) -> dict[str, str]:
        # Bytecode as usual: without it every start would compile.
        without = {"PYTHONDONTWRITEBYTECODE", "HITSAVE_MODE"}
        kept = {name: text for name, text in os.environ.items() if name not in without}
        path = os.pathsep.join(filter(None, (str(PROGRAMS.parents[1]), kept.get("PYTHONPATH"))))
        return {**kept, "HITSAVE_HOME": str(self.home), "PYTHONPATH": path}

    def compile_all(self) -> None:
        """Write the bytecode of everything in the project, clearly later than its source.

        The hook does not trust bytecode written within two seconds of its source.
        """
        words = [sys.executable, "-m", "compileall", "-q", str(self.folder)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        later = time.time() + 10
        for path in self.folder.rglob("*.pyc"):
            os.utime(path, (later, later))


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Make a workspace for as long as the block runs."""
    with TemporaryDirectory(prefix="hitsave-benchmark-") as folder:
        yield Workspace(Path(folder))


def package_folder(name: str, given: str | None) -> Path | None:
    """Return the folder of a package: inside `given`, or as installed; None where there is none."""
    if given is not None:
        found = Path(given) / name
        return found if (found / "__init__.py").exists() else None
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(places[0]) if places else None


def copy_package(name: str, given: str | None, into: Path) -> bool:
    """Copy a package's source into a folder; False where there is none to be had."""
    source = package_folder(name, given)
    if source is None:
        return False
    shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__"))
    return True
