"""Nothing of the user's is lost, whatever happens at the same time or has happened to the store."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import hitsave
from hitsave import DirectorySnapshot, FileSnapshot, SnapshotError
from hitsave.snapshot import place
from hitsave.snapshot.tree import pack_tree

Warnings = list[str]
LARGE = "x" * 70_000


def run(project: Path, program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=project,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def prefix_in(warning: str) -> str:
    return warning.partition("--restore ")[2].partition(" ")[0]


@pytest.fixture
def at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen once, after a file was made and before it takes its place."""

    def arrange(act: Callable[[], object]) -> None:
        made, acts = place.make_file, [act]

        def make(*arguments: object) -> None:
            made(*arguments)  # type: ignore[arg-type]
            if acts:
                acts.pop()()

        for module in ("restore_file", "making"):
            monkeypatch.setattr(f"hitsave.snapshot.{module}.make_file", make)

    return arrange


# -- a store that cannot be used ----------------------------------------------------------------


def test_what_is_restored_outlives_a_process_without_a_store(project: Path) -> None:
    (project / "a.txt").write_text(LARGE)
    (project / "no-folder").touch()
    program = """
from hitsave import FileSnapshot
FileSnapshot.snap("a.txt").restore(overwrite=True)
"""
    done = run(project, program, HITSAVE_HOME=str(project / "no-folder"))
    assert done.returncode == 0, done.stderr
    assert (project / "a.txt").read_text() == LARGE


