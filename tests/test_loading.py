"""What is loaded before a fork is all that calls load."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys, threading
import hitsave
from hitsave import experiment, memo, mode

@memo
def inner(x):
    return bytes(100_000) if x else 0

@memo
def outer(x):
    return inner(x)

@experiment
def tried(x):
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return -x

def calls():
    for x in (0, 1, 1):
        outer(x)
    tried(1)
    outer.explain(2), outer.dependencies(), outer.calls(), outer.cached(1), outer.peek(1)
    with mode("verify"):
        outer(1)
    inner(object())

def fork():
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)

if sys.argv[1] == "threads":
    go_on = threading.Event()
    threading.Thread(target=go_on.wait).start()
    fork()
    go_on.set()
before = set(sys.modules)
calls()
print(sorted(name for name in set(sys.modules) - before if name.startswith("hitsave")))
"""


def loaded_by_calls(tmp_path: Path, kind: str) -> str:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-W", "ignore", "program.py", kind]
    environment = {"HITSAVE_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_calls_load_nothing_after_a_fork_beside_other_threads(tmp_path: Path) -> None:
    assert loaded_by_calls(tmp_path, "threads") == "[]\n"


def test_a_fork_of_a_process_with_one_thread_loads_nothing(tmp_path: Path) -> None:
    assert "hitsave.memo.cutoff" in loaded_by_calls(tmp_path, "none")
