"""A project on disk, and programs that observe themselves in fresh interpreters."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from hitsave import errors

PRELUDE = """
import sys

from hitsave.observe import begin, has_run, watch
from hitsave.observe.places import identify

ROOT = {root!r}
PROFILED = sys.version_info < (3, 12)


def in_project(path):
    return path.startswith(ROOT + "/project/")


watch(in_project)


def observe(call, *arguments):
    evaluation = begin(in_project)
    try:
        call(*arguments)
    finally:
        observed = evaluation.end()
    return observed


def names(observed):
    return sorted(started.name for started in observed.started)


def local(paths):
    return sorted(path.removeprefix(ROOT + "/") for path in paths)


def ran(function, module="__main__"):
    code = function.__code__
    return has_run(identify(code), module, lambda: [code])
"""


class Project:
    """A folder of modules, and the means to run one as the main program."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "project"
        packages = str(Path(errors.__file__).parents[1])
        self.environment = {
            **{name: value for name, value in os.environ.items() if name[:6] != "PYTHON"},
            "PYTHONPATH": os.pathsep.join((packages, str(root / "library"))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.write("library/prelude.py", PRELUDE.format(root=str(root)))

    def write(self, name: str, content: str) -> Path:
        """Write the file `name` below the root, and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
        return path

    def run(self, program: str, *flags: str, **environment: str) -> list[str]:
        """Run `program` as the project's main program; return the lines that it prints.

        `library/` is importable and no project code; the working folder is `project/`.
        """
        main = self.write("project/main.py", program)
        done = subprocess.run(
            [sys.executable, *flags, str(main)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={**self.environment, **environment},
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    # Its real path: the interpreter names the working folder so.
    return Project(tmp_path.resolve())
