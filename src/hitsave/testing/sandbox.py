"""Sandbox: a case's project on disk, and fresh interpreters that run it.

Owns the folders of one run of a case (project, site-packages, sibling tree, home) and the probe
that observes it. Refuses to judge.

What is observed does not rest on hitsave's own accounts: the probe `casekit`, a fake installed
distribution, notes in a side file each time that a body calls `ran()`, and writes down the value.
"""

import ast
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hitsave.code.pause import collector_paused
from hitsave.testing.cases import SCRIPT, Case, Distribution, Way

TIMEOUT = 120.0
"""Seconds after which a run counts as hung."""

_PROBE = '''\
import os

def ran(value=None):
    """Note that a memoised body runs, and return `value`."""
    with open(os.environ["CASEKIT_RAN"], "a") as file:
        file.write("x")
    return value

def show(value):
    """Note the value that the script came to."""
    with open(os.environ["CASEKIT_VALUE"], "w") as file:
        file.write(repr(value))
'''

# What the truth is computed with: the same names, and no cache behind them.
_PLAIN = """\
from contextlib import nullcontext

def memo(function=None, /, **options):
    return (lambda function: function) if function is None else function

experiment = memo

def inert(value):
    return value

def mode(name):
    return nullcontext()
"""

_PROVIDED = {"ran": "from casekit import ran", "memo": "from hitsave import memo"}


@dataclass(frozen=True, slots=True)
class Run:
    """What one fresh interpreter did.

    `value` is the result's `repr`, or None where there is none; `ran` counts the memoised bodies
    that ran; `error` is empty, or the last line of a failure; `seconds` is wall-clock time.
    """

    value: str | None
    ran: int
    error: str
    seconds: float


class Sandbox:
    """The folders of one case, run one way. `cache=False` replaces hitsave by a stand-in."""

    def __init__(self, case: Case, way: Way, root: Path, *, python: str, cache: bool) -> None:
        self._case, self._way, self._root, self._python = case, way, root, python
        self._project, self._cache = root / "project", cache
        self._written: set[Path] = set()
        for name in ("home", "elsewhere"):
            (root / name).mkdir(parents=True)
        _write(root / "kit" / "casekit.py", _PROBE)
        _write_metadata(root / "kit", Distribution("casekit", "1", "1"), "1", ["casekit.py"])
        if not cache:
            _write(root / "kit" / "hitsave.py", _PLAIN)

    def place(self, *, edited: bool) -> None:
        """Make the trees hold the project before or after the edit, and nothing else."""
        case = self._case
        self._remove()
        if case.moved:
            self._project = self._root / ("moved/away" if edited else "project")
        files = dict(case.after if edited else case.before)
        files.setdefault("pyproject.toml", '[project]\nname = "case"\nversion = "0"\n')
        for path, text in self._completed(files).items():
            self._place_file(path, text)
        if case.distribution is not None:
            self._install(case.distribution, edited=edited, paths=sorted(files))

    def run(self, seed: int, *, edited: bool = False, mode: str = "") -> Run:
        """Run the script in a fresh interpreter, with `seed` for the hashes of strings."""
        value, ran = self._root / "value", self._root / "ran"
        for file in (value, ran):
            file.unlink(missing_ok=True)
        environment = self._environment(seed, edited=edited)
        if mode:
            environment["HITSAVE_MODE"] = mode
        start = time.perf_counter()
        error = _execute(self._command(edited=edited), self._folder(edited=edited), environment)
        seconds = time.perf_counter() - start
        if not error and not value.exists():
            error = "the script ended without a value"
        shown = value.read_text(encoding="utf-8") if value.exists() else None
        return Run(shown, ran.stat().st_size if ran.exists() else 0, error, seconds)

    def _completed(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files with provided names imported, and the script with its driver."""
        done = {
            path: _with_imports(text) if path.endswith(".py") else text
            for path, text in files.items()
        }
        script = done[SCRIPT]
        if not re.search(r"^def main\(", script, re.MULTILINE):
            script += f"\n\ndef main():\n    return {self._case.call}\n"
        if self._way.layout == "module":
            done["app.py"] = script
            done[SCRIPT] = "import app\nfrom casekit import show\n\nshow(app.main())\n"
        else:
            done[SCRIPT] = script + _MAIN_BLOCK
        return done

    def _place_file(self, path: str, text: str) -> None:
        tree, _, inner = path.partition("/")
        outside = tree in ("site-packages", "sibling")
        file = self._root / tree / inner if outside else self._project / path
        _write(file, text)
        self._written.add(file)

    def _install(self, distribution: Distribution, *, edited: bool, paths: list[str]) -> None:
        """Write the distribution's metadata, as an installer does."""
        prefix = f"site-packages/{distribution.name}"
        files = [path.partition("/")[2] for path in paths if path.startswith(prefix)]
        version = distribution.after if edited else distribution.before
        site = self._root / "site-packages"
        self._written |= set(_write_metadata(site, distribution, version, files))

    def _remove(self) -> None:
        """Remove what was placed, with the folders that this empties and their byte code."""
        for file in self._written:
            file.unlink()
        for tree in (self._project, self._root / "site-packages", self._root / "sibling"):
            folders = [path for path in tree.rglob("*") if path.is_dir()]
            for folder in sorted(folders, reverse=True):
                if folder.name == "__pycache__":
                    shutil.rmtree(folder)
                elif not any(folder.iterdir()):
                    folder.rmdir()
        self._written.clear()

    def _command(self, *, edited: bool) -> list[str]:
        script = str(self._project / SCRIPT) if edited and self._case.elsewhere else SCRIPT
        launcher = ["-m", "hitsave", "run"] if self._way.launcher == "run" and self._cache else []
        arguments = self._case.arguments if edited else ()
        return [self._python, *launcher, script, *arguments]

    def _folder(self, *, edited: bool) -> Path:
        return self._root / "elsewhere" if edited and self._case.elsewhere else self._project

    def _environment(self, seed: int, *, edited: bool) -> dict[str, str]:
        """A small, fixed environment: nothing of the caller's but what starting Python needs."""
        home = self._root / "home"
        kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")
        paths = [self._root / name for name in ("kit", "site-packages", "sibling")]
        if self._cache:
            paths += _source_of_hitsave()
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "HITSAVE_HOME": str(home / "hitsave"),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONHASHSEED": str(seed),
            # Python's own byte code cache takes an edit within the same second and of the same
            # size for no edit, and would be the stale one.
            "PYTHONDONTWRITEBYTECODE": "1",
            "CASEKIT_VALUE": str(self._root / "value"),
            "CASEKIT_RAN": str(self._root / "ran"),
            **((self._case.environment or {}) if edited else {}),
        }


