"""A warm process: it has hitsave and a project loaded, and forks for every run of a program.

Owns that process and its end. A fork takes milliseconds where a fresh process takes a quarter of a
second. The warm process itself never opens a store.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

LONGEST = 60
"""After how many seconds a run counts as hung, and is killed."""

_SERVE = """
import atexit, importlib, json, os, signal, sys
from hitsave import session

# What a program would load at its first call, its first result and its first snapshot.
for name in sys.argv[2:]:
    importlib.import_module(name)

def begin(task):
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.environ.update(task["environment"])
    signal.alarm(int(sys.argv[1]))
    session.start(os.getcwd())
    sys.modules[task["module"]].main(*task["words"])

def run(task):
    try:
        begin(task)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    # Its end is that of any program, but for taking the interpreter apart: that takes longest.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)

for line in sys.stdin:
    child = os.fork()
    if not child:
        run(json.loads(line))
    print(os.waitpid(child, 0)[1], flush=True)
"""

_LOADED_LATE = """
    hitsave.collect.background hitsave.memo.cutoff hitsave.memo.evaluation hitsave.memo.experiment
    hitsave.memo.explain hitsave.memo.fresh hitsave.snapshot hitsave.store.local lmdb platform
    subprocess
""".split()


class Outcome(NamedTuple):
    """How a run ended: `status` as `waitpid` gives it, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def results(self) -> list[str]:
        """The lines that tell results."""
        return [line for line in self.out.splitlines() if not line.startswith("computing ")]

    @property
    def computed(self) -> list[str]:
        """Which calls were computed."""
        return [line[10:] for line in self.out.splitlines() if line.startswith("computing ")]

    @property
    def warnings(self) -> list[str]:
        """The warnings of hitsave's own."""
        return [line for line in self.err.splitlines() if "HitsaveWarning: " in line]


class Warm:
    """A process that runs the `main` of modules in a project's folder, each run in a fork."""

    def __init__(self, folder: Path, modules: tuple[str, ...], **environment: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HITSAVE_")}
        paths = os.pathsep.join(filter(None, sys.path))
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(LONGEST), *_LOADED_LATE, *modules],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A process with threads, such as those of numpy's libraries, is not to be forked.
            env={**kept, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", **environment},
            start_new_session=True,
        )

    def run(self, module: str, home: Path, *words: str, **environment: str) -> Outcome:
        """Run `main` of a module to its end, with its store in `home`."""
        variables: Mapping[str, str] = {"HITSAVE_HOME": str(home), **environment}
        task = {"module": module, "words": words, "environment": variables}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return Outcome(status, *((self._folder / n).read_text("utf-8") for n in ("out", "err")))

    def end(self) -> None:
        """Kill it, and what it has forked."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


@contextmanager
def warm(folder: Path, programs: Mapping[str, str], **environment: str) -> Iterator[Warm]:
    """A warm process for the time of the context, in `folder`, with programs by module name."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\nname = 'tried'\nversion = '0'\n")
    for module, program in programs.items():
        (folder / f"{module}.py").write_text(program)
    process = Warm(folder, tuple(programs), **environment)
    try:
        yield process
    finally:
        process.end()
