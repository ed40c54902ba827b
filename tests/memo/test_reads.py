"""What a call reads from outside the code: files, folders, variables, modules that come and go."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

READ = """
    try:
        return Path("data.txt").read_text()
    except OSError as error:
        return type(error).__name__
"""


def test_a_file_its_absence_and_a_folder_in_its_place(trial: Any) -> None:
    program, data = trial.program(READ), trial.folder / "data.txt"
    changes: list[Callable[[], object]] = [
        lambda: data.write_text("one"),
        lambda: data.write_text("two"),
        data.unlink,
        data.mkdir,
    ]
    answers = ["answer one", "answer two", "answer FileNotFoundError", "answer IsADirectoryError"]
    for change, answer in zip(changes, answers, strict=True):
        change()
        assert trial.run(program)[:2] == (answer, 1)
        assert trial.run(program)[:2] == (answer, 0)
    data.rmdir()
    assert trial.run(program)[:2] == ("answer FileNotFoundError", 0)
    data.write_text("one")
    assert trial.run(program)[:2] == ("answer one", 0)


def test_what_the_call_wrote_itself_is_not_what_it_read(trial: Any) -> None:
    program = trial.program("""
        Path("out").mkdir(exist_ok=True)
        Path("out/note.txt").write_text(str(step(x)))
        return Path("out/note.txt").read_text()
    """)
    assert trial.run(program)[:2] == ("answer 4", 1)
    (trial.folder / "out" / "note.txt").write_text("something else")
    assert trial.run(program)[:2] == ("answer 4", 0)


def test_a_file_that_changes_in_the_middle_of_the_call(trial: Any) -> None:
    program = trial.program("""
        found = Path("data.txt").read_text()
        Path("data.txt").write_text("two")
        return found
    """)
    (trial.folder / "data.txt").write_text("one")
    assert trial.run(program)[:2] == ("answer one", 1)
    assert trial.run(program)[:2] == ("answer two", 1)
    (trial.folder / "data.txt").write_text("one")
    assert trial.run(program)[:2] == ("answer one", 0)


def test_a_file_that_another_process_changes_in_the_middle_of_the_call(trial: Any) -> None:
    program = trial.program("""
        found = Path("data.txt").read_text()
        os.system("printf two > data.txt")
        return found + Path("data.txt").read_text()
    """)
    (trial.folder / "data.txt").write_text("one")
    assert trial.run(program).answer == "answer onetwo"
    assert trial.run(program).answer == "answer twotwo"


def test_a_variable_that_is_set_changed_and_taken_away(trial: Any) -> None:
    program = trial.program("return os.environ.get('HS_RATE', 'none')")
    assert trial.run(program)[:2] == ("answer none", 1)
    assert trial.run(program, HS_OTHER="1")[:2] == ("answer none", 0)
    assert trial.run(program, HS_RATE="1")[:2] == ("answer 1", 1)
    assert trial.run(program, HS_RATE="2")[:2] == ("answer 2", 1)
    assert trial.run(program, HS_RATE="1")[:2] == ("answer 1", 0)
    assert trial.run(program)[:2] == ("answer none", 0)


@pytest.mark.parametrize(
    "read",
    [
        *("os.getenv('HS_RATE')", "'HS_RATE' in os.environ", "os.environb.get(b'HS_RATE')"),
    ],
)
def test_a_variable_however_it_is_read(trial: Any, read: str) -> None:
    program = trial.program(f"return {read}")
    for environment in ({}, {"HS_RATE": "1"}):
        truth = trial.run(program, plain=True, **environment).answer
        assert trial.run(program, **environment).answer == truth


def test_a_listing(trial: Any) -> None:
    program = trial.program("return sorted(os.listdir('parts'))")
    (trial.folder / "parts").mkdir()
    (trial.folder / "parts" / "a").touch()
    assert trial.run(program)[:2] == ("answer ['a']", 1)
    (trial.folder / "parts" / "a").write_text("more")
    assert trial.run(program)[:2] == ("answer ['a']", 0)
    (trial.folder / "parts" / "b").touch()
    assert trial.run(program)[:2] == ("answer ['a', 'b']", 1)


def test_what_was_read_in_one_checkout_is_found_in_another(trial: Any, run: Any) -> None:
    body = "return Path('data.txt').read_text(), os.listdir('parts'), os.path.exists('gone')"
    (trial.folder / "parts").mkdir()
    (trial.folder / "data.txt").write_text("one")
    assert trial.run(trial.program(body)).ran == 1
    shutil.copytree(trial.folder, trial.folder.with_name("other"))
    there = "os.chdir('../other')\nos.execv(sys.executable, [sys.executable, 'script.py'])"
    again = run(f"import os, sys\n{there}\n")
    assert again.stdout == "answer ('one', [], False)\n"


# -- modules that come and go -------------------------------------------------------------------

ASKED = """
    try:
        return importlib.import_module("ex" + "tra").run(x)
    except (ImportError, AttributeError) as error:
        return type(error).__name__
