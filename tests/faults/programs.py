"""Programs: the scripts of one small project, each run in a fresh interpreter on one store.

Owns that none of them outlives the test that started it, nor any process of theirs.
"""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NOTES = """
import os

def note(*words):
    # One write to a file opened for appending: whole, whoever else writes.
    descriptor = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (" ".join(map(str, words)) + "\\n").encode())
    os.close(descriptor)
"""

LONGEST = 120.0
"""Seconds after which a process is killed that does not end, or say what it is asked for."""

Process = subprocess.Popen[str]
Done = subprocess.CompletedProcess[str]


class Programs:
    """A project in `folder` with a module `notes`, whose `note` says which bodies ran."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.notes = folder.parent / "notes"
        self._running: list[Process] = []
        folder.mkdir()
        self.write("pyproject.toml", "[project]\nname = 'tried'\nversion = '0'\n")
        self.write("notes.py", NOTES.format(path=str(self.notes)))

    def write(self, name: str, text: str) -> None:
        """Make `text` the project's file `name`."""
        (self.folder / name).write_text(textwrap.dedent(text))

    def start(self, name: str, *words: object, first: Sequence[str] = (), **env: str) -> Process:
        """Start a script; modules in the folders `first` come before all others."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HITSAVE_")}
        paths = os.pathsep.join([*first, *filter(None, sys.path)])
        process = subprocess.Popen(
            # Python warns of forks with threads, which is what some of the tests are about.
            [sys.executable, "-W", "ignore::DeprecationWarning", name, *map(str, words)],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": paths, "HITSAVE_HOME": str(self.home), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def run(self, name: str, *words: object, first: Sequence[str] = (), **env: str) -> Done:
        """Run a script to its end."""
        return ended(self.start(name, *words, first=first, **env))

    def printed(self, name: str, *words: object, **env: str) -> str:
        """Run a script, which ends well and without a word on stderr; return what it printed."""
        done = self.run(name, *words, **env)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def noted(self) -> list[str]:
        """Return the lines that were noted since this was last asked."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return lines

    def end(self) -> None:
        """Kill and reap what still runs, with all that it has started."""
        for process in self._running:
            # The id of a process that was waited for may be another's by now.
            with process:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)


def kill(process: Process) -> str:
    """Kill a process, and all that it has started; return what it had printed, and nobody read."""
    assert process.stdout is not None
    os.killpg(process.pid, signal.SIGKILL)
    with process:
        # Not `communicate`, which passes over what `line` has in its buffer.
        return process.stdout.read()


@contextmanager
def _killed_if_it_hangs(process: Process) -> Iterator[None]:
    timer = threading.Timer(LONGEST, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def ended(process: Process) -> Done:
    """Wait for a process to end; return what it said, and nobody read."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.close()
    # Not `communicate`: see `kill`.
    with _killed_if_it_hangs(process), process:
        out, err = process.stdout.read(), process.stderr.read()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def line(process: Process) -> str:
    """Return the next line that a process prints."""
    assert process.stdout is not None
    with _killed_if_it_hangs(process):
        return process.stdout.readline().strip()


def tell(process: Process, text: str = "") -> None:
    """Give a process a line to read."""
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


def figures(what: str, seconds: Sequence[float]) -> None:
    """Print how long something took, which pytest shows with `-s` and `-rP`."""
    found = sorted(1000 * each for each in seconds)
    at = [found[min(int(part * len(found)), len(found) - 1)] for part in (0.5, 0.99)]
    print(f"{what}: {len(found)}, p50 {at[0]:.1f} p99 {at[1]:.1f} max {found[-1]:.1f} ms")
