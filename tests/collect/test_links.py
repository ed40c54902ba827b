"""What restored links lead to stays for as long as they do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hitsave import DirectorySnapshot, FileSnapshot, memo
from hitsave.collect.calls import delete_calls, find_calls
from hitsave.collect.collector import Report
from hitsave.snapshot import links
from hitsave.store import Store, Table, scan_all

Gc = Callable[..., Report]
LARGE = 300_000


@memo
def write(text: str) -> FileSnapshot:
    with open(f"{text}.txt", "w") as file:
        file.write(text * LARGE)
    return FileSnapshot.snap(f"{text}.txt")


@memo
def write_folder(text: str) -> DirectorySnapshot:
    folder = Path("made")
    (folder / "inner").mkdir(parents=True, exist_ok=True)
    for name in ("first", "inner/second"):
        (folder / f"{name}.txt").write_text(f"{text}{name}" * LARGE)
    return DirectorySnapshot.snap(folder)


def forget(store: Store) -> None:
    delete_calls(store, find_calls(store, __name__))


@pytest.fixture(autouse=True)
def gone_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that is gone counts no longer."""
    monkeypatch.setattr(links, "MISSED_FOR", 0.0)


def test_a_link_holds_its_content_until_something_else_is_there(
    project: Path, store: Store, gc: Gc
) -> None:
    write("a").restore_at("link.txt", overwrite=True)
    forget(store)
    assert gc().files == 0
    assert (project / "link.txt").read_text() == "a" * LARGE
    assert len(list(scan_all(store, Table.LINKS))) == 1
    write("b").restore_at("link.txt", overwrite=True)
    assert gc().files == 1
    (project / "link.txt").unlink()
    (project / "link.txt").write_text("mine")
    forget(store)
    assert gc().files == 1
    assert not list(scan_all(store, Table.LINKS))
    assert (project / "link.txt").read_text() == "mine"


def test_a_copy_holds_nothing(project: Path, store: Store, gc: Gc) -> None:
    write("a").restore_at("copy.txt", link="copy")
    forget(store)
    assert gc().files == 1
    assert (project / "copy.txt").read_text() == "a" * LARGE


def test_a_link_that_is_gone_may_have_been_moved(
    project: Path, store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a").restore_at("link.txt")
    forget(store)
    (project / "link.txt").rename(project / "moved.txt")
    with monkeypatch.context() as patched:
        patched.setattr(links, "MISSED_FOR", 1000.0)
        assert gc().files == 0
        assert (project / "moved.txt").read_text() == "a" * LARGE
    assert gc().files == 1


def test_a_link_that_cannot_be_seen_counts_as_gone_and_not_as_replaced(
    project: Path, store: Store, gc: Gc, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a").restore_at("folder/link.txt")
    forget(store)
    shutil.rmtree(project / "folder")
    (project / "folder").write_text("a file now")
    monkeypatch.setattr(links, "MISSED_FOR", 1000.0)
    assert gc().files == 0


def test_each_link_of_a_folder_holds_its_own(project: Path, store: Store, gc: Gc) -> None:
    write_folder("a").restore_at("there")
    forget(store)
    assert gc().files == 0
    (project / "there" / "first.txt").unlink()
    (project / "there" / "first.txt").write_text("mine")
    assert gc().files == 1
    assert (project / "there" / "inner" / "second.txt").read_text() == "ainner/second" * LARGE
    assert gc().files == 0  # it is still known where to look
    shutil.rmtree(project / "there")
    assert gc().files == 2  # the other file, and the list of what was in the folder
    assert not list(scan_all(store, Table.LINKS))


def test_two_folders_merged_into_one_place(project: Path, store: Store, gc: Gc) -> None:
    first = write_folder("a")
    (project / "made" / "inner" / "second.txt").rename(project / "made" / "third.txt")
    shutil.rmtree(project / "made" / "inner")
    second = DirectorySnapshot.snap("made")
    first.restore_at("there")
    second.restore_at("there")
    forget(store)
    delete_listed(store)
    assert gc().freed < LARGE
    for name in ("first", "inner/second", "third"):
        assert (project / "there" / f"{name}.txt").read_text()


def delete_listed(store: Store) -> None:
    store.delete(Table.SNAPSHOTS, [digest for digest, _ in scan_all(store, Table.SNAPSHOTS)])


def test_restoring_often_is_noted_once(project: Path, store: Store) -> None:
    taken = write("a")
    for _ in range(3):
        taken.restore_at("link.txt")
        (project / "link.txt").unlink()
    assert len(list(scan_all(store, Table.LINKS))) == 1
