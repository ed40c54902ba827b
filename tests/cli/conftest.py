"""The command line, as a user meets it: in fresh processes, in folders of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import hitsave

SOURCE = str(Path(hitsave.__file__).parents[1])


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Workspace:
    """A folder with a project in it, and a cache beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root / "project"
        self.root.mkdir()
        (self.root / "pyproject.toml").touch()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HITSAVE_", "PYTHON"))}
        self.environment = kept | {
            "HITSAVE_HOME": str(root / "cache"),
            "XDG_CONFIG_HOME": str(root / "config"),
            "PYTHONPATH": SOURCE,
            "TERM": "dumb",
        }

    def write(self, name: str, content: str) -> Path:
        """Write the file `name`, and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    def python(self, *words: str, folder: Path | None = None, **environment: str) -> Done:
        """Run `python words`."""
        done = subprocess.run(
            [sys.executable, *words],
            check=False,
            cwd=folder or self.root,
            env=self.environment | environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def hitsave(self, *words: str, folder: Path | None = None, **environment: str) -> Done:
        """Run `python -m hitsave words`."""
        return self.python("-m", "hitsave", *words, folder=folder, **environment)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)
