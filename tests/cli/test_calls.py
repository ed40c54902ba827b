"""`hitsave ls`, `show`, `forget`, `pin` and `gc`."""

import json

import pytest

PROGRAM = """
from hitsave import experiment, memo


@memo
def large(n):
    return bytes([n]) * 300_000


@memo
def small(x, y="text"):
    return x + 1


@experiment
def tried(rate):
    return {"accuracy": rate}


for n in range(5):
    large(n)
small(3)
tried(0.5)
"""


@pytest.fixture
def calls(workspace):
    """A workspace in which seven calls are recorded."""
    workspace.write("program.py", PROGRAM)
    assert workspace.python("program.py").code == 0
    return workspace


def keys(done):
    return [line.split()[0] for line in done.out.splitlines()]


def test_calls_are_listed_the_latest_first(calls):
    done = calls.hitsave("ls")
    assert (done.code, done.err) == (0, "")
    first, second, *rest = done.out.splitlines()
    assert "program:tried(rate=0.5) -> {'accuracy': 0.5}  [experiment]" in first
    assert "program:small(x=3, y='text') -> 4" in second
    assert len(rest) == 5
    assert "300.5 kB" in rest[0]
    assert all(len(line) < 200 for line in rest)
    assert len(calls.hitsave("ls", "-n", "2").out.splitlines()) == 2


@pytest.mark.parametrize("words", ["large", "program:large"])
def test_a_functions_calls_are_listed(calls, words):
    assert len(keys(calls.hitsave("ls", words))) == 5


def test_a_modules_calls_are_listed(calls):
    assert len(keys(calls.hitsave("ls", "program"))) == 7


def test_nothing_is_listed_where_nothing_is_recorded(workspace):
    done = workspace.hitsave("ls")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert json.loads(workspace.hitsave("ls", "--json").out)["calls"] == []


def test_json_is_data_alone_on_stdout(calls):
    (call,) = json.loads(calls.hitsave("ls", "small", "--json").out)["calls"]
    assert call["symbol"] == "program:small"
    assert [each["summary"] for each in call["arguments"]] == ["3", "'text'"]
    assert (call["result"], call["kind"], call["pinned"]) == ("4", "memo", False)
    shown = json.loads(calls.hitsave("show", call["key"], "--json").out)
    assert {"symbol": "program:small", "facet": "body"}.items() <= shown["dependencies"][0].items()
    report = json.loads(calls.hitsave("gc", "--dry-run", "--json").out)
    assert (report["files"], report["evicted"]) == (0, [])


def test_a_call_is_shown_with_what_it_depends_on(calls):
    (key,) = keys(calls.hitsave("ls", "tried"))
    done = calls.hitsave("show", key[:8])
    assert done.code == 0
    assert done.out.startswith("program:tried(rate=0.5)")
    for word in (f"key       {key}", "took", "size", "python", "program:tried (body)"):
        assert word in done.out, word
    several = calls.hitsave("show", "large")
    assert "4 earlier calls more" in several.err


@pytest.mark.parametrize("command", ["ls", "show", "forget", "pin"])
@pytest.mark.parametrize("words", ["absent", "ffffffffff", "program:absent", "larg"])
def test_what_is_not_there_is_told(calls, command, words):
    done = calls.hitsave(command, words)
    assert done.code == 1
    assert f"No recorded call goes by '{words}'" in done.err
    assert "Traceback" not in done.err


def test_calls_are_forgotten_only_on_demand(calls):
    planned = calls.hitsave("forget", "large", "--dry-run")
    assert (planned.code, len(keys(planned))) == (0, 5)
    refused = calls.hitsave("forget", "large")
    assert refused.code == 2
    assert "say --yes" in refused.err
    assert len(keys(calls.hitsave("ls"))) == 7
    assert calls.hitsave("forget", "large", "small", "--yes").code == 0
    assert len(keys(calls.hitsave("ls"))) == 1
    # Within a day, somebody may be about to refer to the same results.
    assert "stays for now" in calls.hitsave("gc").out
    assert "5 files (1.5 MB) removed" in calls.hitsave("gc", "--now").out


def test_what_is_too_much_goes_but_for_what_is_pinned(calls):
    first = keys(calls.hitsave("ls", "large"))[-1]
    assert calls.hitsave("pin", first).code == 0
    done = calls.hitsave("gc", "--max-size", "1 MB", "--now")
    assert done.code == 0
    assert "too much" in done.out
    left = calls.hitsave("ls").out
    assert f"{first}" in left
    assert "[pinned]" in left
    assert "program:tried" in left
    assert left.count("program:large") < 4
    assert calls.hitsave("pin", first, "--remove").code == 0
    assert "[pinned]" not in calls.hitsave("ls").out


def test_no_size(calls):
    done = calls.hitsave("gc", "--max-size", "many")
    assert done.code == 2
    assert "a size, such as 20 GB" in done.err


def test_a_store_that_cannot_be_used(workspace):
    workspace.write("file", "precious")
    home = str(workspace.root / "file")
    for words in (["ls"], ["gc"], ["show", "f"], ["forget", "f", "--yes"], ["pin", "f"]):
        done = workspace.hitsave(*words, HITSAVE_HOME=home)
        assert done.code == 1, words
        assert "The store cannot be used" in done.err
        assert "Traceback" not in done.err
