"""Snapshots as arguments and results of memoised functions, in fresh processes."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture
def run(project: Path, home: Path) -> Run:
    """Run a script of the project in a fresh process, and return what it printed."""

    def run(script: str, **environment: str) -> str:
        (project / "script.py").write_text(textwrap.dedent(script))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "script.py"],
            cwd=project,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "HITSAVE_HOME": str(home),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


WRITE = """
    import os
    from hitsave import FileSnapshot, memo

    @memo
    def write(text: str) -> FileSnapshot:
        print("ran", end=" ")
        with open("hello.txt", "w") as file:
            file.write(text)
        return FileSnapshot.snap("hello.txt")

    for text in os.environ["TEXTS"]:
        print(write(text).read_text(), end=" ")
"""


def test_a_result(run: Run, project: Path, home: Path) -> None:
    assert run(WRITE, TEXTS="AB") == "ran A ran B "
    assert run(WRITE, TEXTS="BA") == "B A "
    assert (project / "hello.txt").read_text() == "B"
    shutil.rmtree(home / "blobs")
    assert run(WRITE, TEXTS="A") == "ran A "
    assert run(WRITE, TEXTS="A") == "A "


def test_a_result_that_nobody_needs_the_class_for(run: Run) -> None:
    script = """
        from hitsave import memo

        def make():
            from hitsave import FileSnapshot
            with open("a.txt", "w") as file:
                file.write("content")
            return FileSnapshot.snap("a.txt")

        @memo
        def f():
            print("ran", end=" ")
            return [make(), make()]

        first, second = f()
        print(first.read_text(), first == second)
    """
    assert run(script) == "ran content True\n"
    assert run(script) == "content True\n"


READ = """
    from hitsave import DirectorySnapshot, FileSnapshot, memo

    @memo
    def count(file, folder):
        print("ran", end=" ")
        return len(file.read_text()) + sum(each.size for each in folder)

    print(count(FileSnapshot.snap("a.txt"), DirectorySnapshot.snap("data")))
"""


def test_arguments_count_by_their_content(run: Run, project: Path) -> None:
    (project / "data" / "empty").mkdir(parents=True)
    (project / "data" / "b.txt").write_text("bb")
    (project / "a.txt").write_text("a")
    assert [run(READ), run(READ)] == ["ran 3\n", "3\n"]
    (project / "a.txt").write_text("aaa")
    assert [run(READ), run(READ)] == ["ran 5\n", "5\n"]
    (project / "data" / "b.txt").rename(project / "data" / "c.txt")
    assert [run(READ), run(READ)] == ["ran 5\n", "5\n"]
    (project / "data" / "c.txt").rename(project / "data" / "b.txt")
    (project / "a.txt").write_text("a")
    os.utime(project / "a.txt", ns=(10**18, 10**18))
    assert run(READ) == "3\n"


SNAPS_INSIDE = """
    from hitsave import DirectorySnapshot, FileSnapshot, memo

    @memo
    def size():
        print("ran", end=" ")
        file, folder = FileSnapshot.snap("a.txt"), DirectorySnapshot.snap("data")
        return len(file.read_text()), [each.read_text() for each in folder]

    print(size())
"""


def test_files_that_are_snapped_in_the_function_count(run: Run, project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "b.txt").write_text("b")
    (project / "a.txt").write_text("a")
    assert run(SNAPS_INSIDE) == "ran (1, ['b'])\n"
    assert run(SNAPS_INSIDE) == "(1, ['b'])\n"
    (project / "a.txt").write_text("aaa")
    assert run(SNAPS_INSIDE) == "ran (3, ['b'])\n"
    (project / "data" / "b.txt").write_text("other")
    assert run(SNAPS_INSIDE) == "ran (3, ['other'])\n"
    (project / "data" / "c.txt").write_text("c")
    assert run(SNAPS_INSIDE) == "ran (3, ['other', 'c'])\n"
    assert run(SNAPS_INSIDE) == "(3, ['other', 'c'])\n"


def test_a_data_set_by_its_digest(run: Run, project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "one.txt").write_text("1")
    (project / "data" / "two.txt").write_text("2")
    digest = run(
        'from hitsave import DirectorySnapshot\nprint(DirectorySnapshot.snap("data").digest)'
    )
    script = f"""
        from hitsave import DirectorySnapshot, memo

        @memo
        def total():
            print("ran", end=" ")
            folder = DirectorySnapshot.from_digest("{digest[:11]}").restore_safe()
            return sum(int(path.read_text()) for path in folder.glob("*.txt"))

        print(total())
    """
    assert run(script) == "ran 3\n"
    assert run(script) == "3\n"
    (project / "data" / "two.txt").write_text("5")
    assert run(script) == "3\n"
    shutil.rmtree(project / "data")
    assert run(script) == "3\n"
    assert run(script.replace("int(path", "2 * int(path")) == "ran 6\n"


def test_programs_without_snapshots_do_not_load_them(run: Run) -> None:
    script = """
        import sys
        from hitsave import memo

        @memo
        def f(x):
            return x

        f(1)
        print([name for name in sys.modules if "snapshot" in name or "pathspec" in name])
    """
    assert run(script) == "[]\n"


AT_THE_END = """
    import atexit, os, threading
    from hitsave import memo

    @memo
    def taken():
        from hitsave import DirectorySnapshot
        print("ran", end=" ")
        return DirectorySnapshot.snap("data")

    def last():
        print(sorted(os.path.basename(each.path) for each in taken()))

    def outlive():
        threading.main_thread().join()
        last()

    WHEN
"""


@pytest.mark.parametrize(
    "when",
    ["atexit.register(last)", "threading.Thread(target=outlive).start()"],
    ids=["an exit handler", "a thread that outlives the program"],
)
def test_calls_at_the_end_of_the_program(run: Run, project: Path, when: str) -> None:
    (project / "data").mkdir()
    for name in "ab":
        (project / "data" / name).write_text(name * 100_000)
    script = AT_THE_END.replace("WHEN", when)
    assert run(script) == "ran ['a', 'b']\n"
    assert run(script) == "['a', 'b']\n"
