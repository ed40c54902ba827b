"""A project on disk, and fresh interpreters that import from it with the hook or without."""

import os
import re
import subprocess
import sys
import zipfile
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from hitsave import errors

BOOT = """
import sys
root = {root!r}
sys.path.insert(0, root)
if {hooked!r}:
    from hitsave.hook import Ledger, install, installed
    ledger = Ledger()
    uninstall = install(lambda path: path.startswith(root), ledger)
    def kept(name):
        source = ledger.get(name)
        return source and source.content
"""

PACKAGES = str(Path(errors.__file__).parents[1])


class Project:
    """A folder of modules, and the means to run programs against it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            **{name: value for name, value in os.environ.items() if name[:6] != "PYTHON"},
            "PYTHONPATH": PACKAGES,
        }

    def write(self, name: str, content: str | bytes) -> Path:
        """Write the file `name`, and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def zip(self, name: str, members: dict[str, str | bytes]) -> Path:
        """Write a zip file of `members`, and return its path."""
        path = self.root / name
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    def run(self, program: str, *flags: str, hooked: bool = True, **environment: str) -> str:
        """Run `program` in a fresh interpreter and return all that it prints.

        It has `root`, and where `hooked` also `ledger`, `kept(name)` and `uninstall`.
        """
        boot = BOOT.format(root=str(self.root), hooked=hooked)
        self.write("../boot.py", boot + f"exec(compile({program!r}, 'program', 'exec'))\n")
        done = subprocess.run(
            [sys.executable, *flags, str(self.root / "../boot.py")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self.root,
            env={**self.environment, **environment},
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return re.sub(r"0x[0-9a-f]+", "0x", done.stdout)

    def bytecode(self, name: str) -> Path:
        """Return where Python caches the bytecode of the file `name`."""
        return Path(cache_from_source(str(self.root / name)))

    def settle(self) -> None:
        """Make all cached bytecode clearly later than its source, without waiting for it."""
        for path in self.root.rglob("*.pyc"):
            later = path.stat().st_mtime_ns + 60_000_000_000
            os.utime(path, ns=(later, later))

    def clean(self) -> None:
        """Remove all cached bytecode."""
        for path in self.root.rglob("__pycache__/*.pyc"):
            path.unlink()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root)
