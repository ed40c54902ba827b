"""What was read before the call, and is left in a value that does not show it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOCKED = """
import threading

class Words:
    def __init__(self, words=()):
        self.words = list(words)
        self.lock = threading.Lock()  # so that it has no digest
        self.known = {}

    def load(self, path):
        self.words += open(path).read().split()

    def get(self, path):
        if path not in self.known:
            self.known[path] = open(path).read().split()
        return self.known[path]

    def __len__(self):
        return len(self.words)
"""
COUNT = "len(tables.WORDS)"

HOLDERS = {
    "an object without a digest": LOCKED + "WORDS = Words(open('data.txt').read().split())\n",
    "read a line above": LOCKED + "text = open('data.txt').read()\nWORDS = Words(text.split())\n",
    "of a file that is open": LOCKED
    + "file = open('data.txt')\nWORDS = Words(line for text in file for line in text.split())\n",
    "under a compound statement": LOCKED
    + "with open('data.txt') as file:\n    WORDS = Words(file.read().split())\n",
    "filled by a statement": LOCKED + "WORDS = Words()\nWORDS.load('data.txt')\n",
    "filled by a function": LOCKED
    + "WORDS = Words()\ndef fill():\n    WORDS.load('data.txt')\nfill()\n",
    "bound by a function": LOCKED
    + "def fill():\n    global WORDS\n    text = open('data.txt').read()\n"
    + "    WORDS = Words(text.split())\nfill()\n",
    "in a class": LOCKED
    + "class Tables:\n    words = Words(open('data.txt').read().split())\nWORDS = Tables.words\n",
    "by a helper of another module": LOCKED
    + "from helper import read\nWORDS = Words(read('data.txt').split())\n",
    "through a link that it made": LOCKED
    + "import os, tempfile\nfolder = tempfile.mkdtemp()\n"
    + "os.symlink(os.path.abspath('data.txt'), folder + '/link')\n"
    + "WORDS = Words(open(folder + '/link').read().split())\n",
    "through another name": LOCKED
    + "import os, tempfile\nfolder = tempfile.mkdtemp()\n"
    + "os.link('data.txt', folder + '/name')\n"
    + "WORDS = Words(open(folder + '/name').read().split())\n",
    "as a default": LOCKED
    + "def count(words=Words(open('data.txt').read().split())):\n    return len(words)\n"
    + "class Own:\n    def __len__(self): return count()\nWORDS = Own()\n",
    "in a cell": LOCKED
    + "def make(path):\n    words = Words(open(path).read().split())\n"
    + "    class Own:\n        def __len__(self): return len(words)\n    return Own\n"
    + "WORDS = make('data.txt')()\n",
    "a list that the call extends": "WORDS = open('data.txt').read().split()\n",
    "a function with a cache": "from functools import lru_cache\n"
    + "@lru_cache\ndef words(): return open('data.txt').read().split()\n"
    + "words()\nclass Own:\n    def __len__(self): return len(words())\nWORDS = Own()\n",
    "a method with a cache of its own": LOCKED
    + "LOADER = Words()\nLOADER.get('data.txt')\n"
    + "class Own:\n    def __len__(self): return len(LOADER.get('data.txt'))\nWORDS = Own()\n",
    "a decorator that keeps results": "def kept(function):\n    known = {}\n"
    + "    def inner(*args):\n        if args not in known:\n"
    + "            known[args] = function(*args)\n        return known[args]\n    return inner\n"
    + "@kept\ndef words(path): return open(path).read().split()\n"
    + "words('data.txt')\nclass Own:\n    def __len__(self):\n"
    + "        words(0) if False else None\n        return len(words('data.txt'))\nWORDS = Own()\n",
}

SCRIPT = """
from hitsave import memo
{before}
import tables

@memo
def total(x):
    print("ran", end=" ")
    result = {count}
    {after}
    return result