def test_the_command_keeps_nothing_without_a_store(project: Path) -> None:
    (project / "a.txt").write_text("a")
    (project / "no-folder").touch()
    program = "import sys; sys.argv = ['hitsave', 'snapshot', 'a.txt']\n"
    program += "from hitsave.cli import main; sys.exit(main())"
    done = run(project, program, HITSAVE_HOME=str(project / "no-folder"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "the store cannot be used" in done.stderr


def test_the_child_of_a_fork_leaves_the_parent_what_it_has(project: Path) -> None:
    (project / "a.txt").write_text(LARGE)
    (project / "no-folder").touch()
    program = """
import os, sys
from hitsave import FileSnapshot
taken = FileSnapshot.snap("a.txt")
if os.fork() == 0:
    sys.exit(0)
os.wait()
print(len(taken.read_text()))
"""
    done = run(project, program, HITSAVE_HOME=str(project / "no-folder"))
    assert done.stdout == "70000\n", done.stderr


def test_children_that_are_forked_while_threads_snap(project: Path) -> None:
    (project / "data").mkdir()
    for number in range(200):
        (project / "data" / str(number)).write_text(str(number))
    program = """
import os, threading
from hitsave import DirectorySnapshot, memo

@memo
def f(x):
    return x

def work():
    DirectorySnapshot.snap("data")
    f(1)

work()  # Python's own locks around imports stay locked in a child
f.cache_clear()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
children = []
for number in range(8):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    children.append(child)
for thread in threads:
    thread.join()
print([os.waitpid(child, 0)[1] for child in children])
"""
    done = run(project, program)
    assert done.stdout == f"{[0] * 8}\n", done.stderr


# -- content of the store that was damaged ------------------------------------------------------


def spoil(path: Path) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"spoiled")


@pytest.mark.parametrize("text", ["short text", LARGE])
def test_what_is_replaced_is_kept_also_where_the_store_has_it_damaged(
    project: Path, warned: Warnings, text: str
) -> None:
    (project / "a.txt").write_text("a")
    (project / "mine.txt").write_text(text)
    other, mine = FileSnapshot.snap("a.txt"), FileSnapshot.snap("mine.txt")
    spoil(mine.restore_safe())
    other.restore_at("mine.txt")
    assert FileSnapshot.from_digest(prefix_in(warned[-1])).read_text() == text


def test_snapping_again_mends_the_store(project: Path) -> None:
    (project / "a.txt").write_text(LARGE)
    spoil(FileSnapshot.snap("a.txt").restore_safe())
    taken = FileSnapshot.snap("a.txt")
    (project / "a.txt").unlink()
    assert taken.read_text() == LARGE


def test_what_was_written_through_a_link_is_what_is_snapped(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "a.txt").write_text(LARGE)
    DirectorySnapshot.snap("data").restore_at("data", overwrite=True)
    link = project / "data" / "a.txt"
    assert link.is_symlink()
    link.resolve().chmod(0o644)
    link.write_text("edited")
    taken = DirectorySnapshot.snap("data")
    assert (taken / "data/a.txt".removeprefix("data/")).read_text() == "edited"
    assert link.read_text() == "edited"
    assert FileSnapshot.snap("data/a.txt").read_text() == "edited"


@pytest.mark.parametrize("digest", ["", "ab", "ab" * 31, "ab" * 33, "zz" * 32, None])
def test_a_digest_of_another_length_touches_nothing(project: Path, home: Path, digest: str) -> None:
    (project / "a.txt").write_text(LARGE)
    taken = FileSnapshot.snap("a.txt")
    with pytest.raises(SnapshotError, match="is no digest"):
        FileSnapshot(digest, "x", 1).read_bytes()
    with pytest.raises(SnapshotError, match="is no digest"):
        DirectorySnapshot(digest, "x", 1, 1).entries()
    assert taken.read_text() == LARGE
    assert not (home / "quarantine").exists() or not os.listdir(home / "quarantine")


# -- others at work -----------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, "first", "a"])
def test_a_file_that_is_written_at_the_last_moment_is_kept(
    project: Path, warned: Warnings, at_the_last_moment: Callable[..., None], before: str | None
) -> None:
    (project / "a.txt").write_text("a")
    taken, target = FileSnapshot.snap("a.txt"), project / "target.txt"
    if before is not None:
        target.write_text(before)
    at_the_last_moment(lambda: target.write_text("precious"))
    taken.restore_at("target.txt", "copy" if before != "a" else "symlink")
    assert target.read_text() == "a"
    assert FileSnapshot.from_digest(prefix_in(warned[-1])).read_text() == "precious"


@pytest.mark.parametrize("name", ["a.txt", "new.txt", "extra.txt"])
def test_a_file_that_is_written_while_a_folder_is_merged_is_kept(
    project: Path, warned: Warnings, at_the_last_moment: Callable[..., None], name: str
) -> None:
    (project / "data").mkdir()
    for each in ("a.txt", "new.txt"):
        (project / "data" / each).write_text(each)
    taken = DirectorySnapshot.snap("data")
    (project / "data" / "new.txt").unlink()
    (project / "data" / "a.txt").write_text("changed")
    (project / "data" / "extra.txt").write_text("extra")
    at_the_last_moment(lambda: (project / "data" / name).write_text("precious"))
    taken.restore_at("data", "copy", mirror=True)
    assert DirectorySnapshot.snap("data") == taken
    kept = [hitsave.snapshot.from_digest(prefix_in(w)) for w in warned if "--restore" in w]
    texts = set()
    for each in kept:
        texts |= {f.read_text() for f in ([each] if isinstance(each, FileSnapshot) else each)}
    assert "precious" in texts


def test_threads_that_want_the_same_folder_to_read(project: Path) -> None:
    (project / "data").mkdir()
    for number in range(30):
        (project / "data" / str(number)).write_text(str(number))
    taken, raised = DirectorySnapshot.snap("data"), []

    def work() -> None:
        try:
            for _ in range(5):
                taken.restore_safe()
                taken.restore_at("out", "copy", overwrite=True)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    assert DirectorySnapshot.snap("out").digest == taken.digest


def test_a_folder_to_be_read_has_nothing_in_it_that_was_added(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "a").write_text("a")
    readable = DirectorySnapshot.snap("data").restore_safe()
    readable.chmod(0o755)
    (readable / "extra").write_text("extra")
    assert os.listdir(DirectorySnapshot.snap("data").restore_safe()) == ["a"]


# -- where things are ---------------------------------------------------------------------------


def test_going_back_and_forth(project: Path) -> None:
    (project / "a.txt").write_text("one")
    first = FileSnapshot.snap("a.txt")
    (project / "a.txt").write_text("two")
    second = FileSnapshot.snap("a.txt")
    for taken in (first, second, first):
        hitsave.restore(taken.digest)
        assert (project / "a.txt").read_text() == taken.read_text()
        assert FileSnapshot.from_digest(taken.digest) == taken


def test_what_was_kept_goes_back_where_it_was(project: Path, warned: Warnings) -> None:
    (project / "a.txt").write_text("one")
    taken = FileSnapshot.snap("a.txt")
    (project / "a.txt").write_text("precious")
    taken.restore()
    hitsave.restore(prefix_in(warned[0]))
    assert (project / "a.txt").read_text() == "precious"


def test_a_file_with_the_bytes_of_a_tree_is_another_snapshot(project: Path) -> None:
    (project / "empty").mkdir()
    folder = DirectorySnapshot.snap("empty")
    (project / "file").write_bytes(pack_tree([]).packed)
    assert FileSnapshot.snap("file").digest != folder.digest
    assert folder.entries() == ()


def test_a_way_through_a_link_and_back(project: Path) -> None:
    (project / "far" / "inner").mkdir(parents=True)
    (project / "far" / "f").write_text("far")
    (project / "f").write_text("near")
    (project / "link").symlink_to("far/inner")
    taken = FileSnapshot.snap("link/../f")
    assert (taken.read_text(), taken.path) == ("far", "far/f")
    taken.restore_at("link/../out")
    assert (project / "far" / "out").read_text() == "far"


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o664, 0o755, 0o644])
def test_permissions_survive_being_restored_as_a_link(project: Path, mode: int) -> None:
    (project / "data").mkdir()
    (project / "data" / "a").write_text(LARGE)
    (project / "data" / "a").chmod(mode)
    folder, file = DirectorySnapshot.snap("data"), FileSnapshot.snap("data/a")
    folder.restore_at("out")
    assert DirectorySnapshot.snap("out").digest == folder.digest
    assert file.restore_at("b").is_symlink() == (not mode & 0o111)
    assert FileSnapshot.snap("b").mode == mode
    file.restore()
    assert FileSnapshot.snap("data/a").mode == mode


