"""Tools that keep folders, where they are installed, for what is measured beside them.

Each is measured as a whole command, its start included.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Tool(NamedTuple):
    """A program that keeps a folder: its commands by the step, run in a folder of their own."""

    name: str
    begin: tuple[str, ...]
    keep: tuple[str, ...]
    restore: tuple[str, ...]

    def measure(self, folder: Path, work: Path) -> dict[str, float]:
        """Return the seconds that each step takes with `folder`; `work` is made for it."""
        data = work / "data"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(folder, data)
        time.sleep(2.5)  # what has just been written is not taken for unchanged
        self._run(self.begin, work)
        seconds = {"cold": self._run(self.keep, work), "unchanged": self._run(self.keep, work)}
        shutil.rmtree(data)
        seconds["restore"] = self._run(self.restore, work)
        seconds["again"] = self._run(self.restore, work)
        shutil.rmtree(work)
        return seconds

    def _run(self, words: tuple[str, ...], work: Path) -> float:
        environment = {**os.environ, "RESTIC_PASSWORD": "benchmark", "DVC_NO_ANALYTICS": "1"}
        start = time.perf_counter()
        subprocess.run(words, cwd=work, env=environment, check=True, capture_output=True)
        subprocess.run(["sync", "-f", str(work)], check=True)
        return time.perf_counter() - start


_TOOLS = (
    Tool(
        "restic",
        ("restic", "init", "-r", "kept"),
        ("restic", "-r", "kept", "backup", "data"),
        ("restic", "-r", "kept", "restore", "latest", "--target", "."),
    ),
    Tool("DVC", ("dvc", "init", "--no-scm"), ("dvc", "add", "data"), ("dvc", "checkout", "data")),
)


def tools() -> Iterator[Tool]:
    """Yield the tools that are installed."""
    return (tool for tool in _TOOLS if shutil.which(tool.begin[0]))
