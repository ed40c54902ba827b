"""`hitsave run`: the program is run as plain Python runs it, and told of only where asked."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hitsave.cli.run import HINT, Words, parse, workspace_of
from hitsave.cli.usage import UsageError

SQUARE = """\
from hitsave import memo

def double(x):
    return x + x

@memo
def square(x):
    return double(x) * x / 2

print(square(3))
"""

PROGRAM = """\
import sys, os, pickle, atexit
class Thing:
    def __init__(self, x): self.x = x
atexit.register(print, "bye")
print(sys.argv, __name__, __file__, __spec__, sys.path[0])
print(sys.modules["__main__"].Thing is Thing, pickle.loads(pickle.dumps(Thing(3))).x)
print("to stderr", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


def test_a_program_cannot_tell_run_from_plain_python(workspace):
    workspace.write("deep/program.py", PROGRAM)
    words = ("deep/program.py", "7", "-v", "--json")
    assert workspace.hitsave("run", *words) == workspace.python(*words)


def test_an_uncaught_exception_looks_as_in_plain_python(workspace):
    workspace.write("program.py", "def f():\n    raise KeyError('gone')\nf()\n")
    done = workspace.hitsave("run", "program.py")
    assert done == workspace.python("program.py")
    assert done.code == 1


@pytest.mark.parametrize("program", ["def f(:\n", "import broken\n"])
def test_a_syntax_error_looks_as_in_plain_python(workspace, program):
    workspace.write("program.py", program)
    workspace.write("broken.py", "def f(:\n")
    done = workspace.hitsave("run", "program.py")
    assert done == workspace.python("program.py")
    assert "SyntaxError" in done.err


def test_a_module_is_run_with_its_arguments(workspace):
    workspace.write("package/__init__.py", "")
    workspace.write("package/tool.py", "import sys\nprint(__name__, sys.argv[1:])\n")
    expected = workspace.python("-m", "package.tool", "-m", "x")
    assert workspace.hitsave("run", "-m", "package.tool", "-m", "x") == expected
    assert workspace.hitsave("run", "-mpackage.tool", "-m", "x") == expected


def test_a_program_finds_nothing_loaded_that_hitsave_alone_does_not_load(workspace):
    program = "import sys, hitsave, hitsave.runner\nprint(*sorted(sys.modules))\n"
    workspace.write("program.py", program)
    plain = set(workspace.python("program.py").out.split())
    for options in ([], ["-v"]):
        loaded = set(workspace.hitsave("run", *options, "program.py").out.split())
        added = {name for name in loaded - plain if not name.startswith("hitsave.")}
        assert added <= {"runpy", "pkgutil"}  # what `python -m` itself loads
        assert not {"typer", "rich", "click", "json"} & loaded


def test_what_the_program_imports_before_hitsave_is_kept_as_executed(workspace):
    workspace.write("helper.py", "def double(x):\n    return x + x\n")
    workspace.write(
        "program.py",
        "import helper\n"
        "open('helper.py', 'a').write('#\\n')\n"
        "import hitsave.session as s\n"
        "print(s.ledger().get('helper').content.decode().count('#'))\n"
        "print(s.ledger().get('__main__').content.startswith(b'import helper'))\n",
    )
    assert workspace.hitsave("run", "program.py").out == "0\nTrue\n"


# -- telling ------------------------------------------------------------------------------------


def test_run_says_nothing_of_its_own_unless_asked(workspace):
    workspace.write("program.py", SQUARE)
    for _ in range(2):
        assert workspace.hitsave("run", "program.py") == (0, "9.0\n", "")


def test_verbose_tells_each_call_and_sums_up_on_stderr(workspace):
    workspace.write("program.py", SQUARE)
    cold = workspace.hitsave("run", "-v", "program.py")
    warm = workspace.hitsave("run", "--verbose", "program.py")
    assert (cold.out, warm.out) == ("9.0\n", "9.0\n")
    miss, stored, summary = cold.err.splitlines()
    assert miss == "hitsave: miss      program:square: it has no earlier call"
    assert stored.startswith("hitsave: stored    program:square (took ")
    assert summary == "hitsave: 0 hits, 1 miss"
    hit, summary = warm.err.splitlines()
    assert hit.startswith("hitsave: hit       program:square (saved ")
    assert summary.startswith("hitsave: 1 hit (saved ")
    assert summary.endswith("), 0 misses")


def test_verbose_says_why_a_call_misses_with_the_diff(workspace):
    script = workspace.write("program.py", SQUARE)
    workspace.hitsave("run", "program.py")
    script.write_text(SQUARE.replace("x + x", "2 * x"))
    told = workspace.hitsave("run", "-v", "program.py").err
    assert "miss      program:square: program:double (body) changed" in told
    assert "-    return x + x\n" in told
    assert "+    return 2 * x\n" in told


def test_verbose_can_be_set_as_a_setting(workspace):
    workspace.write("program.py", SQUARE)
    told = workspace.hitsave("run", "program.py", HITSAVE_VERBOSE="1").err
    assert "hitsave: 0 hits, 1 miss\n" in told


def test_verbose_tells_what_runs_uncached(workspace):
    program = "from hitsave import memo\n@memo\ndef f(x): return 1\nf(open(__file__))\n"
    workspace.write("program.py", program)
    told = workspace.hitsave("run", "-v", "program.py").err
    assert "hitsave: uncached  program:f: argument x" in told
    assert ", 1 uncached" in told.splitlines()[-1]


def test_a_program_that_captures_its_stderr_finds_only_its_own_lines(workspace):
    program = SQUARE.replace("print(square(3))", "")
    program += (
        "import contextlib, io\n"
        "with contextlib.redirect_stderr(io.StringIO()) as captured:\n"
        "    square(3)\n"
        "print(repr(captured.getvalue()))\n"
    )
    workspace.write("program.py", program)
    done = workspace.hitsave("run", "-v", "program.py")
    assert done.out == "''\n"
    assert "hitsave: 0 hits, 1 miss" in done.err


def test_a_program_whose_stderr_breaks_goes_on(workspace):
    workspace.write("program.py", "import os\nos.close(2)\n" + SQUARE)
    assert workspace.hitsave("run", "-v", "program.py").out == "9.0\n"


def test_the_child_of_a_fork_does_not_sum_up_again(workspace):
    program = "import os, sys\npid = os.fork()\nif pid:\n    os.waitpid(pid, 0)\n"
    workspace.write("program.py", SQUARE + program)
    assert workspace.hitsave("run", "-v", "program.py").err.count("hitsave: 0 hits, 1 miss\n") == 1


def test_an_interrupted_program_dies_of_it_after_the_summary(workspace):
    workspace.write("program.py", SQUARE + "raise KeyboardInterrupt\n")
    done = workspace.hitsave("run", "-v", "program.py")
    assert done.code == -signal.SIGINT
    assert done.err.count("hitsave: 0 hits, 1 miss\n") == 1
    assert "KeyboardInterrupt" in done.err


def test_events_are_appended_to_a_file_as_json(workspace):
    workspace.write("program.py", SQUARE)
    for _ in range(2):
        done = workspace.hitsave("run", "--events", "events.jsonl", "program.py")
        assert done == (0, "9.0\n", "")
    lines = (workspace.root / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events] == ["miss", "stored", "hit"]
    assert {event["symbol"] for event in events} == {"program:square"}
    assert events[0]["reason"] == "it has no earlier call"
    assert bytes.fromhex(events[1]["key"])


def test_a_program_is_not_run_when_its_events_cannot_be_written(workspace):
    workspace.write("program.py", SQUARE)
    done = workspace.hitsave("run", "--events=none/events", "program.py")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("hitsave: cannot write events to none/events: ")


# -- trouble ------------------------------------------------------------------------------------


def test_a_script_that_is_not_there_is_told_with_the_nearest(workspace):
    workspace.write("program.py", SQUARE)
    code, out, err = workspace.hitsave("run", "-v", "progam.py")
    assert (code, out) == (1, "")
    assert err == (
        "hitsave: cannot read the script progam.py: No such file or directory\n"
        "  hint: did you mean program.py?\n"
    )


def test_a_cache_folder_that_cannot_be_used_costs_one_warning(workspace):
    workspace.write("program.py", SQUARE + "print(square(3))\n")
    file = workspace.write("file", "not a folder")
    done = workspace.hitsave("run", "program.py", HITSAVE_HOME=str(file))
    assert (done.code, done.out) == (0, "9.0\n9.0\n")
    assert done.err.count("HitsaveWarning") == 1
    assert "Traceback" not in done.err
    assert file.read_text() == "not a folder"


def test_an_unknown_setting_is_told_and_the_program_is_run(workspace):
    workspace.write("program.py", SQUARE)
    workspace.write("pyproject.toml", "[tool.hitsave]\nmood = 'use'\n")
    done = workspace.hitsave("run", "program.py")
    assert (done.code, done.out) == (0, "9.0\n")
    assert "unknown setting 'mood'" in done.err
    assert "did you mean 'mode'?" in done.err


def test_a_folder_without_any_mark_of_a_workspace_will_do(workspace):
    (workspace.root / "pyproject.toml").unlink()
    workspace.write("program.py", SQUARE)
    workspace.hitsave("run", "program.py")
    assert "1 hit " in workspace.hitsave("run", "-v", "program.py").err


# -- the words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a.py", "-v", "-m"], Words("a.py", False, ["-v", "-m"], False, "")),
        (["-v", "--events", "e", "a.py"], Words("a.py", False, [], True, "e")),
        (["--events=e", "--", "-v", "x"], Words("-v", False, ["x"], False, "e")),
        (["-m", "a.b", "--events", "e"], Words("a.b", True, ["--events", "e"], False, "")),
        (["-ma.b"], Words("a.b", True, [], False, "")),
    ],
)
def test_options_before_the_program_are_ours_and_those_after_it_are_its_own(words, expected):
    assert parse(words) == expected


