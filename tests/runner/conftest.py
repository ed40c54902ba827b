"""Programs run by Python itself and by the runner, in fresh processes."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from hitsave import errors

DRIVER = """
import sys
from hitsave.errors import TargetError
from hitsave.hook import Ledger, install
from hitsave.runner import run_module, run_script
folder, *words = sys.argv[1:]
ledger = Ledger()
install(lambda path: path.startswith(folder), ledger)
try:
    if words[0] == "-m":
        code = run_module(words[1], words[2:])
    else:
        code = run_script(words[0], words[1:], ledger.keep)
except TargetError as error:
    print("target:", error)
    code = 2
sys.exit(code)
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Programs:
    """A folder of programs."""

    def __init__(self, root: Path) -> None:
        self.root = root / "programs"
        self.root.mkdir()
        self.driver = root / "driver.py"
        self.driver.write_text(DRIVER)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write the file `name`, and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def plain(self, *words: str, flags: tuple[str, ...] = ()) -> Done:
        """Run `python words`."""
        return self._run([*flags, *words])

    def driven(self, *words: str, flags: tuple[str, ...] = ()) -> Done:
        """Run `words` by the runner, with the hook."""
        return self._run([*flags, str(self.driver), str(self.root), *words])

    def _run(self, words: list[str]) -> Done:
        environment = {name: text for name, text in os.environ.items() if name[:6] != "PYTHON"}
        environment["PYTHONPATH"] = str(Path(errors.__file__).parents[1])
        done = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            errors="replace",
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        return Done(done.returncode, _steady(done.stdout), _steady(done.stderr))


def _steady(text: str) -> str:
    """Leave out what differs between two runs of the same program."""
    return re.sub(r"in \d+\.\d+s", "in 0s", re.sub(r"0x[0-9a-f]+", "0x", text))


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)
