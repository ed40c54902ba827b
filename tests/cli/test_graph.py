"""`hitsave graph`: what is shown, where it goes, and what is refused."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from hitsave.cli import render
from hitsave.code.symbol import Place, Symbol
from hitsave.queries import Graph, Node

ANALYSIS = """\
from hitsave import memo
import text

open("was-run", "w")
LIMIT = 3

@memo
def top(book):
    return text.words(book)[:LIMIT]

@memo
def other(book):
    return len(book)

print(top("a b"))
"""

TEXT = """\
import letters

def words(book):
    return [letters.lower(word) for word in book.split()]

def unused():
    return 1
"""

LETTERS = "def lower(word):\n    return word.lower()\n"


@pytest.fixture
def project(workspace):
    workspace.write("analysis.py", ANALYSIS)
    workspace.write("text.py", TEXT)
    workspace.write("letters.py", LETTERS)
    return workspace


def test_a_tree_gives_each_symbol_its_place_and_why_it_is_there(project):
    done = project.hitsave("graph", "analysis.py")
    assert done.code == 0
    assert done.err == ""
    assert re.sub(r" [0-9a-f]{12}\b", "", done.out).splitlines() == [
        "analysis:top  body, header  analysis.py:7  memoised",
        "├── analysis:LIMIT = 3  value  analysis.py:5  (named in it, line 9)",
        "└── text:words  body, header  text.py:3  (named in it, line 9)",
        "    └── letters:lower  body, header  letters.py:1  (named in it, line 4)",
        "analysis:other  body, header  analysis.py:11  memoised",
    ]


def test_nothing_of_the_users_is_run(project):
    for words in (["analysis.py"], ["--reverse", "text:words"], ["--why", "analysis", "text"]):
        assert project.hitsave("graph", *words).code == 0
    assert not (project.root / "was-run").exists()


def test_a_module_without_memoised_functions_stands_for_all_that_it_defines(project):
    shown = project.hitsave("graph", "text").out
    assert shown.startswith("text  text.py\n")
    assert {"text:words", "text:unused", "letters:lower"} <= set(re.findall(r"\w+:\w+", shown))


def test_names_that_only_lead_on_are_shown_when_asked_for(project):
    assert "analysis:text" not in project.hitsave("graph", "analysis.py").out
    assert "analysis:text  binding" in project.hitsave("graph", "--all", "analysis.py").out


def test_a_symbol_that_comes_again_is_marked_and_not_opened_again(project):
    project.write("pair.py", "from text import words\nfrom a import f\ndef g(): f(); words('')\n")
    project.write("a.py", "from text import words\ndef f(): words('')\n")
    shown = project.hitsave("graph", "pair:g").out
    assert shown.count("text:words") == 2
    assert shown.count("text:words  (above)\n") == 1
    assert shown.count("letters:lower") == 1


def test_functions_that_call_each_other_end(workspace):
    workspace.write("m.py", "def f(): g()\ndef g(): f()\n")
    shown = workspace.hitsave("graph", "--all", "m:f")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["m:f", "└──", "└──"]


# -- forms --------------------------------------------------------------------------------------


def test_json_is_data_alone_on_stdout(project):
    project.write("letters.py", "def lower(:\n")
    done = project.hitsave("graph", "--json", "analysis.py:top")
    answer = json.loads(done.out)
    symbols = {node["symbol"]: node for node in answer["nodes"]}
    assert answer["roots"] == ["analysis:top"]
    assert {end for edge in answer["edges"] for end in (edge["from"], edge["to"])} <= set(symbols)
    assert symbols["analysis:top"]["memoised"]
    assert symbols["analysis:top"]["place"]["line"] == 7
    assert set(symbols["letters"]["facets"]) == {"content"}
    assert bytes.fromhex(symbols["text:words"]["facets"]["body"])
    assert "letters: the source cannot be parsed" in answer["notes"][0]


def test_dot_quotes_every_name(project):
    shown = project.hitsave("graph", "--format", "dot", "analysis.py").out
    assert shown.startswith("digraph hitsave {\n")
    assert '  "analysis:top" -> "text:words" [tooltip="named in"];\n' in shown
    symbol = Symbol("m", 'a"b\\')
    node = Node(symbol, (), Place("", 0, 0), "", False)
    dot = render.as_dot(Graph("m", (symbol,), (node,), (), (), False))
    assert r'  "m:a\"b\\" [label="m:a\"b\\", penwidth=2];' in dot.splitlines()


@pytest.mark.parametrize("settings", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {}])
def test_colour_is_for_terminals_that_want_it(project, settings):
    parent, child = pty.openpty()
    environment = {**project.environment, "TERM": "xterm-256color", **settings}
    command = [sys.executable, "-m", "hitsave", "graph", "letters"]
    with subprocess.Popen(command, cwd=project.root, env=environment, stdout=child) as process:
        os.close(child)
        shown = b"".join(iter(lambda: _read(parent), b""))
        os.close(parent)
    assert process.returncode == 0
    assert b"letters:lower" in shown
    assert (b"\x1b[" in shown) == (not settings)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1000)
    except OSError:  # how a terminal says that nobody writes to it any more
        return b""


def test_colour_changes_no_word():
    pieces = [[render.Piece("a [b]", "dim"), render.Piece(" = [1, 2] :smile:", "bold")]]
    script = (
        "from hitsave.cli import render\nimport sys\n"
        "render.is_coloured = lambda: True\n"
        f"render.show({[[tuple(piece) for piece in line] for line in pieces]!r}"
        " and [[render.Piece(*piece) for piece in line] for line in "
        f"{[[tuple(piece) for piece in line] for line in pieces]!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    )
    assert re.sub(r"\x1b\[[0-9;]*m", "", done.stdout) == "a [b] = [1, 2] :smile:\n"


def test_a_stdout_that_knows_only_ascii_will_do(project):
    done = project.hitsave("graph", "analysis.py", PYTHONIOENCODING="ascii")
    assert done.code == 0
    assert "text:words" in done.out


def test_a_reader_that_goes_away_gets_no_traceback(project):
    project.write("many.py", "".join(f"def f{n}(): pass\n" for n in range(4000)))
    process = subprocess.Popen(
        [sys.executable, "-m", "hitsave", "graph", "many"],
        cwd=project.root,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


# -- the other questions ------------------------------------------------------------------------


def test_reverse_shows_what_depends_on_the_target(project):
    shown = project.hitsave("graph", "--reverse", "letters.py:lower").out.splitlines()
    assert shown[0].startswith("letters:lower ")
    assert shown[1].startswith("└── text:words ")
    assert shown[1].endswith("(it is named in this, line 4)")
    assert any("analysis:top" in line and "memoised" in line for line in shown)
    assert not any("analysis:other" in line for line in shown)


def test_why_shows_the_references_from_one_to_the_other(project):
    done = project.hitsave("graph", "--why", "analysis.py", "letters:lower")
    assert done == (
        0,
        "analysis:top\n"
        "  → text:words  (named in it, line 9)\n"
        "  → letters:lower  (named in it, line 4)\n",
        "",
    )
    answer = json.loads(
        project.hitsave("graph", "--json", "--why", "analysis.py", "letters.py").out
    )
    assert answer["path"] == ["analysis:top", "text:words", "letters:lower"]


@pytest.mark.parametrize("end", ["text:unused", "analysis:other", "json", "pytest"])
def test_why_says_so_where_there_is_no_path(project, end):
    done = project.hitsave("graph", "--why", "analysis:top", end)
    assert done == (1, f"analysis:top does not depend on {end}.\n", "")
    done = project.hitsave("graph", "--json", "--why", "analysis:top", end)
    assert done.code == 1
    assert json.loads(done.out)["path"] == []


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("anlysis.py", "anlysis.py is not a file.", "did you mean analysis.py?"),
        ("none/a.py", "none/a.py is not a file.", ""),
        ("anlysis", "the project has no module 'anlysis'.", "did you mean analysis?"),
        ("text.words", "the project has no module 'text.words'.", "did you mean text:words?"),
        ("text:wrods", "text has no 'wrods'.", "did you mean text:words?"),
        ("text.py:wrods.x", "text has no 'wrods.x'.", "did you mean text:words?"),
        ("text:len", "text has no 'len'.", ""),
        ("json", "json is not project code: it counts by its version.", "name a module or a s"),
        (":f", "':f' names no module.", "write module:name or script.py:name"),
    ],
)
def test_a_target_that_names_nothing_is_told_with_the_nearest(project, target, message, hint):
    done = project.hitsave("graph", target)
    assert (done.code, done.out) == (1, "")
    first, *rest = done.err.splitlines()
    assert first == f"hitsave: {message}"
    assert "".join(rest).startswith(f"  hint: {hint}" if hint else "")
    assert bool(rest) == bool(hint)


def test_a_target_that_cannot_be_parsed_is_told_with_its_line(project):
    path = project.write("broken.py", "x = 1\ndef f(:\n")
    for target in ("broken.py", "broken", "broken:f"):
        done = project.hitsave("graph", target)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"hitsave: {path}:2: ")
        assert "Traceback" not in done.err


def test_a_dependency_that_cannot_be_parsed_is_noted_once(project):
    project.write("text.py", "def words(:\n")
    done = project.hitsave("graph", "analysis.py")
    assert done.code == 0
    assert "text  content" in done.out
    assert done.err.count("cannot be parsed") == 1
    assert "HitsaveWarning" not in done.err


def test_warnings_name_no_file_of_hitsaves(project):
    project.write("pyproject.toml", "[tool.hitsave]\nmood = 'use'\n")
    done = project.hitsave("graph", "text", HITSAVE_HOME=str(project.root / "text.py"))
    assert done.code == 0
    first, hint, *_ = done.err.splitlines()
    assert first.startswith(f"hitsave: warning: {project.root / 'pyproject.toml'} has an unknown")
    assert hint == "  hint: did you mean 'mode'?"
    assert "HitsaveWarning" not in done.err


@pytest.mark.parametrize(
    "words", [["graph"], ["graph", "--format", "png", "text"], ["graph", "--why", "text"], ["grph"]]
)
def test_wrong_usage_is_exit_code_2(project, words):
    done = project.hitsave(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err
    assert "Traceback" not in done.err


def test_the_version_and_the_help_are_given(workspace):
    version = workspace.hitsave("--version")
    assert re.fullmatch(r"hitsave \d+\.\d+\.\d+\n", version.out)
    shown = workspace.hitsave("--help")
    assert (version.code, shown.code) == (0, 0)
    assert {"run", "graph", "demo"} <= set(shown.out.split())
    for command in ("run", "graph", "demo"):
        done = workspace.hitsave(command, "--help")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"Usage: hitsave {command} ")