"""


def _removed(folder: Path) -> None:
    (folder / "extra.py").unlink()


def _renamed(folder: Path) -> None:
    (folder / "extra.py").rename(folder / "other.py")


def _folder(folder: Path) -> None:
    (folder / "extra.py").unlink()
    (folder / "extra.py").mkdir()


def _package(folder: Path) -> None:
    (folder / "extra.py").unlink()
    (folder / "extra").mkdir()
    (folder / "extra" / "__init__.py").write_text("def run(x):\n    return -x\n")


def _beside(folder: Path) -> None:
    (folder / "extra").mkdir()
    (folder / "extra" / "__init__.py").write_text("def run(x):\n    return -x\n")


@pytest.mark.parametrize("change", [_removed, _renamed, _folder, _package, _beside])
def test_a_module_that_is_gone_or_is_another(trial: Any, change: Callable[[Path], None]) -> None:
    program = trial.program(ASKED)
    extra = "def run(x):\n    return step(x)\ndef step(x):\n    return x + 1\n"
    (trial.folder / "extra.py").write_text(extra)
    assert trial.run(program)[:2] == ("answer 4", 1)
    assert trial.run(program)[:2] == ("answer 4", 0)
    change(trial.folder)
    truth = trial.run(program, plain=True).answer
    assert trial.run(program)[:2] == (truth, 1)
    assert trial.run(program)[:2] == (truth, 0)


TWO = """
import importlib.util

def load(folder):
    spec = importlib.util.spec_from_file_location("plug", folder + "/plug.py")
    module = importlib.util.module_from_spec(spec)
    {register}
    spec.loader.exec_module(module)
    return module
"""


@pytest.mark.parametrize("register", ["", "sys.modules['plug'] = module"])
@pytest.mark.parametrize("read", [".run()", ".RATE", ".Rate().rate()", ".TABLE['rate']"])
def test_two_modules_of_one_name(trial: Any, read: str, register: str) -> None:
    for name in ("one", "two"):
        (trial.folder / name).mkdir()

    def write(name: str, rate: int) -> None:
        (trial.folder / name / "plug.py").write_text(
            f"RATE = {rate}\nTABLE = {{'rate': {rate}}}\ndef run():\n    return {rate}\n"
            f"class Rate:\n    def rate(self):\n        return {rate}\n"
        )

    main = "A, B = load('one'), load('two')\nprint('answer', f(3))"
    program = TWO.format(register=register) + trial.program(f"return A{read}, B{read}", main)
    write("one", 1)
    write("two", 10)
    assert trial.run(program)[:2] == ("answer (1, 10)", 1)
    assert trial.run(program)[:2] == ("answer (1, 10)", 0)
    write("one", 5)
    truth = trial.run(program, plain=True).answer
    assert trial.run(program)[:2] == (truth, 1)
