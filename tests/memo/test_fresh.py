"""Globals that have another value in every process: told from those that somebody changed."""

from pathlib import Path

import pytest

SCRIPT = """
import os, sys
sys.argv += os.environ.get("ARGUMENTS", "").split()
from hitsave import memo
import tables

@memo
def total(x):
    print("ran")
    return x + sum(tables.TABLE.values()){more}

print(total(1))
"""
TABLE = "NAMES = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}\nTABLE = {name: 1 for name in NAMES}\n"


@pytest.fixture
def outputs(run, tmp_path: Path):
    """Write a module, run the script a number of times, and return what each run printed."""

    def outputs(
        times: int, table: str, more: str = "", *words: str, **environment: str
    ) -> list[str]:
        (tmp_path / "project" / "tables.py").write_text(table)
        script = SCRIPT.replace("{more}", more)
        done = [run(script, *words, **environment) for _ in range(times)]
        return [each.stdout.replace("\n", " ").strip() for each in done]

    return outputs


def test_a_table_ordered_by_the_hash_seed(outputs) -> None:
    assert outputs(4, TABLE) == ["ran 9", "9", "9", "9"]


def test_objects_that_are_numbered_by_chance(outputs) -> None:
    table = TABLE + (
        "import random\n"
        "class Number:\n"
        "    first = random.Random().randint(0, 10**9)\n"
        "    def __init__(self): self.n = Number.first\n"
        "NUMBER = Number()\n"
    )
    assert outputs(3, table, " + 0 * tables.NUMBER.n") == ["ran 9", "9", "9"]


def test_what_is_kept_of_a_hash(outputs) -> None:
    table = TABLE + (
        "class Name:\n"
        "    def __init__(self, name): self.name, self.known = name, hash(name)\n"
        "    def __hash__(self): return self.known\n"
        "NAME = Name('x')\n"
    )
    assert outputs(3, table, " + 0 * hash(tables.NAME)") == ["ran 9", "9", "9"]


def test_an_edit_of_what_makes_such_a_table_counts_before_and_after_it_is_known(outputs) -> None:
    assert outputs(1, TABLE) == ["ran 9"]
    assert outputs(2, TABLE.replace("name: 1", "name: 2")) == ["ran 17", "17"]
    assert outputs(1, TABLE.replace("name: 1", "name: 3")) == ["ran 25"]
    helped = "def one(name): return 4\n" + TABLE.replace("name: 1", "name: one(name)")
    assert outputs(2, helped) == ["ran 33", "33"]
    assert outputs(1, helped.replace("return 4", "return 5")) == ["ran 41"]


def test_a_file_that_the_module_reads_counts_each_time_it_changes(outputs, tmp_path: Path) -> None:
    table = "import json\nTABLE = json.load(open('table.json'))\n"
    for number in (1, 2, 3, 4):
        (tmp_path / "project" / "table.json").write_text(f'{{"a": {number}}}')
        assert outputs(2, table) == [f"ran {number + 1}", str(number + 1)]


def test_a_changed_file_counts_beside_a_table_ordered_by_the_hash_seed(
    outputs, tmp_path: Path
) -> None:
    table = TABLE + "import json\nMORE = json.load(open('more.json'))\n"
    for number in (1, 2, 3):
        (tmp_path / "project" / "more.json").write_text(str(number))
        assert outputs(2, table, " + tables.MORE") == [f"ran {number + 9}", str(number + 9)]


def test_what_the_program_itself_sets_counts(outputs) -> None:
    table = "TABLE = {}\nimport sys\nmain = sys.modules['__main__']\n"
    for number in (1, 2, 3):
        more = f"\n\ntables.TABLE = {{'a': {number}}}\n"
        assert outputs(2, table, more) == [f"ran {number + 1}", str(number + 1)]


def test_a_table_ordered_by_a_hash_seed_that_the_user_sets(run, tmp_path: Path) -> None:
    (tmp_path / "project" / "tables.py").write_text(TABLE)
    script = SCRIPT.replace("{more}", "")
    printed = [run(script, PYTHONHASHSEED=seed).stdout.split() for seed in "10234"]
    assert printed == [["ran", "9"], ["9"], ["9"], ["9"], ["9"]]


