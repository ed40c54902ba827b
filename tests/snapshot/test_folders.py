"""Snapshots of folders."""

import os
import stat
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from hitsave import DirectorySnapshot, FileSnapshot, SnapshotError
from hitsave.snapshot import Difference
from hitsave.snapshot.keep import Keeper
from hitsave.snapshot.place import make_file

Warnings = list[str]

FILES = {
    "a.txt": "a",
    "a-b.txt": "",
    "a/b/c.txt": "c",
    "a/b/d.txt": "d" * 70_000,
    "names with spaces/é ü.txt": "x",
}


@pytest.fixture
def data(project: Path) -> Path:
    folder = project / "data"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "empty").mkdir()
    (folder / "tool.sh").write_text("exit")
    (folder / "tool.sh").chmod(0o750)
    (folder / "a").chmod(0o700)
    return folder


def contents(folder: Path) -> dict[str, str | None]:
    """The text of every file below a folder; None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("link", ["copy", "reflink", "symlink"])
def test_what_was_snapped_comes_back(data: Path, link: str) -> None:
    before, permissions = contents(data), modes(data)
    taken = DirectorySnapshot.snap("data")
    restored = taken.restore_at("other", link)
    assert contents(restored) == before
    assert (taken.files, taken.size) == (6, 70_007)
    if link != "symlink":
        assert modes(restored) == permissions
    assert modes(restored)["a"] == 0o700
    assert modes(restored)["tool.sh"] == 0o750
    assert DirectorySnapshot.snap("other").digest == taken.digest


def test_the_digest_depends_on_names_modes_and_contents_alone(data: Path, project: Path) -> None:
    first = DirectorySnapshot.snap("data")
    for path in data.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))
    assert DirectorySnapshot.snap("data").digest == first.digest
    data.rename(project / "moved")
    assert DirectorySnapshot.snap("moved").digest == first.digest
    digests = {first.digest}
    (project / "moved" / "a.txt").chmod(0o600)
    digests.add(DirectorySnapshot.snap("moved").digest)
    (project / "moved" / "a.txt").write_text("b")
    digests.add(DirectorySnapshot.snap("moved").digest)
    (project / "moved" / "a.txt").rename(project / "moved" / "b.txt")
    digests.add(DirectorySnapshot.snap("moved").digest)
    (project / "moved" / "empty").rmdir()
    digests.add(DirectorySnapshot.snap("moved").digest)
    assert len(digests) == 5


@pytest.mark.usefixtures("data")
def test_what_is_in_a_snapshot() -> None:
    taken = DirectorySnapshot.snap("data")
    assert [each.path for each in taken] == sorted(f"data/{n}" for n in (*FILES, "tool.sh"))
    inner = taken / "a/b/c.txt"
    assert inner.read_text() == "c"
    assert inner == FileSnapshot.snap("data/a/b/c.txt")
    for missing in ("nothing", "a", "../secret", ""):
        with pytest.raises(SnapshotError, match="There is no file"):
            taken / missing


def test_a_difference(data: Path) -> None:
    first = DirectorySnapshot.snap("data")
    (data / "new.txt").touch()
    (data / "a" / "b" / "c.txt").write_text("changed")
    (data / "empty").rmdir()
    second = DirectorySnapshot.snap("data")
    assert first.diff(second) == Difference(("new.txt",), ("empty",), ("a/b/c.txt",))
    assert not first.diff(first)


@pytest.mark.usefixtures("data")
def test_what_is_ignored() -> None:
    taken = DirectorySnapshot.snap("data", ignore=["a/", "*.sh", "!tool.sh"])
    names = [entry.path for entry in taken.entries()]
    assert names == ["a-b.txt", "a.txt", "empty", "names with spaces", *names[4:5], "tool.sh"]


def test_links_are_left_out_and_told_of(data: Path, warned: Warnings) -> None:
    digest = DirectorySnapshot.snap("data").digest
    (data / "link").symlink_to("a.txt")
    (data / "folder").symlink_to("a")
    (data / "loop").symlink_to("loop")
    assert DirectorySnapshot.snap("data").digest == digest
    assert "Symbolic links are left out" in warned[0]
    assert all(name in warned[0] for name in ("link", "folder", "loop"))


def test_restoring_where_it_was(data: Path, project: Path) -> None:
    before = contents(data)
    taken = DirectorySnapshot.snap("data")
    data.rename(project / "gone")
    assert taken.restore() == data
    assert contents(data) == before


def test_merging_writes_what_differs_and_keeps_what_it_replaces(
    data: Path, warned: Warnings
) -> None:
    before = contents(data)
    taken = DirectorySnapshot.snap("data")
    (data / "a.txt").write_text("precious")
    (data / "mine.txt").write_text("mine")
    untouched = (data / "a" / "b" / "c.txt").stat().st_ino
    taken.restore_at("data", "copy")
    assert contents(data) == before | {"mine.txt": "mine"}
    assert (data / "a" / "b" / "c.txt").stat().st_ino == untouched
    (warning,) = warned
    prefix = warning.partition("--restore ")[2].partition(" ")[0]
    kept = DirectorySnapshot.from_digest(prefix)
    assert (kept / "a.txt").read_text() == "precious"


def test_a_mirror_removes_what_the_snapshot_has_not(data: Path, warned: Warnings) -> None:
    before = contents(data)
    taken = DirectorySnapshot.snap("data")
    (data / "more" / "er").mkdir(parents=True)
    (data / "more" / "er" / "mine.txt").write_text("mine")
    (data / "a" / "link").symlink_to("nowhere")
    taken.restore_at("data", "copy", mirror=True)
    # Snapshots leave links out, and so do mirrors.
    assert contents(data) == before | {"a/link": None}
    assert DirectorySnapshot.snap("data").digest == taken.digest
    prefix = warned[0].partition("--restore ")[2].partition(" ")[0]
    assert (DirectorySnapshot.from_digest(prefix) / "more/er/mine.txt").read_text() == "mine"
    taken.restore_at("data", "copy", mirror=True, overwrite=True)
    assert contents(data) == before


def test_nothing_is_touched_where_nothing_may_be_replaced(data: Path) -> None:
    taken = DirectorySnapshot.snap("data")
    (data / "a.txt").write_text("precious")
    (data / "empty").rmdir()
    before = contents(data)
    with pytest.raises(SnapshotError, match=r"a\.txt is there already"):
        taken.restore_at("data", "copy", overwrite=False)
    assert contents(data) == before


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("fails_at", range(1, 6))
@pytest.mark.parametrize("is_there", [False, True])
def test_a_full_disk_half_way_leaves_the_target_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, is_there: bool
) -> None:
    taken, made = DirectorySnapshot.snap("data"), []
    target = project / "target"
    if is_there:
        target.mkdir()
        (target / "a.txt").write_text("precious")
    before = contents(project)

    def full(*arguments: object) -> None:
        made.append(arguments)
        if len(made) == fails_at:
            raise OSError(28, "No space left on device")
        make_file(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("hitsave.snapshot.making.make_file", full)
    with pytest.raises(SnapshotError, match="No space left"):
        taken.restore_at("target", "copy", overwrite=True)
    assert contents(project) == before


@pytest.mark.parametrize("fails", ["at once", "while it is written"])
def test_no_room_for_the_list_of_files(
    data: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    (data / "large").write_bytes(bytes(1_000_000))
    before = contents(data)

    class Full(BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    def temporary(**_: object) -> Full:
        if fails == "at once":
            raise OSError(28, "No space left on device")
        return Full()

    with monkeypatch.context() as patch:
        patch.setattr("hitsave.snapshot.tree.TemporaryFile", temporary)
        with pytest.raises(SnapshotError, match="A list of files cannot be written: No space left"):
            DirectorySnapshot.snap("data")
    assert contents(data) == before
    assert not [each for each in threading.enumerate() if "ThreadPool" in each.name]
    assert DirectorySnapshot.snap("data").files == len([*DirectorySnapshot.snap("data")])


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("path", [Path("a.txt"), None, 5, b"a.txt", "a.txt/", ""])
def test_what_is_no_path_in_a_snapshot(path: Any) -> None:
    with pytest.raises(SnapshotError, match="There is no file"):
        DirectorySnapshot.snap("data") / path


def test_a_folder_to_be_read(data: Path, home: Path) -> None:
    taken = DirectorySnapshot.snap("data")
    readable = taken.restore_safe()
    assert contents(readable) == contents(data)
    assert readable.is_relative_to(home)
    assert not any(mode & 0o222 for mode in modes(readable).values())
    inode = readable.stat().st_ino
    assert taken.restore_safe().stat().st_ino == inode
    changed = readable / "a.txt"
    changed.parent.chmod(0o755)
    changed.unlink()
    changed.write_text("spoiled")
    assert contents(taken.restore_safe()) == contents(data)


def test_a_snapshot_of_the_whole_project(data: Path, project: Path) -> None:
    taken = DirectorySnapshot.snap(project)
    assert taken.path == "."
    assert (taken / "data/a.txt").path == "data/a.txt"
    (data / "a.txt").unlink()
    assert taken.restore() == project
    assert (data / "a.txt").read_text() == "a"


def test_a_thousand_small_files_are_few_in_the_store(project: Path, home: Path) -> None:
    folder = project / "many"
    folder.mkdir()
    for number in range(1000):
        (folder / str(number)).write_text(f"content {number}")
    taken = DirectorySnapshot.snap("many")
    stored = [path for path in home.rglob("*") if path.is_file()]
    assert len(stored) < 20
    assert contents(taken.restore_at("again", "copy")) == contents(folder)
    assert (taken / "77").restore_at("one.txt").read_text() == "content 77"


@pytest.mark.parametrize("fails", [False, True])
def test_large_files_beside_small_ones(
    project: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    folder = project / "mixed"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}").write_text(f"{number}" * (1 if number % 2 else 70_000))
    if fails:
        (folder / "38").chmod(0)
        opened = os.open

        def open_others(path: str, *arguments: int, **options: int) -> int:
            if Path(path).name == "38":
                raise PermissionError(13, "Permission denied", path)
            return opened(path, *arguments, **options)

        monkeypatch.setattr(os, "open", open_others)
        with pytest.raises(SnapshotError, match="38 cannot be snapped: Permission denied"):
            DirectorySnapshot.snap("mixed")
        return
    taken = DirectorySnapshot.snap("mixed")
    assert contents(taken.restore_at("out")) == contents(folder)
    assert DirectorySnapshot.snap("out").digest == taken.digest


def test_an_interruption_leaves_nothing_half_done(
    project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "mixed"
    folder.mkdir()
    for number in range(20):
        (folder / str(number)).write_text(f"{number}" * 50_000)
    kept = []

    def interrupt(*arguments: object, **options: object) -> object:
        kept.append(arguments)
        if len(kept) == 5:
            raise KeyboardInterrupt
        return before(*arguments, **options)  # type: ignore[arg-type]

    before = Keeper.keep_any
    monkeypatch.setattr(Keeper, "keep_any", interrupt)
    with pytest.raises(KeyboardInterrupt):
        DirectorySnapshot.snap("mixed")
    monkeypatch.undo()
    assert not [path for path in home.rglob("*") if ".part" in path.name]
    monkeypatch.chdir(project)
    assert DirectorySnapshot.snap("mixed").files == 20
