"""Snapshots of files: what is kept, and how it comes back."""

import os
import stat
import time
from pathlib import Path

import pytest
from blake3 import blake3

import hitsave
from hitsave import DirectorySnapshot, FileSnapshot, SnapshotError
from hitsave.snapshot import keep

Warnings = list[str]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 3_000_000])
def test_what_was_snapped_comes_back(project: Path, size: int) -> None:
    content = os.urandom(size)
    (project / "data.bin").write_bytes(content)
    taken = FileSnapshot.snap("data.bin")
    (project / "data.bin").unlink()
    assert (taken.digest, taken.size) == (blake3(content).hexdigest(), size)
    assert taken.restore() == project / "data.bin"
    assert (project / "data.bin").read_bytes() == taken.read_bytes() == content


def test_what_a_snapshot_says(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "notes.tar.gz").write_text("text")
    taken = FileSnapshot.snap(project / "sub" / "notes.tar.gz")
    assert (taken.path, taken.name, taken.suffix) == ("sub/notes.tar.gz", "notes.tar.gz", ".gz")
    assert taken.read_text() == "text"
    with taken.open("rb") as file:
        assert file.read() == b"text"
    with pytest.raises(SnapshotError, match="cannot be opened with 'w'"), taken.open("w"):
        pass


def test_equality_is_by_content_and_path(project: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (project / name).write_text("same")
    first, other = FileSnapshot.snap("a.txt"), FileSnapshot.snap("b.txt")
    assert first == FileSnapshot.snap("a.txt") != other
    assert first.digest == other.digest
    assert len({first, other, FileSnapshot.snap(Path("a.txt"))}) == 2


def test_the_same_content_is_kept_once(project: Path, home: Path) -> None:
    for name in ("a.bin", "b.bin", "c.bin"):
        (project / name).write_bytes(bytes(200_000))
        FileSnapshot.snap(name)
    assert len([path for path in (home / "blobs").rglob("*") if path.is_file()]) == 1


def test_an_unchanged_file_is_not_read_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / "data.bin"
    path.write_bytes(b"x" * 100_000)
    time.sleep(2.1)
    taken = FileSnapshot.snap("data.bin")
    read = []
    monkeypatch.setattr(keep.Contents, "write", lambda *_: read.append("read"))
    monkeypatch.setattr(keep, "digest_rest", lambda *_: read.append("read"))
    assert FileSnapshot.snap("data.bin") == taken
    assert read == []


def test_a_change_that_leaves_size_and_time_as_they_are_is_seen(project: Path) -> None:
    path = project / "data.bin"
    path.write_bytes(b"x" * 1000)
    os.utime(path, ns=(10**18, 10**18))
    time.sleep(2.1)
    first = FileSnapshot.snap("data.bin")
    path.write_bytes(b"y" * 1000)
    os.utime(path, ns=(10**18, 10**18))
    assert FileSnapshot.snap("data.bin").digest != first.digest


def test_a_file_that_was_just_written_is_read_again(project: Path) -> None:
    path = project / "data.bin"
    digests = set()
    for letter in b"abcdefgh":
        path.write_bytes(bytes([letter]) * 1000)
        digests.add(FileSnapshot.snap("data.bin").digest)
    assert len(digests) == 8


def test_restoring_makes_a_link_that_is_read_only(project: Path, home: Path) -> None:
    (project / "a.txt").write_text("a")
    taken = FileSnapshot.snap("a.txt")
    restored = taken.restore_at("b.txt")
    assert restored.is_symlink()
    assert restored.resolve() == taken.restore_safe()
    assert taken.restore_safe().is_relative_to(home)
    assert stat.S_IMODE(taken.restore_safe().stat().st_mode) == 0o444


@pytest.mark.parametrize("link", ["copy", "reflink"])
def test_a_copy_is_a_file_of_its_own(project: Path, link: str) -> None:
    (project / "a.txt").write_text("a")
    (project / "a.txt").chmod(0o640)
    taken = FileSnapshot.snap("a.txt")
    restored = taken.restore_at("b.txt", link)
    assert stat.S_IMODE(restored.lstat().st_mode) == 0o640
    restored.write_text("other")
    assert taken.read_text() == "a"


def test_an_executable_stays_one(project: Path) -> None:
    (project / "tool").write_text("#!/bin/sh\necho done\n")
    (project / "tool").chmod(0o755)
    taken = FileSnapshot.snap("tool")
    restored = taken.restore_at("copy")
    assert not restored.is_symlink()
    assert stat.S_IMODE(restored.stat().st_mode) == 0o755


def test_what_is_replaced_is_kept_and_told_of(project: Path, warned: Warnings) -> None:
    path = project / "a.txt"
    path.write_text("old")
    taken = FileSnapshot.snap("a.txt")
    path.write_text("precious")
    taken.restore()
    assert path.read_text() == "old"
    (warning,) = warned
    assert f"{path} was there already" in warning
    prefix = warning.partition("--restore ")[2].partition(" ")[0]
    assert FileSnapshot.from_digest(prefix).read_text() == "precious"


def test_replacing_when_asked_to_says_nothing(project: Path, warned: Warnings) -> None:
    (project / "a.txt").write_text("old")
    taken = FileSnapshot.snap("a.txt")
    (project / "a.txt").write_text("new")
    taken.restore(overwrite=True)
    assert (project / "a.txt").read_text() == "old"
    taken.restore()
    assert warned == []


def test_replacing_when_told_not_to_raises(project: Path) -> None:
    (project / "a.txt").write_text("old")
    taken = FileSnapshot.snap("a.txt")
    (project / "a.txt").write_text("new")
    with pytest.raises(SnapshotError, match=r"a\.txt is there already"):
        taken.restore(overwrite=False)
    assert (project / "a.txt").read_text() == "new"


def test_a_restored_file_can_be_snapped_again(project: Path) -> None:
    (project / "a.txt").write_text("a")
    taken = FileSnapshot.snap("a.txt")
    taken.restore()
    assert FileSnapshot.snap("a.txt") == taken


def test_folders_on_the_way_are_made(project: Path) -> None:
    (project / "deep" / "er").mkdir(parents=True)
    (project / "deep" / "er" / "a.txt").write_text("a")
    taken = FileSnapshot.snap("deep/er/a.txt")
    (project / "deep" / "er" / "a.txt").unlink()
    (project / "deep" / "er").rmdir()
    assert taken.restore().read_text() == "a"
    assert taken.restore_at(project / "new" / "place" / "b.txt").read_text() == "a"


@pytest.mark.usefixtures("project")
def test_a_file_outside_of_the_project_is_restored_only_where_it_is_asked_for(
    tmp_path: Path,
) -> None:
    (tmp_path / "outside.txt").write_text("a")
    taken = FileSnapshot.snap(tmp_path / "outside.txt")
    assert taken.path == str(tmp_path / "outside.txt")
    with pytest.raises(SnapshotError, match="outside of the project"):
        taken.restore()
    assert taken.restore_at("inside.txt").read_text() == "a"


def test_restoring_by_digest(project: Path) -> None:
    (project / "a.txt").write_text("A")
    (project / "folder").mkdir()
    (project / "folder" / "b.txt").write_text("B")
    file, folder = FileSnapshot.snap("a.txt"), DirectorySnapshot.snap("folder")
    (project / "a.txt").unlink()
    assert file.digest.startswith("32684bfa28c")
    assert hitsave.restore("32684bfa28c") == str(project / "a.txt")
    assert (project / "a.txt").read_text() == "A"
    assert hitsave.restore(folder.digest[:12]) == str(project / "folder")
    with pytest.raises(SnapshotError, match="is a folder's"):
        FileSnapshot.from_digest(folder.digest)
    with pytest.raises(SnapshotError, match="is a file's"):
        DirectorySnapshot.from_digest(file.digest)


@pytest.mark.parametrize(
    ("digest", "says"),
    [
        ("", "is no digest"),
        ("xyz123", "is no digest"),
        ("3268", "too short"),
        ("f" * 65, "is no digest"),
        ("123456", "No snapshot in the store"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_digest_that_leads_to_nothing(digest: str, says: str) -> None:
    with pytest.raises(SnapshotError, match=says):
        FileSnapshot.from_digest(digest)


def test_a_digest_that_leads_to_several(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hitsave.snapshot.catalog.FEWEST_DIGITS", 1)
    digests = []
    for number in range(40):
        (project / "a.txt").write_text(str(number))
        digests.append(FileSnapshot.snap("a.txt").digest)
    first = max(digests, key=lambda d: sum(each[0] == d[0] for each in digests))[0]
    with pytest.raises(SnapshotError, match="More than one snapshot"):
        FileSnapshot.from_digest(first)


def test_there_is_no_remote_yet(project: Path) -> None:
    (project / "a.txt").write_text("a")
    with pytest.raises(SnapshotError, match="No remote is set up"):
        FileSnapshot.snap("a.txt").upload()


def test_a_damaged_file_of_the_store_is_never_given_back(project: Path, warned: Warnings) -> None:
    (project / "a.txt").write_text("a" * 1000)
    taken = FileSnapshot.snap("a.txt")
    stored = taken.restore_safe()
    stored.chmod(0o644)
    stored.write_text("b" * 1000)
    with pytest.raises(SnapshotError, match="damaged and set aside"):
        taken.read_text()
    assert "A stored file is damaged" in warned[0]
    assert FileSnapshot.snap("a.txt").read_text() == "a" * 1000