def test_what_the_program_sets_counts_where_all_hash_alike(run, tmp_path: Path) -> None:
    table = TABLE + "import sys\nmain = sys.modules['__main__']\n"
    (tmp_path / "project" / "tables.py").write_text(table)
    script = SCRIPT.replace("{more}", "").replace("import tables\n", "import sys, tables\n{set}\n")
    for number in ("2", "3", "2"):
        (tmp_path / "project" / "number.txt").write_text(number)
        setting = "tables.TABLE['a'] = int(open('number.txt').read())"
        done = run(script.replace("{set}", setting), PYTHONHASHSEED="7").stdout.split()
        assert done[-1] == str(8 + int(number))


def test_a_module_is_not_let_do_anything_but_be_imported(outputs, tmp_path: Path) -> None:
    table = TABLE + "with open('log.txt', 'a') as log: log.write('imported ')\n"
    # Nothing can be known of its globals, so they go on counting by their values.
    assert outputs(3, table) == ["ran 9", "ran 9", "ran 9"]
    assert (tmp_path / "project" / "log.txt").read_text() == "imported " * 3


def test_what_modules_print_is_not_taken_for_the_answer(outputs) -> None:
    table = TABLE + "import atexit, os, sys\nif 'print' in os.environ: 1 / 0\n"
    table += "if sys.argv == ['-c']: 1 / 0\natexit.register(print, 'bye')\n"
    table += "sys.stdout.write('')\nos.write(1, b'')\n"
    assert outputs(3, table) == ["ran 9 bye", "9 bye", "9 bye"]


@pytest.mark.parametrize(
    "made",
    ["sys.frozen = True", "sys.executable = ''", "sys.executable = os.path.abspath('own-program')"],
)
def test_a_program_that_is_not_python_is_not_started_again(run, tmp_path: Path, made: str) -> None:
    (tmp_path / "project" / "tables.py").write_text(TABLE)
    program = tmp_path / "project" / "own-program"
    program.write_text("#!/bin/sh\necho started >> started.txt\n")
    program.chmod(0o755)
    script = f"import os, sys\n{made}\n" + SCRIPT.replace("{more}", "")
    assert [run(script).stdout.split() for _ in range(3)] == [["ran", "9"]] * 3
    assert not program.with_name("started.txt").exists()


def test_a_process_that_cannot_be_started(run, tmp_path: Path) -> None:
    (tmp_path / "project" / "tables.py").write_text(TABLE)
    made = "import sys; sys.executable = '/nowhere/python3'\n"
    script = made + SCRIPT.replace("{more}", "")
    assert [run(script).stdout.split() for _ in range(3)] == [["ran", "9"]] * 3


def test_a_table_of_the_main_program_counts_by_its_value(run) -> None:
    script = TABLE + SCRIPT.replace("tables.TABLE", "TABLE").replace("import tables", "")
    script = script.replace("{more}", "")
    assert [run(script, PYTHONHASHSEED=seed).stdout.split()[0] for seed in "123"] == ["ran"] * 3


def test_read_only_mode_hits_nothing_new_and_writes_nothing(outputs, run) -> None:
    assert outputs(1, TABLE) == ["ran 9"]
    script = SCRIPT.replace("{more}", "")
    for _ in range(2):
        assert run(script, HITSAVE_MODE="read-only").stdout.split() == ["ran", "9"]
    assert outputs(1, TABLE) == ["9"]


def test_all_that_was_recorded_before_such_a_table_was_known(run, tmp_path: Path) -> None:
    (tmp_path / "project" / "tables.py").write_text(TABLE)
    script = SCRIPT.replace("{more}", "") + "print(total(2), total(3))\n"
    assert run(script).stdout.count("ran") == 3
    for _ in range(2):
        assert run(script).stdout.split() == ["9", "10", "11"]


def test_calls_that_run_different_functions_beside_such_a_table(run, tmp_path: Path) -> None:
    (tmp_path / "project" / "tables.py").write_text(TABLE)
    script = """
        from hitsave import memo
        import tables

        def first(): return 1
        def second(): return 2

        @memo
        def total(x):
            print("ran")
            return sum(tables.TABLE.values()) + (second() if x else first())

        print(total(0), total(1))
    """
    assert run(script).stdout.split() == ["ran", "ran", "9", "10"]
    assert run(script).stdout.split() == ["9", "10"]
    edited = script.replace("return 2", "return 3")
    assert run(edited).stdout.split() == ["ran", "9", "11"]
    (tmp_path / "project" / "tables.py").write_text(TABLE.replace("name: 1", "name: 2"))
    assert run(edited).stdout.split() == ["ran", "ran", "17", "19"]


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_a_table_filled_from_a_set_out_of_a_file_counts_when_the_file_changes(
    outputs, tmp_path: Path, runs: int
) -> None:
    table = TABLE.replace("NAMES = {'a',", "NAMES = {*open('names.txt').read().split(), 'a',")
    names = tmp_path / "project" / "names.txt"
    names.write_text("x y")
    assert all(said.endswith("11") for said in outputs(runs, table))
    names.write_text("x y z")
    assert all(said.endswith("12") for said in outputs(2, table))


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_a_table_filled_from_a_set_out_of_the_environment_counts_when_that_changes(
    run, tmp_path: Path, runs: int
) -> None:
    table = "import os\n" + TABLE.replace("name: 1", "name: int(os.environ.get('ONE', '1'))")
    (tmp_path / "project" / "tables.py").write_text(table)
    script = SCRIPT.replace("{more}", "")
    for _ in range(runs):
        assert run(script).stdout.split()[-1] == "9"
    assert run(script, ONE="2").stdout.split()[-1] == "17"


