"""Types: what a memoised function takes and gives survives the decorators.

Two type checkers read one sample. Each line that must be refused is marked, so that a checker which
stops seeing a mistake fails too.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hitsave

SAMPLE = """
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import assert_type

from hitsave import experiment, inert, memo, mode


@memo
def area(width: int, height: int = 2) -> float:
    return width * height


@memo(ignore=("jobs",), version=1, ttl=3.5, depends_on=[area], local_only=True)
def scaled(x: float, *, jobs: int = 1) -> list[float]:
    return [x]


@experiment
def train(rate: float) -> dict[str, float]:
    return {}


@experiment(version="a")
def tuned(rate: float) -> str:
    return ""


@memo
async def fetch(x: int) -> str:
    return ""


@memo
def count(n: int) -> Iterator[int]:
    yield n


@memo
async def ticks(n: int) -> AsyncIterator[int]:
    yield n


class Model:
    @memo
    def predict(self, x: int, scale: float = 1.0) -> float:
        return x * scale

    @memo(version=1)
    def kind(self) -> str:
        return ""

    @memo
    async def load(self, path: str) -> bytes:
        return b""

    @memo
    @classmethod
    def make(cls, x: int) -> "Model":
        return cls()

    @memo
    @staticmethod
    def plain(x: int) -> str:
        return ""

    @staticmethod
    @memo
    def below(x: int) -> str:
        return ""


assert_type(area(1), float)
assert_type(area(1, height=3), float)
area("a")  # refused
area()  # refused
area(1, depth=3)  # refused
assert_type(scaled(1.0, jobs=3), list[float])
scaled("a")  # refused
scaled(1.0, 3)  # refused
assert_type(train(0.5), dict[str, float])
train("a")  # refused
assert_type(tuned(0.5), str)
assert_type(area.__wrapped__(1), float)

assert_type(area.peek(1), float)
assert_type(area.refresh(1, height=2), float)
assert_type(area.cached(1), bool)
assert_type(area.forget(1), bool)
assert_type(area.explain(1).hit, bool)
area.peek("a")  # refused
area.explain(depth=1)  # refused
area.cached()  # refused

model = Model()
assert_type(model.predict(1), float)
assert_type(model.predict(1, scale=2.0), float)
assert_type(model.kind(), str)
assert_type(Model.predict(model, 1), float)
assert_type(model.predict.peek(1), float)
assert_type(model.predict.cached(1, 2.0), bool)
model.predict()  # refused
model.predict("a")  # refused
model.predict(model, 1)  # refused
model.kind(1)  # refused
model.predict.explain("a")  # refused

assert_type(Model.make(1), Model)
assert_type(model.make(1), Model)
assert_type(Model.make.peek(1), Model)
assert_type(Model.plain(1), str)
assert_type(Model.below(1), str)


async def main() -> None:
    assert_type(await fetch(1), str)
    assert_type(fetch.peek(1), str)
    assert_type(await fetch.refresh(1), str)
    await fetch("a")  # refused
    assert_type(await model.load("a"), bytes)
    assert_type(model.load.peek("a"), bytes)
    await model.load(1)  # refused
    async for tick in ticks(1):
        assert_type(tick, int)


for number in count(3):
    assert_type(number, int)

halved = memo(partial(area.__wrapped__, height=1))
quick = memo(lambda x: x)
assert_type(inert([1]), list[int])
with mode("off"):
    pass

memo(3)  # refused
memo(area, version=1)  # refused
memo(ignored="x")  # refused
experiment(ttl=3)  # refused
"""

REFUSED = {
    number for number, line in enumerate(SAMPLE.splitlines(), start=1) if "# refused" in line
}


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.py"
    path.write_text(SAMPLE)
    return path


def complaints(command: list[str], pattern: str, folder: Path) -> dict[int, str]:
    """Run a type checker: what it says, by line of the sample."""
    sources = str(Path(hitsave.__file__).parents[1])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "MYPYPATH": sources},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = {int(m[1]): m[2] for m in re.finditer(pattern, done.stdout, re.MULTILINE)}
    assert found, done.stdout + done.stderr
    return found


def judge(said: dict[int, str]) -> None:
    """Compare what was refused with what must be."""
    lines = SAMPLE.splitlines()
    wrongly = {lines[at - 1]: text for at, text in said.items() if at not in REFUSED}
    assert wrongly == {}
    assert [lines[at - 1] for at in sorted(REFUSED - said.keys())] == []


def test_mypy_sees_the_types_of_the_functions(sample: Path) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(sample)]
    said = complaints(command, r"sample\.py:(\d+): error: (.*)", sample.parent)
    judge(said)


def test_pyright_sees_the_types_of_the_functions(sample: Path) -> None:
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent)) or shutil.which(
        "pyright"
    )
    if pyright is None:
        pytest.skip("pyright is not installed")
    (sample.parent / "pyrightconfig.json").write_text(
        f'{{"extraPaths": ["{Path(hitsave.__file__).parents[1]}"], "include": ["sample.py"]}}'
    )
    command = [pyright, "--pythonpath", sys.executable, "-p", str(sample.parent)]
    said = complaints(command, r"sample\.py:(\d+):\d+ - error: (.*)", sample.parent)
    judge(said)
