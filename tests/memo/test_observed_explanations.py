"""Explanations of what only observation leads to: what changed, how it was reached, from where."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

PROGRAM = """\
import importlib
import os
from pathlib import Path

from hitsave import memo
{imports}


{body}

print(f.explain(3))
f(3)
"""
Explained = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], None]:
    """Write a file of the project."""

    def write(name: str, text: str) -> None:
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    return write


@pytest.fixture
def explained(run: Any) -> Explained:
    """Run a program around `f` in a fresh process; returns its explanation of `f(3)`."""

    def explained(body: str, imports: str = "", **environment: str) -> str:
        program = PROGRAM.format(imports=imports, body=dedent(body).strip())
        done = run(program, **environment)
        assert done.stderr == ""
        return str(done.stdout)

    return explained


LOADED = """
def load(name):
    return importlib.import_module("plug_" + name)

@memo
def f(x):
    return load("a").run(x)
"""


def test_a_plug_in_loaded_by_a_computed_name(explained: Explained, write: Any) -> None:
    write("plug_a.py", "def run(x):\n    return x + 1\n")
    explained(LOADED)
    write("plug_a.py", "def run(x):\n    return x + 2\n")
    said = explained(LOADED)
    assert "miss: plug_a:run (body) changed" in said
    assert "plug_a.py:1, ran during the call, called from script:f at line 14" in said
    assert "-    return x + 1\n    +    return x + 2" in said


def test_a_plug_in_that_is_gone(explained: Explained, write: Any, tmp_path: Path) -> None:
    guarded = LOADED.replace("    return load", "    if x > 5: return load")
    write("plug_a.py", "def run(x):\n    return x + 1\n")
    body = guarded.replace("x > 5", "importlib.util.find_spec('plug_a')")
    explained(body, "import importlib.util")
    (tmp_path / "project" / "plug_a.py").unlink()
    said = explained(body, "import importlib.util")
    assert "plug_a (import) changed (imported by a computed name in script:" in said


def test_an_attribute_of_a_computed_name(explained: Explained, write: Any) -> None:
    body = """
        @memo
        def f(x):
            return getattr(steps, "step_" + "up")(x)
    """
    write("steps.py", "def step_up(x):\n    return x + 1\n")
    explained(body, "import steps")
    write("steps.py", "def step_up(x):\n    return x + 2\n")
    said = explained(body, "import steps")
    assert "miss: steps:step_up (body) changed" in said
    assert "steps.py:1" in said
    assert "script:f at line 11" in said


def test_a_handler_of_a_registry(explained: Explained, write: Any) -> None:
    body = """
        @memo
        def f(x):
            return REGISTRY["up"](x)
    """
    text = """
        REGISTRY = {{}}
        def handler(function):
            REGISTRY[function.__name__] = function
            return function
        @handler
        def up(x):
            return x + {amount}
    """
    write("handlers.py", text.format(amount=1))
    explained(body, "from handlers import REGISTRY")
    write("handlers.py", text.format(amount=2))
    said = explained(body, "from handlers import REGISTRY")
    assert "miss: handlers:up (body) changed" in said
    assert "handlers.py:6" in said
    assert "-    return x + 1\n    +    return x + 2" in said


READ = """
def load(name):
    return Path(name).read_text()

@memo
def f(x):
    return load("data" + ".txt") * x
"""


def test_a_file(explained: Explained, write: Any) -> None:
    write("data.txt", "one\n")
    explained(READ)
    write("data.txt", "two\n")
    said = explained(READ)
    assert "miss: data.txt (file) changed" in said
    assert "data.txt, read by script:load at line 10" in said
    assert "-one\n    +two" in said


def test_a_file_that_is_gone(explained: Explained, write: Any, tmp_path: Path) -> None:
    body = READ.replace("return Path", "return os.path.exists(name) and Path")
    write("data.txt", "one\n")
    explained(body)
    (tmp_path / "project" / "data.txt").unlink()
    said = explained(body)
    assert "data.txt (file) changed" in said
    assert "data.txt, read by script:load at line 10" in said
    assert "data.txt (presence) changed" in said
    assert "data.txt, asked about by script:load at line 10" in said
    assert "-one" in said


def test_a_file_that_changed_while_the_call_ran(explained: Explained, write: Any) -> None:
    """What stood there when the result was recorded is not what was read, and is not shown."""
    body = """
        @memo
        def f(x):
            found = Path("data.txt").read_text()
            Path("data.txt").write_text("later")
            return found * x
    """
    write("data.txt", "one\n")
    explained(body)
    write("data.txt", "two\n")
    said = explained(body)
    assert "data.txt, read by script:f at line 11" in said
    assert "+two" in said
    assert "later" not in said


def test_a_large_file_is_named_and_not_shown(explained: Explained, write: Any) -> None:
    write("data.txt", "one" * 50_000)
    explained(READ)
    write("data.txt", "two" * 50_000)
    said = explained(READ)
    assert "data.txt, read by script:load at line 10" in said
    assert "twotwo" not in said


def test_a_listing(explained: Explained, write: Any) -> None:
    body = """
        @memo
        def f(x):
            return len(os.listdir("parts")) * x
    """
    write("parts/one.txt", "")
    explained(body)
    write("parts/two.txt", "")
    said = explained(body)
    assert "miss: parts (listing) changed" in said
    assert "listed by script:f at line 11" in said


def test_a_path_that_was_asked_about(explained: Explained, write: Any) -> None:
    body = """
        @memo
        def f(x):
            return os.path.exists("flag") * x
    """
    explained(body)
    write("flag", "")
    said = explained(body)
    assert "miss: flag (presence) changed" in said
    assert "asked about by script:f at line 11" in said


VARIABLE = """
def token():
    return os.environ.get("HS_TOKEN", "")

@memo
def f(x):
    return len(token()) * x
"""


def test_a_variable_is_named_and_its_value_never_shown(explained: Explained) -> None:
    """It may be a password."""
    explained(VARIABLE, HS_TOKEN="s3cr3t-one")
    said = explained(VARIABLE, HS_TOKEN="s3cr3t-the-other")
    assert "miss: HS_TOKEN (variable) changed" in said
    assert "read by script:token at line 10" in said
    assert "s3cr3t" not in said


def test_the_value_of_a_variable_is_never_stored(explained: Explained, home: Path) -> None:
    secret = b"s3cr3t-of-the-environment"
    explained(VARIABLE, HS_TOKEN=secret.decode())
    explained(VARIABLE, HS_TOKEN="another")
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(b"HS_TOKEN" in path.read_bytes() for path in files)
    assert not any(secret in path.read_bytes() for path in files)


def test_what_a_recorded_result_inside_depends_on(explained: Explained, write: Any) -> None:
    body = """
        @memo
        def inner(x):
            return getattr(steps, "step_" + "up")(x)

        @memo
        def f(x):
            return inner(x) * 2

        inner(3)
    """
    write("steps.py", "def step_up(x):\n    return x + 1\n")
    explained(body, "import steps")
    write("steps.py", "def step_up(x):\n    return x + 2\n")
    said = explained(body, "import steps")
    assert "miss: steps:step_up (body) changed" in said
    assert "steps.py:1" in said
    assert "script:inner" in said


def test_the_same_call_hits_as_long_as_nothing_changed(explained: Explained, write: Any) -> None:
    write("plug_a.py", "def run(x):\n    return x + 1\n")
    assert "miss: it has no earlier call" in explained(LOADED)
    assert "hit: recorded on" in explained(LOADED)