@pytest.mark.parametrize("words", [[], ["-v"], ["-m"], ["--events"], ["-x", "a.py"], ["--"]])
def test_words_that_name_no_program_are_refused_with_the_usage(words):
    with pytest.raises(UsageError) as refused:
        parse(words)
    assert refused.value.hint == HINT


def test_wrong_usage_is_exit_code_2(workspace):
    done = workspace.hitsave("run", "--verbos", "a.py")
    assert done.code == 2
    assert done.err.startswith("hitsave: hitsave run has no option --verbos.\n  hint: ")


def test_the_workspace_is_that_of_the_program(workspace, monkeypatch):
    monkeypatch.chdir("/")
    script = workspace.write("deep/program.py", "")
    assert workspace_of(parse([str(script)])) == str(workspace.root)
    assert workspace_of(parse([str(script.parent)])) == str(workspace.root)


def test_a_tool_in_an_environment_works_on_the_project_around_the_working_folder(
    workspace, tmp_path, monkeypatch
):
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    deep = workspace.root / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    assert workspace_of(parse([str(tmp_path / "env" / "tool")])) == str(workspace.root)
    assert workspace_of(parse(["-m", "tool"])) == str(workspace.root)


def test_the_installed_script_is_the_same_program(workspace):
    script = Path(sys.executable).with_name("hitsave")
    if not script.exists():
        pytest.skip("hitsave is not installed beside this Python")
    workspace.write("program.py", PROGRAM)
    words = ["program.py", "4"]
    done = subprocess.run(
        [str(script), "run", *words],
        check=False,
        cwd=workspace.root,
        env=workspace.environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout, done.stderr) == workspace.python(*words)