print(total(1), end="")
"""

Program = Callable[..., str]


@pytest.fixture
def program(run: Any, tmp_path: Path) -> Program:
    """Write `tables.py`, run a script that counts what is in it, and return what that printed."""
    folder = tmp_path / "project"
    (folder / "helper.py").write_text("def read(path): return open(path).read()\n")

    def program(
        tables: str,
        count: str = COUNT,
        before: str = "",
        after: str = "",
        words: tuple[str, ...] = (),
        **environment: str,
    ) -> str:
        (folder / "tables.py").write_text(tables)
        script = SCRIPT.format(count=count, before=before, after=after)
        return run(script, *words, **environment).stdout

    return program


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "data.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("a b")
    return path


@pytest.mark.parametrize("how", HOLDERS)
def test_a_file_that_was_read_before_the_call(program: Program, data: Path, how: str) -> None:
    extends = "tables.WORDS.append('x')" if how.startswith("a list") else ""
    assert [program(HOLDERS[how], after=extends) for _ in range(2)] == ["ran 2", "2"]
    data.write_text("a b c")
    assert [program(HOLDERS[how], after=extends) for _ in range(2)] == ["ran 3", "3"]
    data.with_name("other.txt").write_text("")
    data.touch()
    assert program(HOLDERS[how], after=extends) == "3"
    data.write_text("a b")
    assert program(HOLDERS[how], after=extends) == "2"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 does not tell of such questions")
@pytest.mark.parametrize("at_first", [True, False])
def test_a_file_that_may_be_there(program: Program, data: Path, at_first: bool) -> None:
    tables = LOCKED + (
        "import os\n"
        "WORDS = Words(open('data.txt').read().split() if os.path.exists('data.txt') else [])\n"
    )
    if not at_first:
        data.unlink()
    assert [program(tables) for _ in range(2)] == [f"ran {2 * at_first}", f"{2 * at_first}"]
    if at_first:
        data.unlink()
    else:
        data.write_text("a b")
    assert program(tables) == f"ran {2 * (not at_first)}"


def test_a_file_that_is_opened_to_see_whether_it_is_there(program: Program, data: Path) -> None:
    tables = LOCKED + (
        "try:\n    WORDS = Words(open('data.txt').read().split())\n"
        "except OSError:\n    WORDS = Words()\n"
    )
    data.unlink()
    assert [program(tables) for _ in range(2)] == ["ran 0", "0"]
    data.write_text("a b")
    assert program(tables) == "ran 2"


def test_a_folder(program: Program, data: Path) -> None:
    tables = LOCKED + "import os\nWORDS = Words(os.listdir('names'))\n"
    data.with_name("names").mkdir()
    assert [program(tables) for _ in range(2)] == ["ran 0", "0"]
    (data.with_name("names") / "one").write_text("")
    assert program(tables) == "ran 1"


@pytest.mark.parametrize("read", ["environ['MODE']", "getenv('MODE')", "environb[b'MODE']"])
def test_a_variable(program: Program, read: str) -> None:
    tables = LOCKED + f"import os\nWORDS = Words(os.{read})\n"
    assert [program(tables, MODE="fast") for _ in range(2)] == ["ran 4", "4"]
    assert [program(tables, MODE="slower") for _ in range(2)] == ["ran 6", "6"]
    assert program(tables, MODE="fast", OTHER="1") == "4"


def test_a_variable_that_the_program_sets_itself(program: Program) -> None:
    tables = LOCKED + "import os\nos.environ['MODE'] = 'abc'\nWORDS = Words(os.environ['MODE'])\n"
    assert [program(tables, MODE=mode) for mode in ("x", "y")] == ["ran 3", "3"]


def test_a_file_that_the_program_writes_itself(program: Program, data: Path) -> None:
    tables = LOCKED + (
        "with open('made.txt', 'w') as file: file.write('a b c')\n"
        "WORDS = Words(open('made.txt').read().split())\n"
    )
    assert program(tables) == "ran 3"
    data.with_name("made.txt").write_text("something else")
    assert program(tables) == "3"


def test_a_copy_that_the_program_makes(program: Program, data: Path) -> None:
    tables = LOCKED + (
        "import shutil\nshutil.copy('data.txt', 'copy.txt')\n"
        "WORDS = Words(open('copy.txt').read().split())\n"
    )
    assert [program(tables) for _ in range(2)] == ["ran 2", "2"]
    data.write_text("a b c")
    assert program(tables) == "ran 3"


def test_a_temporary_file_of_another_name_each_time(program: Program) -> None:
    tables = LOCKED + (
        "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as file:\n"
        "    file.write('a b c'); file.flush()\n"
        "    WORDS = Words(open(file.name).read().split())\n"
    )
    assert [program(tables) for _ in range(2)] == ["ran 3", "3"]


def test_a_file_that_is_read_twice_and_changes_in_between(program: Program, data: Path) -> None:
    twice = LOCKED + (
        "import subprocess\nfirst = open('data.txt').read()\n"
        "subprocess.run('echo a b c > data.txt', shell=True)\n"
        "WORDS = Words(open('data.txt').read().split())\n"
    )
    assert program(twice) == "ran 3"
    data.write_text("a b")
    once = twice.replace("echo a b c >", "true ||")
    assert program(once) == "ran 2"
    data.write_text("a b")
    assert program(twice) == "ran 3"


@pytest.mark.parametrize(
    "fill",
    [
        "tables.WORDS = tables.Words(open('data.txt').read().split())",
        "def fill():\n    tables.WORDS = tables.Words(open('data.txt').read().split())\nfill()",
        "setattr(tables, 'WORDS', tables.Words(open('data.txt').read().split()))",
        "vars(tables)['WORDS'] = tables.Words(open('data.txt').read().split())",
        "tables.WORDS.words = open('data.txt').read().split()",
        "words = tables.WORDS\nwords.load('data.txt')",
        "from tables import WORDS as w\nw.load('data.txt')",
        "class Loader:\n    def __init__(self): tables.WORDS.load('data.txt')\nLoader()",
        "for path in ['data.txt']:\n    tables.WORDS.load(path)",
        "[tables.WORDS.load(path) for path in ['data.txt']]",
        "list(map(tables.WORDS.load, ['data.txt']))",
    ],
)
@pytest.mark.parametrize("where", ["the main program", "a module"])
def test_a_value_that_another_module_fills(
    program: Program, data: Path, fill: str, where: str
) -> None:
    if where == "a module":
        data.with_name("filling.py").write_text(f"import tables\n{fill}\n")
        fill = "import filling"
    tables, before = LOCKED + "WORDS = Words()\n", f"import tables\n{fill}"
    assert [program(tables, before=before) for _ in range(2)] == ["ran 2", "2"]
    data.write_text("a b c")
    assert [program(tables, before=before) for _ in range(2)] == ["ran 3", "3"]


def test_a_file_that_changes_while_the_program_runs(program: Program, data: Path) -> None:
    tables = LOCKED + "WORDS = Words(open('data.txt').read().split())\n"
    # As an editor does it: not the program's own doing.
    edit = "import subprocess; subprocess.run('echo a b c > data.txt', shell=True)"
    assert program(tables, after=edit) == "ran 2"
    data.write_text("a b")
    # What the value was made from was not known any more when it was recorded.
    assert program(tables) == "ran 2"
    assert program(tables) == "2"
    data.write_text("a b c")
    assert program(tables) == "ran 3"


def test_a_logger_holds_nothing(program: Program, data: Path) -> None:
    tables = (
        "import logging, threading\nlog, lock = logging.getLogger(), threading.Lock()\n"
        "def words(path):\n    with lock:\n        log.info(path)\n"
        "        return open(path).read().split()\n"
        "first = len(words('data.txt')) * 0\n"
    )
    data.with_name("more.txt").write_text("a b c")
    count = "len(tables.words('more.txt')) + tables.first"
    assert [program(tables, count) for _ in range(2)] == ["ran 3", "3"]
    data.write_text("a b c d e")
    assert program(tables, count) == "3"


def test_what_another_function_of_the_module_read_is_its_own_affair(
    program: Program, data: Path
) -> None:
    tables = LOCKED + "WORDS = Words('abc')\nOTHER = Words(open('data.txt').read())\n"
    assert [program(tables) for _ in range(2)] == ["ran 3", "3"]
    data.write_text("a b c d e")
    assert program(tables) == "3"


def test_calls_that_read_a_file_each(run: Any, tmp_path: Path) -> None:
    script = """
        from hitsave import memo

        def read(path):
            with open(path) as file:
                return file.read()

        @memo
        def load(path):
            print("ran", path)
            return read(path)

        for name in "abcd":
            load(name + ".txt")
    """
    for name in "abcd":
        (tmp_path / "project" / f"{name}.txt").write_text(name)
    assert run(script).stdout.count("ran") == 4
    assert run(script).stdout == ""
    (tmp_path / "project" / "b.txt").write_text("new")
    assert run(script).stdout.split() == ["ran", "b.txt"]
    assert run(script).stdout == ""


def test_a_module_that_an_earlier_call_loaded(run: Any, data: Path) -> None:
    data.with_name("tables.py").write_text(
        LOCKED + "WORDS = Words(open('data.txt').read().split())\n"
    )
    script = """
        from hitsave import memo

        @memo
        def first():
            import tables
            return len(tables.WORDS)

        @memo
        def second():
            import tables
            print("ran", end=" ")
            return len(tables.WORDS) * 10

        print(first(), second())
    """
    assert [run(script).stdout for _ in range(2)] == ["ran 2 20\n", "2 20\n"]
    data.write_text("a b c")
    assert [run(script).stdout for _ in range(2)] == ["ran 3 30\n", "3 30\n"]


def test_an_explanation_names_the_file_and_the_value(
    run: Any, program: Program, data: Path
) -> None:
    tables = LOCKED + "WORDS = Words(open('data.txt').read().split())\n"
    assert program(tables) == "ran 2"
    data.write_text("a b c")
    script = SCRIPT.format(count=COUNT, before="", after="") + "print(total.explain(1))\n"
    script = script.replace("print(total(1)", "#")
    said = run(script).stdout
    assert "data.txt" in said
    assert "tables:WORDS" in said
    assert "-a b" in said
    assert "+a b c" in said


REGISTRY = """
class Names(dict):
    def named(self, name):
        return self.setdefault(name, [name])