def test_results_keep_folders_that_are_taken_off_the_list(project: Path) -> None:
    from hitsave.session import current
    from hitsave.snapshot import catalog

    (project / "data").mkdir()
    (project / "data" / "a").write_text("a")
    taken, store = DirectorySnapshot.snap("data"), current().store
    catalog.remove(store, catalog.find(store, taken.digest))
    assert [each.read_text() for each in taken] == ["a"]


def test_read_only_folders_in_the_target(project: Path) -> None:
    inner = project / "data" / "inner"
    inner.mkdir(parents=True)
    (inner / "a").write_text("a")
    inner.chmod(0o555)
    taken = DirectorySnapshot.snap("data")
    inner.chmod(0o755)
    (inner / "a").write_text("b")
    inner.chmod(0o555)
    taken.restore_at("data", "copy", overwrite=True)
    assert DirectorySnapshot.snap("data") == taken


def test_a_store_inside_the_folder_can_be_left_out(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hitsave import session

    monkeypatch.setenv("HITSAVE_HOME", str(project / ".cache" / "hitsave"))
    started = session.start(str(project))
    (project / "a.txt").write_text("a")
    taken = DirectorySnapshot.snap(".", ignore=[".cache/hitsave/"])
    assert [entry.path for entry in taken.entries()] == [".cache", "a.txt"]
    started.store.close()


# -- what users get wrong -----------------------------------------------------------------------


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("pattern", ["!", "a\\", "[z-a]"])
def test_a_pattern_that_is_none(project: Path, pattern: str) -> None:
    (project / "data").mkdir()
    (project / "data" / "a").touch()
    try:
        DirectorySnapshot.snap("data", ignore=[pattern])
    except SnapshotError as error:
        assert "cannot be understood" in error.message  # noqa: PT017 - some versions take it


def test_a_name_that_cannot_be_shown_at_the_top(project: Path) -> None:
    (project / "new\nline").mkdir()
    with pytest.raises(SnapshotError, match="control character"):
        DirectorySnapshot.snap("new\nline")
    (project / "\x1b[2J").touch()
    with pytest.raises(SnapshotError, match="control character"):
        FileSnapshot.snap("\x1b[2J")


def test_a_folder_that_is_no_longer_there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "gone").mkdir()
    (project / "a.txt").touch()
    taken = FileSnapshot.snap("a.txt")
    monkeypatch.chdir(project / "gone")
    (project / "gone").rmdir()
    for act in (lambda: FileSnapshot.snap("a"), lambda: taken.restore_at("b")):
        with pytest.raises(SnapshotError):
            act()
    os.chdir(project)


@pytest.mark.parametrize("mode", ["w", "", "rr", "rbt", "r+", "a"])
def test_a_way_to_open_that_there_is_not(project: Path, mode: str) -> None:
    (project / "a.txt").touch()
    with (
        pytest.raises(SnapshotError, match="cannot be opened"),
        FileSnapshot.snap("a.txt").open(mode),
    ):
        pass


def test_a_deep_folder(project: Path) -> None:
    path = "data" + "/d" * 200
    os.makedirs(path)
    (project / path / "a").write_text("a")
    taken = DirectorySnapshot.snap("data")
    taken.restore_at("out", "copy")
    (project / ("out" + path.removeprefix("data")) / "mine").write_text("mine")
    taken.restore_at("out", "copy", mirror=True, overwrite=True)
    assert DirectorySnapshot.snap("out").digest == taken.digest
