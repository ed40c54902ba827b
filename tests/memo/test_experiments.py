"""Experiments: memos that keep how their results came to be."""

import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hitsave import experiment, memo, session
from hitsave.store import CallRecord


@experiment
def train(rate: float, steps: int = 10) -> dict[str, float]:
    return {"loss": rate / steps}


@memo
def plain(x: int) -> int:
    return x


def git(folder: Path, *words: str) -> str:
    options = ["-c", "user.name=n", "-c", "user.email=e@e", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *options, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_a_call_keeps_a_readable_summary() -> None:
    train(0.5)
    train(0.25, steps=5)
    newest, oldest = train.calls()
    assert isinstance(newest, CallRecord)
    shown = [(name, text) for name, _, text in newest.arguments]
    assert shown == [("rate", "0.25"), ("steps", "5")]
    assert newest.result == "{'loss': 0.05}"
    assert newest.kind == oldest.kind == "experiment"
    assert newest.started > oldest.started > 0
    assert newest.seconds >= 0
    assert newest.expires is None
    assert newest.context["host"] == platform.node()
    assert newest.context["python"] == platform.python_version()
    assert "pytest" in str(newest.context["command"])


def test_it_hits_as_a_memo_does() -> None:
    train.cache_clear()
    assert train(0.5) == train(0.5)
    assert train.cache_info() == (1, 1)


def test_a_memo_keeps_no_context() -> None:
    plain(1)
    (record,) = plain.calls()
    assert (record.kind, record.context) == ("memo", {})


def test_it_is_on_disk_when_the_call_returns(
    own_session: session.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[bool] = []
    commit = own_session.commit

    def noted(writes: Any, *, durable: bool = False, **options: bool) -> bool:
        flushed.append(durable)
        return commit(writes, durable=durable, **options)

    monkeypatch.setattr(own_session, "commit", noted)
    plain(1)
    assert not any(flushed)
    train(0.5)
    assert any(flushed)


PROGRAM = """
from hitsave import experiment

@experiment
def train(x):
    return x

train({x})
context = train.calls()[0].context
print(context["commit"], context["dirty"], context["command"])
"""


def test_the_commit_is_kept_and_whether_files_differ_from_it(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "script.py").write_text(PROGRAM.format(x=1))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    commit = git(folder, "rev-parse", "HEAD")
    assert run(PROGRAM.format(x=1)).stdout == f"{commit} False script.py\n"
    assert run(PROGRAM.format(x=2)).stdout == f"{commit} True script.py\n"


def test_without_git_there_is_no_commit(run: Any) -> None:
    program = PROGRAM.partition("print")[0] + "print(sorted(context))"
    assert run(program.format(x=1), PATH="").stdout == "['command', 'folder', 'host', 'python']\n"


def test_a_memo_loads_nothing_that_only_experiments_need(run: Any) -> None:
    program = """
    import sys
    from hitsave import memo

    @memo
    def f(x):
        return x

    f(1)
    print([name for name in ("subprocess", "platform", "difflib") if name in sys.modules])
    """
    assert run(program).stdout == "[]\n"
