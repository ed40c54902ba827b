"""Bytecode: used and written as without the hook, and never taken for source that it is not of."""

import os
import py_compile
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

import pytest

SHOW = "import mod\nprint(mod.X, kept('mod'))"


def stamp(path: Path, nanoseconds: int) -> None:
    os.utime(path, ns=(nanoseconds, nanoseconds))


def edit_within_its_second(path: Path, content: str) -> None:
    """Write `content`, of the same size, and leave the whole second of the time as it was."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_text(content)
    stamp(path, before.st_mtime_ns // 10**9 * 10**9 + 999_000_000)


def compiled_as(project: Any, mode: PycInvalidationMode, name: str = "mod.py") -> Path:
    path = project.root / name
    py_compile.compile(str(path), invalidation_mode=mode, doraise=True)
    return project.bytecode(name)


def test_the_bytecode_written_is_the_same_file_as_without(project) -> None:
    project.write("mod.py", "def f(x=frozenset({1, 2})): return [x]\n")
    project.run("import mod", hooked=False)
    expected = project.bytecode("mod.py").read_bytes()
    project.clean()
    project.run("import mod")
    assert project.bytecode("mod.py").read_bytes() == expected
    assert [path.name for path in project.root.rglob("*.pyc")] == [project.bytecode("mod.py").name]


def test_settled_bytecode_is_used_and_not_written_again(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.run("import mod")
    project.settle()
    before = project.bytecode("mod.py").stat()
    out = project.run(f"import builtins\nbuiltins.compile = None\n{SHOW}", "-v")
    after = project.bytecode("mod.py").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert f"code object from '{project.bytecode('mod.py')}'" in out
    assert "1 b'X = 1\\n'" in out


def test_an_edit_within_one_second_that_keeps_the_size_runs_and_is_what_is_kept(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    project.run("import mod")
    edit_within_its_second(path, "X = 2\n")
    assert project.run(SHOW) == "2 b'X = 2\\n'\n"


def test_an_edit_that_sets_the_time_back_runs_and_is_what_is_kept(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    stamp(path, 10**18)
    project.run("import mod")
    path.write_text("X = 2\n")
    stamp(path, 10**18)
    assert project.run("import mod\nprint(mod.X)", hooked=False) == "1\n"
    assert project.run(SHOW) == "2 b'X = 2\\n'\n"


def test_a_copy_with_the_same_time_and_size_runs_and_is_what_is_kept(project) -> None:
    path, other = project.write("mod.py", "X = 1\n"), project.write("other", "X = 2\n")
    stamp(path, 10**18)
    stamp(other, 10**18)
    project.run("import mod")
    os.replace(other, path)
    assert project.run(SHOW) == "2 b'X = 2\\n'\n"


def test_bytecode_that_was_doubted_is_written_anew_and_trusted_later(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.run("import mod")
    first = project.bytecode("mod.py").stat().st_ino
    keep_open = project.bytecode("mod.py").open("rb")  # so that its inode is not used again
    project.run("import mod")
    assert project.bytecode("mod.py").stat().st_ino != first
    keep_open.close()


@pytest.mark.parametrize("check", ["default", "always", "never"])
@pytest.mark.parametrize(
    "mode", [PycInvalidationMode.CHECKED_HASH, PycInvalidationMode.UNCHECKED_HASH]
)
def test_hash_based_bytecode_of_its_source_keeps_the_source(project, mode, check: str) -> None:
    project.write("mod.py", "X = 1\n")
    before = compiled_as(project, mode).read_bytes()
    assert project.run(SHOW, "--check-hash-based-pycs", check) == "1 b'X = 1\\n'\n"
    assert project.bytecode("mod.py").read_bytes() == before


@pytest.mark.parametrize(
    ("mode", "check"),
    [
        (PycInvalidationMode.UNCHECKED_HASH, "default"),
        (PycInvalidationMode.UNCHECKED_HASH, "never"),
        (PycInvalidationMode.CHECKED_HASH, "never"),
    ],
)
def test_unchecked_bytecode_of_other_source_is_itself_what_is_kept(project, mode, check) -> None:
    project.write("mod.py", "X = 1\n")
    bytecode = compiled_as(project, mode)
    project.write("mod.py", "X = 2\n")
    show = "import mod\nprint(mod.X, ledger.get('mod').is_bytecode, kept('mod').hex())"
    expected = f"1 True {bytecode.read_bytes().hex()}\n"
    assert project.run(show, "--check-hash-based-pycs", check) == expected


@pytest.mark.parametrize(
    ("mode", "check"),
    [
        (PycInvalidationMode.CHECKED_HASH, "default"),
        (PycInvalidationMode.UNCHECKED_HASH, "always"),
    ],
)
def test_checked_bytecode_of_other_source_gives_way_to_the_source(project, mode, check) -> None:
    project.write("mod.py", "X = 1\n")
    compiled_as(project, mode)
    project.write("mod.py", "X = 2\n")
    assert project.run(SHOW, "--check-hash-based-pycs", check) == "2 b'X = 2\\n'\n"
    # Still hash-based, as Python leaves it.
    assert project.bytecode("mod.py").read_bytes()[4] & 1


@pytest.mark.parametrize(
    "damage",
    [b"", b"short", b"\0" * 16, b"\xff" * 40],
    ids=["empty", "truncated", "foreign", "garbage"],
)
def test_damaged_bytecode_gives_way_to_the_source(project, damage: bytes) -> None:
    project.write("mod.py", "X = 1\n")
    project.run("import mod")
    project.bytecode("mod.py").write_bytes(damage)
    project.settle()
    assert project.run(SHOW) == "1 b'X = 1\\n'\n"


def test_bytecode_with_a_good_header_and_a_bad_body_fails_as_without(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.run("import mod")
    bytecode = project.bytecode("mod.py")
    bytecode.write_bytes(bytecode.read_bytes()[:16])
    project.settle()
    program = "import traceback\ntry: import mod\nexcept EOFError: traceback.print_exc()"
    assert project.run(program) == project.run(program, hooked=False)


@pytest.mark.parametrize("with_variable", [True, False])
def test_nothing_is_written_where_python_is_told_not_to(project, with_variable: bool) -> None:
    project.write("mod.py", "X = 1\n")
    if with_variable:
        out = project.run(SHOW, PYTHONDONTWRITEBYTECODE="1")
    else:
        out = project.run(SHOW, "-B")
    assert out == "1 b'X = 1\\n'\n"
    assert not list(project.root.rglob("*.pyc"))


def test_a_cache_folder_that_cannot_be_made_costs_nothing(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.write("__pycache__", "a file in its place")
    assert project.run(SHOW) == "1 b'X = 1\\n'\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_read_only_cache_folder_costs_nothing(project) -> None:
    project.write("mod.py", "X = 1\n")
    folder = project.root / "__pycache__"
    folder.mkdir()
    folder.chmod(0o555)
    assert project.run(SHOW) == "1 b'X = 1\\n'\n"
    assert not list(folder.iterdir())


def test_a_cache_folder_elsewhere_is_used(project, tmp_path: Path) -> None:
    project.write("mod.py", "X = 1\n")
    for _ in range(2):
        out = project.run(SHOW, PYTHONPYCACHEPREFIX=str(tmp_path / "prefix"))
        assert out == "1 b'X = 1\\n'\n"
    assert list((tmp_path / "prefix").rglob("mod.*.pyc"))
    assert not list(project.root.rglob("*.pyc"))


def test_source_with_a_fixed_date_for_builds_is_kept(project) -> None:
    project.write("mod.py", "X = 1\n")
    for _ in range(2):
        assert project.run(SHOW, SOURCE_DATE_EPOCH="0") == "1 b'X = 1\\n'\n"
        project.settle()


@pytest.mark.parametrize("moment", [0, -1, 2**32 + 5], ids=["epoch", "before it", "after 2106"])
def test_times_that_do_not_fit_the_header_are_read_as_python_reads_them(project, moment) -> None:
    path = project.write("mod.py", "X = 1\n")
    os.utime(path, (moment, moment))
    for _ in range(2):
        assert project.run(SHOW) == "1 b'X = 1\\n'\n"
        project.settle()


def test_bytecode_inside_a_zip_file_is_compared_with_its_source(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    stamp(path, 1_500_000_000 * 10**9)
    unchecked = compiled_as(project, PycInvalidationMode.UNCHECKED_HASH).read_bytes()
    project.zip("same.zip", {"mod.pyc": unchecked, "mod.py": "X = 1\n"})
    project.zip("other.zip", {"mod.pyc": unchecked, "mod.py": "X = 2\n"})
    path.unlink()
    for archive, expected in (("same", "1 False"), ("other", "1 True")):
        program = f"sys.path.append(root + '/{archive}.zip')\nimport mod\n"
        out = project.run(program + "print(mod.X, ledger.get('mod').is_bytecode)")
        assert out == f"{expected}\n"


def test_a_zip_file_of_bytecode_alone_is_left_alone(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    bytecode = compiled_as(project, PycInvalidationMode.UNCHECKED_HASH).read_bytes()
    project.zip("lib.zip", {"mod.pyc": bytecode})
    path.unlink()
    program = "sys.path.append(root + '/lib.zip')\nimport mod\nprint(mod.X, ledger.modules())"
    assert project.run(program) == "1 ()\n"
