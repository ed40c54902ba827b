"""Packages: the source of a subject, brought into a folder.

Owns fetching with pip and copying from the standard library. Refuses to install anything into the
environment that runs.
"""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.soundness.subjects import Subject

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "tests", "*.so", "*.pyd", "*.pyi")
"""Compiled modules are left out: their source is not there to be edited."""


def fetch(subject: Subject, packages: Path) -> None:
    """Bring what the subject requires into the folder `packages`, unless it is there already."""
    if all(_found(packages, name) for name in subject.folders) or not subject.requirements:
        return
    packages.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    words = [*pip, "--no-deps", "--upgrade", "--target", str(packages), *subject.requirements]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def version(subject: Subject, packages: Path) -> str:
    """Return the version of the subject's first requirement; Python's own without one."""
    if not subject.requirements:
        return "{}.{}.{}".format(*sys.version_info)
    wanted = _plain(subject.requirements[0])
    for distribution in importlib.metadata.distributions(path=[str(packages)]):
        if _plain(distribution.metadata["Name"]) == wanted:
            return distribution.version
    return "?"


def copy(subject: Subject, packages: Path, project: Path) -> None:
    """Copy the source of the subject into the folder `project`."""
    for name in subject.folders:
        source = _found(packages, name) if subject.requirements else _standard(name)
        assert source is not None, f"{name} is not in {packages}"
        target = project / f"{subject.own or name}{source.suffix}"
        if source.is_dir():
            shutil.copytree(source, target, ignore=_LEFT_OUT)
        else:
            shutil.copy(source, target)
    for path in project.rglob("*.py"):
        _adapt(path, subject)


def _found(packages: Path, name: str) -> Path | None:
    return next((p for p in (packages / name, packages / f"{name}.py") if p.exists()), None)


def _standard(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    return path.parent if path.name == "__init__.py" else path


def _adapt(path: Path, subject: Subject) -> None:
    """Rename what a copy from the standard library imports of itself; take its C parts away."""
    changes = {rf"^(\s*(?:from|import) ){name}\b": rf"\g<1>_absent{name}" for name in subject.pure}
    if subject.own:
        changes |= {
            rf"^(\s*(?:from|import) ){name}\b": rf"\g<1>{subject.own}" for name in subject.folders
        }
    text = path.read_text(encoding="utf-8")
    for pattern, new in changes.items():
        text = re.sub(pattern, new, text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
