"""Calls of one function that read different files, or run different code: each its own set."""

import textwrap
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hitsave.code.reached import MOST_SETS

PROGRAM = """
import os, subprocess, sys, time
# First, so that hitsave sees which functions ran.
from hitsave import experiment, memo
{body}
def alone(name):
    # In a process of its own, so that no call knows what an earlier one left behind.
    if pid := os.fork():
        assert os.waitpid(pid, 0)[1] == 0
        return
    told(name)
    sys.stdout.flush()
    os._exit(0)

def told(name):
    print(name, {asked})

for name in os.environ["NAMES"].split():
    (alone if "ALONE" in os.environ else told)(name)
"""
READ = """
    @memo
    def load(name):
        print("ran", name)
        try:
            with open(f"{name}.txt") as file:
                return file.read()
        except OSError as error:
            return type(error).__name__
"""
PLUG = """
    @memo
    def load(name):
        print("ran", name)
        return __import__(name).answer()
"""
NAMES = [f"f{number}" for number in range(MOST_SETS + 4)]


class Outcome(NamedTuple):
    """What each call gave, and for which the function ran."""

    answers: dict[str, str]
    ran: list[str]


Tried = Callable[..., Outcome]


def _outcome(text: str) -> Outcome:
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    answers = {name: answer for name, answer in lines if name != "ran"}
    return Outcome(answers, [answer for name, answer in lines if name == "ran"])


@pytest.fixture
def tried(run: Any) -> Tried:
    """Make calls of a function in a fresh process, or each in one of its own."""

    def tried(
        names: Iterable[str], body: str = READ, asked: str = "load(name)", **environment: str
    ) -> Outcome:
        program = PROGRAM.format(body=textwrap.dedent(body), asked=asked)
        done = run(program, NAMES=" ".join(names), **environment)
        assert done.stderr == ""
        return _outcome(done.stdout)

    return tried


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.fixture
def files(folder: Path, run: Any) -> Path:  # noqa: ARG001 - makes the folder
    """A project with a file for each name."""
    for name in NAMES:
        (folder / f"{name}.txt").write_text(f"one {name}")
    return folder


# -- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("decorator", ["memo", "experiment"])
def test_of_many_calls_that_read_a_file_each_one_edit_computes_one(
    tried: Tried, files: Path, decorator: str
) -> None:
    body = READ.replace("@memo", f"@{decorator}")
    first = tried(NAMES, body, ALONE="1")
    assert first == ({name: f"one {name}" for name in NAMES}, NAMES)
    assert tried(NAMES, body) == (first.answers, [])
    for edited in (NAMES[1], NAMES[-1]):
        (files / f"{edited}.txt").write_text("two")
        assert tried(reversed(NAMES), body).ran == [edited]
        again = tried(NAMES, body)
        assert again.ran == []
        assert again.answers[edited] == "two"
        (files / f"{edited}.txt").write_text(f"one {edited}")
        assert tried(NAMES, body) == (first.answers, [])


def test_a_file_that_is_deleted_and_created_again(tried: Tried, files: Path) -> None:
    name, path = NAMES[-1], files / f"{NAMES[-1]}.txt"
    truth = tried(NAMES, ALONE="1").answers
    path.unlink()
    gone = {**truth, name: "FileNotFoundError"}
    assert tried(NAMES) == (gone, [name])
    assert tried(NAMES) == (gone, [])
    path.write_text(f"one {name}")
    assert tried(NAMES) == (truth, [])
    path.write_text("new")
    assert tried(NAMES) == ({**truth, name: "new"}, [name])
    path.unlink()
    assert tried(NAMES) == (gone, [])


def test_whether_a_path_is_there_is_asked_by_each_call_for_itself(
    tried: Tried, files: Path
) -> None:
    body = """
        @memo
        def load(name):
            print("ran", name)
            return os.path.isfile(f"{name}.txt")
    """
    for name in NAMES[::2]:
        (files / f"{name}.txt").unlink()
    tried(NAMES, body, ALONE="1")
    assert tried(NAMES, body).ran == []
    (files / f"{NAMES[0]}.txt").touch()
    (files / f"{NAMES[-1]}.txt").unlink()
    outcome = tried(NAMES, body)
    assert outcome.ran == [NAMES[0], NAMES[-1]]
    assert (outcome.answers[NAMES[0]], outcome.answers[NAMES[-1]]) == ("True", "False")


