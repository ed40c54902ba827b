"""Workspaces: one subject as a project on disk, and its runs as processes of their own.

Owns the main programs, the environment they get, and the clock of the files. Refuses to judge.

The main program is project code like any other: the memoised function itself notes that it ran, in
a file named by the environment. Each run has another seed for the hashes of strings.
"""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from tests.soundness.packages import copy
from tests.soundness.subjects import Subject

LIMIT = 120.0
"""Seconds after which a run is killed, where nothing else is said."""

ENDLESS = "killed, because it took too long"

ADAPTERS = {
    "python": ("main.py",),
    "run": ("-m", "hitsave", "run", "main.py"),
    # Without a cache at all: what the harness itself takes, and that it sees what is never served.
    "none": ("plain.py",),
}
"""What comes after the interpreter, by the name of the adapter."""

_MAIN = """\
import os
import sys

from hitsave import memo
import workload


@memo
def work(case):
    with open(os.environ["SOUNDNESS_RAN"], "a") as file:
        file.write("x")
    return workload.run(case)


if __name__ == "__main__":
    for case in sys.argv[1:]:
        try:
            result = work(int(case))
        except Exception as error:
            result = "raised " + type(error).__name__
    with open(os.environ["SOUNDNESS_RESULT"], "w", encoding="utf-8") as file:
        file.write(result if isinstance(result, str) else repr(result))
"""
_PLAIN = _MAIN.replace("from hitsave import memo\n", "").replace("@memo\n", "")

_PROFILE = """\
import json
import os
import sys
import threading

root = os.path.dirname(os.path.abspath(__file__)) + os.sep
seen = set()


def note(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(root):
        seen.add((code.co_filename[len(root):], code.co_firstlineno, code.co_name))


threading.setprofile(note)
sys.setprofile(note)
import workload

for case in sys.argv[1:]:
    workload.run(int(case))
sys.setprofile(None)
with open(os.environ["SOUNDNESS_RESULT"], "w") as file:
    json.dump(sorted(seen), file)
"""


class Run(NamedTuple):
    """What one run gave: the last case's result, whether a body ran, seconds on the clock."""

    result: str
    ran: bool
    seconds: float
    said: str

    @property
    def is_endless(self) -> bool:
        """Whether the program was killed because it took too long."""
        return self.said == ENDLESS

    @property
    def died(self) -> bool:
        """Whether the program ended without a result."""
        return self.result.startswith("died")


class Started(NamedTuple):
    """A code object that ran: the file in the project, the first line, the name."""

    path: str
    line: int
    name: str


class Workspace:
    """One subject as a project, with a cache of its own."""

    def __init__(self, folder: Path, subject: Subject, packages: Path, python: str) -> None:
        self.project, self.home = folder / "project", folder / "home"
        self._folder, self._python, self._writes = folder, python, 0
        self._begun = int(time.time()) - 1_000_000
        self.project.mkdir(parents=True)
        copy(subject, packages, self.project)
        self.editable = sorted(str(p.relative_to(self.project)) for p in self.project.rglob("*.py"))
        texts = {
            "pyproject.toml": '[project]\nname = "subject"\nversion = "0"\n',
            "workload.py": subject.workload,
            "main.py": _MAIN,
            "plain.py": _PLAIN,
            "profiled.py": _PROFILE,
        }
        for name, text in texts.items():
            (self.project / name).write_text(text, encoding="utf-8")
        for path in self.project.rglob("*.py"):
            # In the past, because bytecode that is written within seconds of its source is not
            # trusted, which would make every run compile.
            os.utime(path, (self._begun, self._begun))

    def read(self, path: str) -> str:
        """Return the text of a file of the project."""
        with open(self.project / path, encoding="utf-8", newline="") as file:
            return file.read()

    def write(self, path: str, text: str) -> None:
        """Write a file of the project, in a second of its own: bytecode notices no less."""
        with open(self.project / path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        self._writes += 2
        stamp = self._begun + self._writes
        os.utime(self.project / path, (stamp, stamp))

    def run(self, adapter: str, *cases: int, limit: float = LIMIT) -> Run:
        """Run the cases in a fresh interpreter, for `limit` seconds at most."""
        result, ran = self._folder / "result", self._folder / "ran"
        for path in (result, ran):
            path.unlink(missing_ok=True)
        start = time.perf_counter()
        said = self._start([*ADAPTERS[adapter], *map(str, cases)], limit)
        seconds = time.perf_counter() - start
        text = result.read_text(encoding="utf-8") if result.exists() else f"died: {said[-300:]}"
        return Run(text, ran.exists(), seconds, said)

    def started(self, *cases: int) -> set[Started]:
        """Return what runs of the project, import included, where nothing is cached."""
        result = self._folder / "result"
        result.unlink(missing_ok=True)
        said = self._start(["profiled.py", *map(str, cases)], LIMIT)
        assert result.exists(), said
        return {Started(*row) for row in json.loads(result.read_text())}

    def _start(self, words: list[str], limit: float) -> str:
        try:
            done = subprocess.run(
                [self._python, *words],
                cwd=self.project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return ENDLESS
        return done.stderr.decode(errors="replace")

    def _environment(self) -> dict[str, str]:
        dropped = {"PYTHONDONTWRITEBYTECODE", "HITSAVE_MODE", "PYTHONHASHSEED"}
        return {
            **{name: text for name, text in os.environ.items() if name not in dropped},
            "HITSAVE_HOME": str(self.home),
            # So that a row can say what hitsave says of a miss.
            "HITSAVE_VERBOSE": "1",
            "SOUNDNESS_RESULT": str(self._folder / "result"),
            "SOUNDNESS_RAN": str(self._folder / "ran"),
        }