_MAIN_BLOCK = '\n\nif __name__ == "__main__":\n    from casekit import show\n\n    show(main())\n'


def _source_of_hitsave() -> list[Path]:
    """Where a fresh interpreter finds this hitsave, unless that is where it looks anyway."""
    parent = Path(__file__).parents[2]
    return [] if parent.name in ("site-packages", "dist-packages") else [parent]


def _execute(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run the command and return what went wrong: the last line that it printed, or nothing."""
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {TIMEOUT:.0f} s"
    if done.returncode == 0:
        return ""
    last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
    return f"exit {done.returncode}: {last.strip()}"


def _with_imports(text: str) -> str:
    """`text` with the names imported that the runner provides and the text uses unimported."""
    lines = [
        line
        for name, line in _PROVIDED.items()
        if re.search(rf"\b{name}\b", text) and not re.search(rf"import .*\b{name}\b", text)
    ]
    if not lines:
        return text
    kept = text.splitlines(keepends=True)
    first = _first_free_line(text)
    return "".join([*kept[:first], *(f"{line}\n" for line in lines), *kept[first:]])


def _first_free_line(text: str) -> int:
    """How many lines a module's docstring and `__future__` imports take; 0 if it has a flaw."""
    try:
        # A collection in the middle lets another thread run, whose own parsing then fails: before
        # Python 3.12 the depth of all parsing is counted in one place.
        with collector_paused():
            body = ast.parse(text).body
    except SyntaxError:
        return 0
    end = 0
    for index, node in enumerate(body):
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        docstring = (
            index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        if not (future or docstring):
            break
        end = node.end_lineno or 0
    return end


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def _write_metadata(
    site: Path, distribution: Distribution, version: str, files: list[str]
) -> list[Path]:
    """Write a distribution's `.dist-info` folder below `site`; return the files written."""
    info = f"{distribution.name}-{version}.dist-info"
    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {distribution.name}\nVersion: {version}\n",
        "INSTALLER": "pip\n",
        "top_level.txt": f"{distribution.name}\n",
    }
    listed = [*files, *(f"{info}/{name}" for name in texts), f"{info}/RECORD"]
    texts["RECORD"] = "".join(f"{path},,\n" for path in listed)
    for name, text in texts.items():
        _write(site / info / name, text)
    return [site / info / name for name in texts]