def test_a_variable_for_each_call(tried: Tried) -> None:
    body = """
        @memo
        def load(name):
            print("ran", name)
            return os.environ.get(f"HS_{name}", "none")
    """
    assert tried(NAMES, body, ALONE="1").ran == NAMES
    assert tried(NAMES, body).ran == []
    edited = {f"HS_{NAMES[-1]}": "set"}
    outcome = tried(NAMES, body, **edited)
    assert outcome.ran == [NAMES[-1]]
    assert outcome.answers[NAMES[-1]] == "set"
    assert tried(NAMES, body, **edited).ran == []
    assert tried(NAMES, body).ran == []


def test_what_a_call_depends_on_may_change_over_time(tried: Tried, files: Path) -> None:
    """A fact more, a fact less: the call is found by its latest set, or by an earlier one."""
    body = """
        def text(name):
            with open(f"{name}.txt") as file:
                return file.read()

        @memo
        def load(name):
            print("ran", name)
            return text(text(name)[4:]) if text(name).startswith("see ") else text(name)
    """
    name = NAMES[-1]
    truth = tried(NAMES, body, ALONE="1").answers
    for other in NAMES[-4:-1]:
        (files / f"{name}.txt").write_text(f"see {other}")
        assert tried(NAMES, body, ALONE="1") == ({**truth, name: f"one {other}"}, [name])
        assert tried(NAMES, body).ran == []
    (files / f"{NAMES[-2]}.txt").write_text("new")
    outcome = tried(NAMES, body, ALONE="1")
    assert outcome.ran == NAMES[-2:]
    assert outcome.answers[name] == "new"
    (files / f"{name}.txt").write_text(f"one {name}")
    assert tried([name], body) == ({name: f"one {name}"}, [])


# -- code ---------------------------------------------------------------------------------------


def _write_plug(folder: Path, name: str, amount: int) -> None:
    (folder / f"{name}.py").write_text(
        f"def answer():\n    return helper() + {amount}\ndef helper():\n    return 1000\n"
    )


def test_of_many_plug_ins_chosen_by_argument_one_edit_computes_one(
    tried: Tried, files: Path
) -> None:
    plugs = [f"plug{number}" for number in range(30)]
    for number, name in enumerate(plugs):
        _write_plug(files, name, number)
    assert tried(plugs, PLUG, ALONE="1").ran == plugs
    assert tried(plugs, PLUG).ran == []
    for number in (2, 29):
        _write_plug(files, plugs[number], 100_000)
        assert tried([plugs[5], plugs[25]], PLUG).ran == []
        outcome = tried(plugs, PLUG)
        assert outcome.ran == [plugs[number]]
        assert outcome.answers[plugs[number]] == "101000"
        assert tried(plugs, PLUG).ran == []


def test_calls_that_read_a_file_each_are_cut_off_early(tried: Tried, files: Path) -> None:
    body = """
        import steps

        @memo
        def inner(name):
            print("ran", "inner")
            return getattr(steps, name)() > 0

        @memo
        def load(name):
            print("ran", name)
            with open(f"{name}.txt") as file:
                return file.read() if inner(name) else "nothing"
    """
    amounts = dict.fromkeys(NAMES, 1)

    def write_steps() -> None:
        steps = [f"def {name}():\n    return {amount}\n" for name, amount in amounts.items()]
        (files / "steps.py").write_text("".join(steps))

    write_steps()
    truth = tried(NAMES, body, ALONE="1").answers
    assert tried(NAMES, body).ran == []
    for edited in (NAMES[0], NAMES[-1]):
        amounts[edited] = 1000
        write_steps()
        assert tried(NAMES, body) == (truth, ["inner"])
        assert tried(NAMES, body) == (truth, [])
        amounts[edited] = -1
        write_steps()
        assert tried(NAMES, body) == ({**truth, edited: "nothing"}, ["inner", edited])
        amounts[edited] = 1
        write_steps()
        assert tried(NAMES, body) == (truth, [])


# -- ways of asking -----------------------------------------------------------------------------


def test_a_process_that_only_looks_up(tried: Tried, files: Path) -> None:
    tried(NAMES, ALONE="1")
    for asked, found in [("load.cached(name)", "True"), ("load.peek(name)[:3]", "one")]:
        assert tried(NAMES, asked=asked) == (dict.fromkeys(NAMES, found), [])
    (files / f"{NAMES[3]}.txt").write_text("two")
    (files / f"{NAMES[-1]}.txt").write_text("two")
    outcome = tried(NAMES, asked="load.cached(name)")
    assert [name for name, found in outcome.answers.items() if found == "False"] == [
        *(NAMES[3], NAMES[-1])
    ]


