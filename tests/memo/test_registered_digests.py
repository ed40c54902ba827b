"""`register_digest` in programs: it keys calls, and its own code counts."""

import os
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import sys
from hitsave import memo, register_digest
import ways
from model import Model

register_digest({kind}, ways.what_counts)

@memo
def total(model):
    print("ran")
    return model.weight + model.bias

print(total(Model(int(sys.argv[1]), int(sys.argv[2]))))
"""
MODEL = """
import threading

class Model:
    def __init__(self, weight, bias):
        self.weight, self.bias, self.lock = weight, bias, threading.Lock()
"""
WAYS = """
def part(model):
    return {part}

def what_counts(model):
    return {whole}
"""


@pytest.mark.parametrize("kind", ["Model", '"model:Model"'])
def test_an_edit_of_the_function_or_of_what_it_calls_computes_again(
    run: Any, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "project"
    (folder / "model.py").write_text(MODEL)
    edits = iter(range(100))

    def ways(part: str, whole: str) -> None:
        path = folder / "ways.py"
        path.write_text(WAYS.format(part=part, whole=whole))
        moment = time.time() - 100_000 + 10 * next(edits)
        os.utime(path, (moment, moment))

    def outcome(weight: int, bias: int) -> list[str]:
        script = textwrap.dedent(PROGRAM).format(kind=kind).replace("sys.argv[1]", str(weight))
        done = run(script.replace("sys.argv[2]", str(bias)))
        assert not done.stderr
        return list(done.stdout.split())

    ways("model.weight", "model.weight, model.bias")
    assert outcome(1, 2) == ["ran", "3"]
    assert outcome(1, 2) == ["3"]
    assert outcome(1, 3) == ["ran", "4"]
    ways("model.weight", "model.weight")
    assert outcome(1, 3) == ["ran", "4"]
    # Says the same of another model: by what it said before the edit, that is no hit.
    ways("model.weight", "model.bias")
    assert outcome(5, 1) == ["ran", "6"]
    ways("model.weight", "part(model)")
    assert outcome(5, 1) == ["ran", "6"]
    assert outcome(5, 1) == ["6"]
    ways("model.bias", "part(model)")
    assert outcome(7, 5) == ["ran", "12"]