def test_a_table_filled_from_a_set_out_of_a_folder_counts_when_that_changes(
    outputs, tmp_path: Path
) -> None:
    table = TABLE.replace("NAMES = {'a',", "import os\nNAMES = {*os.listdir('names'), 'a',")
    folder = tmp_path / "project" / "names"
    folder.mkdir()
    assert all(said.endswith("9") for said in outputs(2, table))
    (folder / "x").write_text("")
    assert outputs(1, table)[0].endswith("10")


def test_calls_that_read_a_file_each_beside_such_a_table(run, tmp_path: Path) -> None:
    (tmp_path / "project" / "tables.py").write_text(TABLE)
    names = [f"{number}.txt" for number in range(12)]
    for name in names:
        (tmp_path / "project" / name).write_text("1")
    script = SCRIPT.replace("return x +", "return int(open(x).read()) +").replace("{more}", "")
    script = script.replace("print(total(1))", f"print(*[total(name) for name in {names}])")
    assert run(script).stdout.count("ran") == 12
    for _ in range(2):
        assert run(script).stdout.split() == ["9"] * 12
    (tmp_path / "project" / "5.txt").write_text("2")
    assert run(script).stdout.split() == ["ran", *["9"] * 5, "10", *["9"] * 6]
    (tmp_path / "project" / "tables.py").write_text(TABLE.replace("name: 1", "name: 2"))
    assert run(script).stdout.count("ran") == 12


@pytest.mark.parametrize("reader", ["module", "main program", "nobody"])
def test_the_arguments_of_the_program(run, tmp_path: Path, reader: str) -> None:
    reads = reader == "module"
    count = "int(sys.argv[1])" if reads else "int('1')"
    table = "import sys\n" + TABLE.replace("name: 1", f"name: {count}")
    (tmp_path / "project" / "tables.py").write_text(table)
    script = SCRIPT.replace("{more}", "")
    if reader == "main program":
        script = script.replace("total(1)", "total(int(sys.argv[1]) * 0 + 1)")
        script = "import sys\n" + script
    # The arguments of a script stand behind its name.
    start = "import runpy, sys; sys.argv = ['script.py', '{}']; "
    start += "runpy.run_path('script.py', run_name='__main__')"
    run("pass")
    (tmp_path / "project" / "script.py").write_text(script)
    for given, said in (("1", ["ran", "9"]), ("2", ["ran", "17"] if reads else ["9"])):
        command = start.format(given)
        (tmp_path / "project" / "start.py").write_text(command)
        done = run(script, "start.py").stdout.split()
        assert done == said


def test_what_another_version_of_the_program_found_to_be_state(run, tmp_path: Path) -> None:
    (tmp_path / "project" / "tables.py").write_text(
        "from collections import defaultdict\n"
        "KNOWN = defaultdict(bool, {'a': True})\n"
        "def is_known(name): return KNOWN[name]\n"
        "def unused(): return 1\n"
    )
    script = """
        from hitsave import memo
        import tables

        @memo
        def total(x):
            print("ran")
            return x + tables.is_known("a")

        print(total(1))
    """
    assert run(script).stdout.split() == ["ran", "2"]
    # It asks for a name that the table gets by this.
    assert run(script.replace('"a"', '"b"')).stdout.split() == ["ran", "1"]
    tables = (tmp_path / "project" / "tables.py").read_text()
    (tmp_path / "project" / "tables.py").write_text(tables.replace("return 1", "return 22"))
    for _ in range(2):
        assert run(script).stdout.split() == ["2"]
    (tmp_path / "project" / "tables.py").write_text(tables.replace("True", "False"))
    assert run(script).stdout.split() == ["ran", "1"]