CONFIG = {"factor": 1}
TABLE = Names(config=CONFIG)
named = TABLE.named
"""
USER = """
import os, sys
from hitsave import memo
from registry import CONFIG, TABLE, named
import registry

CONFIG["factor"] = int(os.environ.get("FACTOR", "1"))

@memo
def f(x):
    print("ran", end=" ")
    return named(f"name {x}"), len(registry.TABLE) > 0, registry.CONFIG["factor"]

for x in os.environ["CALLS"]:
    f(x)
"""


def test_what_an_evaluation_fills_is_state_by_whatever_name_it_goes(
    run: Any, tmp_path: Path
) -> None:
    (tmp_path / "project" / "registry.py").write_text(REGISTRY)
    assert run(USER, CALLS="abc").stdout == "ran ran ran "
    assert run(USER, CALLS="b").stdout == ""
    assert run(USER, CALLS="cad").stdout == "ran "


def test_what_is_in_a_table_that_an_evaluation_fills_goes_on_counting(
    run: Any, tmp_path: Path
) -> None:
    (tmp_path / "project" / "registry.py").write_text(REGISTRY)
    assert run(USER, CALLS="ab").stdout == "ran ran "
    assert run(USER, CALLS="ab", FACTOR="2").stdout == "ran ran "
    assert run(USER, CALLS="ba").stdout == ""


@pytest.mark.parametrize("files", [20, 40], ids=["few", "more than are kept"])
def test_more_files_than_are_kept_are_never_taken_for_unchanged(trial: Any, files: int) -> None:
    for number in range(files):
        (trial.folder / f"{number:03}.txt").write_text("1")
    (trial.folder / "tables.py").write_text(
        LOCKED + "def words():\n"
        f"    for number in range({files}):\n"
        "        yield from open(f'{number:03}.txt').read().split()\n"
        "WORDS = Words(words())\n"
    )
    # As if it had been built so: the true number would take as many files.
    few = "import sys, hitsave\nsys.modules['hitsave.observe.journal'].MOST = 30\n"
    program = trial.program("return len(tables.WORDS)")
    before = few + "import tables"
    assert trial.run(program, before)[:2] == (f"answer {files}", 1)
    # What cannot be told to be unchanged is computed again, and what can is not.
    assert trial.run(program, before)[:2] == (f"answer {files}", int(files > 30))
    (trial.folder / f"{files - 1:03}.txt").write_text("1 2 3")
    assert trial.run(program, before)[:2] == (f"answer {files + 2}", 1)
