"""The shim: a library that stands between a program and the C library (`shim.c`).

Owns how it is built, and what the environment has to say so that it logs or fails operations.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("shim.c")


def build(folder: Path) -> Path:
    """Return the library, compiled into `folder`; skips the test where that cannot be done."""
    if sys.platform != "linux":
        pytest.skip("what fails is put between a program and the C library of Linux")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (`cc`)")
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", str(SOURCE), "-o", str(library), "-ldl"]
    subprocess.run(command, check=True)
    return library


def logging(folder: Path, log: Path) -> dict[str, str]:
    """Return the variables that have every change below `folder` appended to `log`."""
    return {"FAULTS_FOLDER": str(folder), "FAULTS_LOG": str(log)}


def counting(folder: Path, count: Path) -> dict[str, str]:
    """Return the variables that have the operations below `folder` counted; see `counted`."""
    return {"FAULTS_FOLDER": str(folder), "FAULTS_COUNT": str(count)}


def counted(count: Path) -> int:
    """Return how many operations a program made; what it starts makes none."""
    return max(map(int, count.read_text().split()))


def failing(folder: Path, at: int, error: int, *, for_ever: bool) -> dict[str, str]:
    """Return the variables that make one operation below `folder` fail: the one of that number.

    With `for_ever`, all that are of its kind fail from then on.
    """
    found = {"FAULTS_FOLDER": str(folder), "FAULTS_AT": str(at), "FAULTS_ERRNO": str(error)}
    return found | {"FAULTS_EVER": "1"} if for_ever else found
