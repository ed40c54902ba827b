"""The digests of files, folders, paths and environment variables, and when one is read again."""

import os
import time
from pathlib import Path

import pytest

from hitsave.code import surroundings
from hitsave.code.surroundings import (
    NOTHING,
    content_digest,
    is_racy,
    listing_digest,
    presence,
    presence_digest,
    signature,
    variable_digest,
)

OLD = 1_000_000_000  # seconds; far before any run of these tests


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("one")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    noted: list[str] = []
    read = surroundings._read
    monkeypatch.setattr(surroundings, "_read", lambda path: noted.append(path) or read(path))
    return noted


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file was altered just now."""
    monkeypatch.setattr(surroundings, "RACY", -(10**18))


# -- files --------------------------------------------------------------------------------------


def test_a_file_counts_by_its_bytes(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "b.bin"
    other.write_bytes(b"one")
    assert content_digest(str(file)) == content_digest(str(other))
    other.write_bytes(b"two")
    assert content_digest(str(file)) != content_digest(str(other))


def test_an_empty_file_is_not_nothing(file: Path) -> None:
    file.write_bytes(b"")
    assert content_digest(str(file)) != NOTHING


def test_a_file_larger_than_what_is_read_at_once(file: Path) -> None:
    file.write_bytes(b"a" * (3 << 20))
    first = content_digest(str(file))
    with file.open("r+b") as opened:
        opened.seek(-1, os.SEEK_END)
        opened.write(b"b")
    assert content_digest(str(file)) != first


@pytest.mark.parametrize("name", ["absent", "a.txt/below", "n\0ul", "x" * 5000, "loop"])
def test_what_is_not_there_is_nothing(file: Path, name: str) -> None:
    (file.parent / "loop").symlink_to("loop")
    assert content_digest(str(file.parent / name)) == NOTHING


def test_a_folder_in_the_place_of_a_file_is_not_nothing(tmp_path: Path) -> None:
    """Opening it fails in another way."""
    assert content_digest(str(tmp_path)) != NOTHING


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert content_digest(str(tmp_path / "pipe")) == content_digest(str(tmp_path / "pipe"))


def test_a_link_counts_by_what_it_leads_to(file: Path) -> None:
    link, other = file.parent / "link", file.parent / "b.txt"
    link.symlink_to(file)
    assert content_digest(str(link)) == content_digest(str(file))
    other.write_text("two")
    link.unlink()
    link.symlink_to(other)
    assert content_digest(str(link)) == content_digest(str(other))


@pytest.mark.usefixtures("settled")
def test_a_file_that_did_not_change_is_read_once(file: Path, reads: list[str]) -> None:
    assert content_digest(str(file)) == content_digest(str(file))
    assert len(reads) == 1


def test_a_file_altered_just_now_is_read_again(
    file: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another change within the clock's grain would leave the same signature."""
    monkeypatch.setattr(surroundings, "RACY", 3600 * 10**9)
    content_digest(str(file))
    content_digest(str(file))
    assert len(reads) == 2


@pytest.mark.usefixtures("settled")
def test_a_change_whose_time_was_set_back_is_seen(file: Path) -> None:
    os.utime(file, (OLD, OLD))
    first = content_digest(str(file))
    time.sleep(0.02)  # more than the grain of the clock that the system notes alterations by
    file.write_text("two")
    os.utime(file, (OLD, OLD))
    assert content_digest(str(file)) != first


@pytest.mark.usefixtures("settled")
def test_a_file_that_changes_while_it_is_read_is_not_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = surroundings._read

    def slow(path: str) -> bytes:
        digest = read(path)
        file.write_text("longer than before")
        return digest

    monkeypatch.setattr(surroundings, "_read", slow)
    first = content_digest(str(file))
    monkeypatch.setattr(surroundings, "_read", read)
    assert content_digest(str(file)) not in (first, NOTHING)


def test_a_file_is_racy_for_a_moment_only(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "RACY", 3600 * 10**9)
    found = signature(str(file))
    assert found is not None
    assert is_racy(found)
    assert not is_racy(found._replace(altered=OLD * 10**9))
    assert not is_racy(None)


# -- folders ------------------------------------------------------------------------------------


def test_a_folder_counts_by_the_names_in_it(tmp_path: Path) -> None:
    empty = listing_digest(str(tmp_path))
    (tmp_path / "b").write_text("1")
    (tmp_path / "a").mkdir()
    filled = listing_digest(str(tmp_path))
    (tmp_path / "b").write_text("2")
    (tmp_path / "a" / "c").write_text("3")
    assert NOTHING != empty != filled == listing_digest(str(tmp_path))


def test_the_names_in_a_folder_cannot_run_together(tmp_path: Path) -> None:
    for folder, names in (("one", ("ab", "c")), ("two", ("a", "bc"))):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).touch()
    assert listing_digest(str(tmp_path / "one")) != listing_digest(str(tmp_path / "two"))


@pytest.mark.parametrize("name", ["__pycache__", "m.pyc", ".m.py.swp", ".m.py.swx", "m.py~"])
def test_what_python_and_editors_leave_behind_does_not_count(tmp_path: Path, name: str) -> None:
    before = listing_digest(str(tmp_path))
    (tmp_path / name).touch()
    assert listing_digest(str(tmp_path)) == before


def test_a_name_that_is_no_text_counts(tmp_path: Path) -> None:
    before = listing_digest(str(tmp_path))
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))).touch()
    assert listing_digest(str(tmp_path)) != before


@pytest.mark.parametrize("name", ["absent", "a.txt", "n\0ul"])
def test_what_cannot_be_listed_is_nothing(file: Path, name: str) -> None:
    assert listing_digest(str(file.parent / name)) == NOTHING


# -- paths and variables ------------------------------------------------------------------------


def test_a_path_is_a_file_a_folder_or_nothing(file: Path) -> None:
    paths = {"file": file, "folder": file.parent, "none": file.parent / "absent"}
    assert {presence(str(path)) for path in paths.values()} == set(paths)
    assert len({presence_digest(str(path)) for path in paths.values()}) == 3
    assert presence("n\0ul") == "none"


def test_a_variable_counts_by_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HS_RATE", raising=False)
    seen = [variable_digest("HS_RATE")]
    for value in ("", "1", "2"):
        monkeypatch.setenv("HS_RATE", value)
        seen.append(variable_digest("HS_RATE"))
    assert seen[0] == NOTHING
    assert len(set(seen)) == 4


def test_a_variable_that_is_no_text_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HS_RATE", os.fsdecode(b"\xff"))
    assert variable_digest("HS_RATE") != NOTHING