def test_read_only_mode_finds_what_is_recorded_and_records_nothing(
    tried: Tried, files: Path
) -> None:
    tried(NAMES, ALONE="1")
    assert tried(NAMES, HITSAVE_MODE="read-only").ran == []
    (files / f"{NAMES[-1]}.txt").write_text("two")
    for _ in range(2):
        outcome = tried(NAMES, HITSAVE_MODE="read-only")
        assert outcome.ran == [NAMES[-1]]
        assert outcome.answers[NAMES[-1]] == "two"
    assert tried(NAMES).ran == [NAMES[-1]]
    assert tried(NAMES, HITSAVE_MODE="read-only").ran == []


def test_a_miss_is_explained_by_the_file_that_was_edited(tried: Tried, files: Path) -> None:
    tried(NAMES, ALONE="1")
    for name in (NAMES[0], NAMES[-1]):
        (files / f"{name}.txt").write_text("two")
    asked = "str(load.explain(name)).replace(chr(10), ' ')"
    told = tried(NAMES, asked=asked).answers
    for name, said in told.items():
        if name in (NAMES[0], NAMES[-1]):
            assert f"miss: {name}.txt (file) changed" in said
            assert f"-one {name}" in said
            assert "+two" in said
        else:
            assert ": hit: " in said


@pytest.mark.usefixtures("files")
def test_a_forgotten_call_is_computed_again_and_no_other(tried: Tried) -> None:
    tried(NAMES, ALONE="1")
    for name in (NAMES[0], NAMES[-1]):
        assert tried([name], asked="load.forget(name)").answers == {name: "True"}
    assert tried(NAMES).ran == [NAMES[0], NAMES[-1]]


# -- one process --------------------------------------------------------------------------------


@pytest.mark.usefixtures("files")
def test_a_change_is_seen_by_the_next_call_of_the_same_process(tried: Tried) -> None:
    """At once, and after a while as well, when the times of files tell whether they changed."""
    body = (
        READ
        + """
    def rewritten(name):
        found = [load(name)]
        for text in ("two", "six", "six", "ten", "", "one"):
            with open(f"{name}.txt", "w") as file:
                file.write(text)
            found.append(load(name))
            if text == "six":
                time.sleep(0.1)
                found.append(load(name))
        os.unlink(f"{name}.txt")
        return [*found, load(name)]
    """
    )
    tried(NAMES, ALONE="1")
    answers = tried(NAMES, body, asked="*rewritten(name)").answers
    for name in NAMES:
        assert answers[name] == f"one {name} two six six six six ten  one FileNotFoundError"


def test_a_long_running_process_sees_what_another_one_records(tried: Tried, files: Path) -> None:
    """One that only looks up, and asked for the call before it was recorded."""
    body = (
        READ
        + """
    def polled(name):
        before = load.cached(name)
        child = {**os.environ, "NAMES": name, "CHILD": "1"}
        subprocess.run([sys.executable, "script.py"], env=child, check=True, capture_output=True)
        return before, load.cached(name)
    """
    )
    asked = "load(name) if 'CHILD' in os.environ else polled(name)"
    tried(NAMES[:-2], body, "load(name)", ALONE="1")
    for text in ("two", "six"):
        for name in NAMES[-2:]:
            (files / f"{name}.txt").write_text(text)
        outcome = tried(NAMES[-2:], body, asked)
        assert outcome.answers == dict.fromkeys(NAMES[-2:], "(False, True)")


# -- processes at once --------------------------------------------------------------------------


def test_processes_at_once_each_find_what_all_recorded(tried: Tried, files: Path) -> None:
    tried([], READ)  # writes the script
    outcomes = dict[int, Outcome]()
    start = threading.Barrier(3)

    def work(number: int, names: list[str]) -> None:
        start.wait()
        outcomes[number] = tried(names, ALONE="1")

    orders = [NAMES, NAMES[::-1], NAMES[6:] + NAMES[:6]]
    threads = [threading.Thread(target=work, args=each) for each in enumerate(orders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    truth = {name: f"one {name}" for name in NAMES}
    assert all(outcome.answers == truth for outcome in outcomes.values())
    assert sorted(name for outcome in outcomes.values() for name in outcome.ran) == sorted(NAMES)
    assert tried(NAMES).ran == []
    (files / f"{NAMES[4]}.txt").write_text("two")
    assert tried(NAMES).ran == [NAMES[4]]
