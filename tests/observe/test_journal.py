"""The journal keeps what it may be asked for, and does not grow beyond that."""

import sys
from pathlib import Path

import pytest

from hitsave.code.symbol import Facet
from hitsave.digest import digest_bytes
from hitsave.observe.journal import Journal, Reading
from hitsave.observe.places import Places

HERE = __file__
LINE = 1
LAST = 10_000


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal for which all code is project code, and which keeps ten readings of a line."""
    monkeypatch.setattr(sys.modules[Journal.__module__], "MOST", 10)
    made = Journal()
    made.places = Places(lambda path: path == HERE)
    return made


def read(journal: Journal, path: Path) -> None:
    journal.enter(Facet.FILE, str(path), sys._getframe())


def test_more_readings_of_one_line_than_are_kept_take_up_no_memory(
    journal: Journal, tmp_path: Path
) -> None:
    for number in range(100):
        read(journal, tmp_path / str(number))
    found = list(journal.readings(HERE, LINE, LAST))
    assert found[:10] == [Reading(Facet.FILE, str(tmp_path / str(n))) for n in range(10)]
    assert len({*found}) == len(found) == len(journal._states) < 15


def test_all_that_is_kept_has_a_digest(journal: Journal, tmp_path: Path) -> None:
    for number in range(100):
        path = tmp_path / str(number % 50)
        path.touch()
        read(journal, path)
    found = list(journal.readings(HERE, LINE, LAST))
    assert all(journal.digest(each) for each in found)
    assert all(journal.state(each) for each in found)


def test_what_one_line_has_no_room_for_another_may_keep(journal: Journal, tmp_path: Path) -> None:
    for number in range(100):
        read(journal, tmp_path / str(number))
    path = str(tmp_path / "99")
    assert Reading(Facet.FILE, path) not in journal._states
    journal.enter(Facet.FILE, path, sys._getframe())
    assert journal.digest(Reading(Facet.FILE, path)) == b""


def test_a_file_that_gets_another_name_is_as_it_was(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As of a file that was written long ago.
    monkeypatch.setattr(sys.modules[Journal.__module__], "is_racy", lambda _: False)
    path = tmp_path / "data.txt"
    path.write_text("one")
    reading = Reading(Facet.FILE, str(path))
    read(journal, path)
    journal.read_again(str(path))
    (tmp_path / "other").hardlink_to(path)
    assert journal.digest(reading) == digest_bytes(b"one")
    read(journal, path)
    assert journal.digest(reading) == digest_bytes(b"one")
    path.write_text("another")
    read(journal, path)
    assert journal.digest(reading) not in (digest_bytes(b"one"), digest_bytes(b"another"))
