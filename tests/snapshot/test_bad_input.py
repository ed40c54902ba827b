"""What cannot be snapped or restored: one clear error, and nothing is touched."""

import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitsave import DirectorySnapshot, FileSnapshot, SnapshotError
from hitsave.session import current
from hitsave.snapshot.catalog import keep_tree
from hitsave.snapshot.merge import Merge
from hitsave.snapshot.tree import Entry, digest_tree, pack_tree
from hitsave.store import Table, Write


def tree_of(folder: Path) -> dict[str, str]:
    """What is in a folder, without following links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        is_file = stat.S_ISREG(path.lstat().st_mode)
        found[str(path.relative_to(folder))] = path.read_text() if is_file else "no file"
    return found


@pytest.fixture
def taken(project: Path) -> DirectorySnapshot:
    (project / "data" / "sub").mkdir(parents=True)
    (project / "data" / "sub" / "a.txt").write_text("a" * 70_000)
    (project / "data" / "b.txt").write_text("b")
    return DirectorySnapshot.snap("data")


@pytest.fixture
def descriptors() -> Iterator[None]:
    """No file is left open."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # those of the store itself


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    # Its path may be short only.
    before = os.getcwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(before)


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_fifo, "is a pipe"),
        (_socket, "is a socket"),
        (_loop, "is a symbolic link"),
        (_to_zero, "is a device"),
        (Path.mkdir, "is a folder"),
        (str, "No such file"),
    ],
)
def test_what_is_no_file(project: Path, make: Callable[[Path], None], says: str) -> None:
    make(project / "thing")
    with pytest.raises(SnapshotError, match=says):
        FileSnapshot.snap("thing")


@pytest.mark.parametrize("make", [_fifo, _socket])
def test_a_folder_with_something_that_is_no_file(
    project: Path, make: Callable[[Path], None]
) -> None:
    (project / "data").mkdir()
    make(project / "data" / "thing")
    with pytest.raises(SnapshotError, match="thing is a"):
        DirectorySnapshot.snap("data")
    assert list(DirectorySnapshot.snap("data", ignore=["thing"])) == []


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("path", [b"bytes", "", "zero\0byte", "\udcff", "/dev/zero", "a\nb"])
def test_a_path_that_cannot_be(path: object) -> None:
    with pytest.raises(SnapshotError):
        FileSnapshot.snap(path)  # type: ignore[arg-type]
    with pytest.raises(SnapshotError):
        DirectorySnapshot.snap(path)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [b"line\nbreak", b"not text \xff", b"\x1b[2J"])
def test_a_name_that_cannot_be(project: Path, name: bytes) -> None:
    folder = os.fsencode(project / "data")
    os.mkdir(folder)
    with open(os.path.join(folder, name), "w"):
        pass
    with pytest.raises(SnapshotError, match="control character, or is not text"):
        DirectorySnapshot.snap("data")


def test_names_that_are_one_on_other_systems(project: Path) -> None:
    (project / "data").mkdir()
    (project / "data" / "Read.me").touch()
    (project / "data" / "READ.ME").touch()
    with pytest.raises(SnapshotError, match="the same name on some file systems"):
        DirectorySnapshot.snap("data")


@pytest.mark.usefixtures("descriptors")
def test_a_file_that_may_not_be_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "data").mkdir()
    (project / "data" / "secret").write_text("x")
    (project / "data" / "secret").chmod(0)
    opened = os.open

    def open_others(path: str, *arguments: int, **options: int) -> int:
        # For the superuser, who may read everything.
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_others)
    for snap in (lambda: FileSnapshot.snap("data/secret"), lambda: DirectorySnapshot.snap("data")):
        with pytest.raises(SnapshotError, match="secret cannot be snapped: Permission denied"):
            snap()


def test_the_store_in_the_folder_itself(tmp_path: Path, project: Path, home: Path) -> None:
    (project / "a.txt").write_text("a")
    FileSnapshot.snap("a.txt")
    with pytest.raises(SnapshotError, match="store's own folder"):
        DirectorySnapshot.snap(tmp_path)
    assert DirectorySnapshot.snap(tmp_path, ignore=["/home/"]).files == 1
    with pytest.raises(SnapshotError, match="is in the store itself"):
        DirectorySnapshot.snap(home / "objects")


# -- targets ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("descriptors")
def test_a_file_where_a_folder_should_be(project: Path, taken: DirectorySnapshot) -> None:
    (project / "target").write_text("precious")
    before = tree_of(project)
    for options in ({}, {"overwrite": True}, {"mirror": True}):
        with pytest.raises(SnapshotError, match="is no folder"):
            taken.restore_at("target", **options)  # type: ignore[arg-type]
    assert tree_of(project) == before


@pytest.mark.usefixtures("descriptors")
def test_a_folder_where_a_file_should_be(project: Path, taken: DirectorySnapshot) -> None:
    (project / "target").mkdir()
    (project / "target" / "b.txt").mkdir()
    (project / "target" / "b.txt" / "mine").write_text("precious")
    before = tree_of(project)
    with pytest.raises(SnapshotError, match="is a folder"):
        (taken / "b.txt").restore_at("target", overwrite=True)
    with pytest.raises(SnapshotError, match="is a folder"):
        taken.restore_at("target", overwrite=True)
    assert tree_of(project) == before