def test_what_such_a_table_is_made_of_varies_as_well(outputs) -> None:
    table = TABLE.replace("TABLE = {name: 1 for name in NAMES}", "TEXT = ''.join(NAMES)")
    table += "import re\nTABLE = {'a': len(TEXT)}\nPATTERN = re.compile(TEXT)\n"
    more = " + tables.PATTERN.groups"
    assert outputs(2, table, more) == ["ran 9", "9"]
    assert outputs(1, f"{table}\ndef unused():\n    return 1\n", more) == ["9"]


MAKER = "def make(names):\n    return {name: 1 for name in names}\n\n\ndef other():\n    return 1\n"
MADE = TABLE.replace("{name: 1 for name in NAMES}", "maker.make(NAMES)")


@pytest.fixture
def with_maker(outputs, tmp_path: Path):
    """Write the module that makes the table as well, run, and return what was printed."""

    def with_maker(maker: str, **environment: str) -> list[str]:
        (tmp_path / "project" / "maker.py").write_text(maker)
        return outputs(1, f"import maker\n{MADE}", **environment)

    return with_maker


def test_an_edit_of_what_makes_the_table_in_another_module(with_maker) -> None:
    assert with_maker(MAKER) == ["ran 9"]
    assert with_maker(MAKER.replace("name: 1", "name: 2")) == ["ran 17"]


def test_an_edit_of_what_was_not_called_on_import_before_the_table_is_known(with_maker) -> None:
    assert with_maker(MAKER) == ["ran 9"]
    assert with_maker(MAKER.replace("return 1", "return 2")) == ["9"]


def test_an_edit_of_a_value_that_the_maker_reads(with_maker) -> None:
    maker = f"ONE = 1\n{MAKER.replace('name: 1', 'name: ONE')}"
    assert with_maker(maker) == ["ran 9"]
    assert with_maker(maker.replace("ONE = 1", "ONE = 2")) == ["ran 17"]


def test_statements_of_the_maker_in_another_order(with_maker) -> None:
    maker = f"ONE = [1]\nTWO = ONE.pop() + 1\nONE += [5]\n{MAKER}".replace(
        "name: 1", "name: ONE[0]"
    )
    assert with_maker(maker) == ["ran 41"]
    swapped = maker.replace(
        "TWO = ONE.pop() + 1\nONE += [5]\n", "ONE += [5]\nTWO = ONE.pop() + 1\n"
    )
    assert with_maker(swapped) == ["ran 9"]


def test_a_file_that_the_maker_reads(with_maker, tmp_path: Path) -> None:
    maker = MAKER.replace("name: 1", "name: int(open('one.txt').read())")
    (tmp_path / "project" / "one.txt").write_text("1")
    assert with_maker(maker) == ["ran 9"]
    (tmp_path / "project" / "one.txt").write_text("2")
    assert with_maker(maker) == ["ran 17"]


def test_arguments_that_nothing_looked_at_on_import(with_maker) -> None:
    maker = MAKER.replace("return 1", "import sys; return sys.argv")
    assert with_maker(maker) == ["ran 9"]
    assert with_maker(maker, ARGUMENTS="more") == ["9"]


@pytest.mark.parametrize(
    ("imported", "read"),
    [
        ("import sys", "len(sys.argv)"),
        ("from sys import argv as given", "len(given)"),
        ("import argparse as a", "len(a.ArgumentParser().parse_known_args()[1]) + 1"),
    ],
)
def test_arguments_that_the_maker_looks_at(with_maker, imported: str, read: str) -> None:
    maker = f"{imported}\n{MAKER.replace('name: 1', f'name: {read}')}"
    assert with_maker(maker) == ["ran 9"]
    assert with_maker(maker, ARGUMENTS="more") == ["ran 17"]


def test_arguments_that_are_looked_at_after_an_earlier_evaluation(run, tmp_path: Path) -> None:
    maker = "import sys\nTABLE = {}\n\ndef fill(names):\n"
    maker += "    TABLE.update({name: len(sys.argv) for name in names})\n"
    (tmp_path / "project" / "maker.py").write_text(maker)
    script = """
        import os, sys
        sys.argv += os.environ.get("ARGUMENTS", "").split()
        from hitsave import memo
        import maker

        @memo
        def first():
            return 1

        @memo
        def total():
            print("ran", end=" ")
            return sum(maker.TABLE.values())

        first()
        maker.fill({"a", "b", "c", "d", "e", "f", "g", "h"})
        print(total())
    """
    assert run(script).stdout == "ran 8\n"
    assert run(script, ARGUMENTS="more").stdout == "ran 16\n"