def test_a_file_where_an_inner_folder_should_be(project: Path, taken: DirectorySnapshot) -> None:
    (project / "target").mkdir()
    (project / "target" / "sub").write_text("precious")
    before = tree_of(project)
    with pytest.raises(SnapshotError, match="sub is no folder"):
        taken.restore_at("target", overwrite=True)
    assert tree_of(project) == before


def test_a_pipe_where_a_file_should_be(project: Path, taken: DirectorySnapshot) -> None:
    os.mkfifo(project / "target")
    with pytest.raises(SnapshotError, match="is no file"):
        (taken / "b.txt").restore_at("target", overwrite=True)
    assert stat.S_ISFIFO((project / "target").lstat().st_mode)


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize("planted", ["data", "data/sub"])
def test_a_link_in_the_way_leads_nowhere(project: Path, tmp_path: Path, planted: str) -> None:
    file = FileSnapshot.snap("data/sub/a.txt")
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    moved = project / planted
    moved.rename(project / "moved")
    moved.symlink_to(outside)
    with pytest.raises(SnapshotError, match="cannot be restored"):
        file.restore(overwrite=True)
    assert tree_of(outside) == {"sub": "no file"}


def test_links_planted_while_it_is_restored(
    project: Path, tmp_path: Path, taken: DirectorySnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    taken.restore_at("target", "copy")
    (project / "target" / "sub" / "a.txt").write_text("changed")

    def plant(plan: object) -> None:
        del plan
        (project / "target" / "sub").rename(project / "moved")
        (project / "target" / "sub").symlink_to(outside)

    before = Merge.plan

    def planned(*arguments: object) -> object:
        plan = before(*arguments)  # type: ignore[arg-type]
        plant(plan)
        return plan

    monkeypatch.setattr(Merge, "plan", planned)
    with pytest.raises(SnapshotError, match="cannot be restored"):
        taken.restore_at("target", "copy", overwrite=True)
    assert tree_of(outside) == {}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("link", ["hardlink", "", None])
def test_a_way_to_restore_that_there_is_not(taken: DirectorySnapshot, link: str) -> None:
    with pytest.raises(SnapshotError, match="cannot be restored by"):
        taken.restore_at("target", link)  # type: ignore[arg-type]


# -- what is in the store -----------------------------------------------------------------------


def test_a_tree_that_was_tampered_with(project: Path, tmp_path: Path) -> None:
    store = current().store
    entry = Entry("../../escaped", 0o644, 1, FileSnapshot.snap(__file__)._blob.digest)
    import msgpack

    packed = msgpack.packb((1, [tuple(entry)]))
    digest = digest_tree(packed)
    store.commit([Write(Table.PACKED, digest, store.write_object([packed]))])
    before = tree_of(tmp_path / "project")
    with pytest.raises(SnapshotError, match="no path inside a folder"):
        DirectorySnapshot(digest.hex(), "data", 1, 1).restore_at("target")
    assert tree_of(project) == before


def test_a_list_that_is_another_ones(project: Path) -> None:
    (project / "one").mkdir()
    taken = DirectorySnapshot.snap("one")
    store = current().store
    other = store.get(Table.PACKED, keep_tree(store, pack_tree([Entry("a", 0o755, 0, b"")])))
    assert other is not None
    store.commit([Write(Table.PACKED, bytes.fromhex(taken.digest), other)])
    with pytest.raises(SnapshotError, match="is not in the store, or was damaged"):
        taken.restore_at("target")
    assert not (project / "target").exists()


def test_content_that_is_gone(project: Path, taken: DirectorySnapshot) -> None:
    store = current().store
    for entry in taken.entries():
        store.delete_blob(entry.digest or bytes(32))
        store.delete(Table.PACKED, [entry.digest or bytes(32)])
    before = tree_of(project)
    with pytest.raises(SnapshotError, match="is not in the store"):
        taken.restore_at("target")
    assert tree_of(project) == before


# -- at the same time ---------------------------------------------------------------------------


def test_a_file_that_is_written_while_it_is_snapped(project: Path) -> None:
    path = project / "busy.bin"
    path.write_bytes(bytes(3_000_000))
    ends = threading.Event()

    def write() -> None:
        number = 0
        with path.open("r+b", buffering=0) as file:
            while not ends.is_set():
                number += 1
                file.seek(number * 7919 % 2_999_000)
                file.write(b"%08d" % number)

    writer = threading.Thread(target=write)
    writer.start()
    outcomes = []
    try:
        for _ in range(20):
            try:
                taken = FileSnapshot.snap("busy.bin")
            except SnapshotError as error:
                outcomes.append(error.message)
            else:
                taken.read_bytes()  # which verifies it
                outcomes.append("kept")
    finally:
        ends.set()
        writer.join()
    assert all(each == "kept" or "kept changing" in each for each in outcomes)
    assert any("kept changing" in each for each in outcomes)


def test_threads_that_snap_and_restore_the_same(project: Path) -> None:
    (project / "data").mkdir()
    for number in range(50):
        (project / "data" / str(number)).write_text(f"{number}" * number)
    raised, digests = [], set()

    def work(number: int) -> None:
        try:
            taken = DirectorySnapshot.snap("data")
            digests.add(taken.digest)
            taken.restore_at(f"out{number}", "copy")
            taken.restore_at("shared", "copy", overwrite=True)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 1
    assert all(isinstance(error, SnapshotError) for error in raised), raised
    assert tree_of(project / "out0") == tree_of(project / "data")
    assert not [name for name in os.listdir(project) if name.startswith(".hitsave")]
