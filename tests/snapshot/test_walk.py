"""Walks: the order that things in a folder are met in, and two orders side by side."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave.snapshot.walk import Found, join, walk

names = st.text("a-/0\u00e9", min_size=1, max_size=8).map(lambda text: text.strip("/"))


def fail(path: str, error: OSError) -> None:
    raise AssertionError(path) from error


def paths(folder: Path, unwanted: str = "") -> list[str]:
    def is_wanted(found: Found) -> bool:
        return found.path != unwanted

    return [found.path for found in walk(str(folder), is_wanted, fail)]


def test_what_is_in_a_folder_comes_in_the_order_of_the_paths(tmp_path: Path) -> None:
    for name in ("a/x/y", "a/z", "a-b", "a0", "a/x-", "b/c", "\u00e9/a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = paths(tmp_path)
    assert found == sorted(found)
    assert set(found) == {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}


def test_what_is_not_wanted_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").touch()
    (tmp_path / "c").touch()
    assert paths(tmp_path, "a") == ["c"]


def test_links_are_met_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert paths(tmp_path) == ["loop"]


def test_what_went_meanwhile_is_told_of(tmp_path: Path) -> None:
    for name in ("a/b", "c", "d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    failed: list[str] = []

    def note(path: str, _: OSError) -> None:
        failed.append(path)

    def remove_all(found: Found) -> bool:
        if found.path == "a":
            (tmp_path / "a" / "b").unlink()
            (tmp_path / "a").rmdir()
            (tmp_path / "c").unlink()
        return True

    assert [each.path for each in walk(str(tmp_path), remove_all, note)] == ["a", "d"]
    assert failed == ["a", "c"]


def test_a_folder_that_there_is_not() -> None:
    with pytest.raises(AssertionError):
        list(walk(os.devnull + "/none", lambda _: True, fail))


@given(st.sets(names), st.sets(names))
def test_two_orders_are_joined_by_path(ones: set[str], others: set[str]) -> None:
    joined = list(join(((p, p) for p in sorted(ones)), ((p, p) for p in sorted(others))))
    assert [one or other or "" for one, other in joined] == sorted(ones | others)
    assert {one for one, _ in joined if one is not None} == ones
    assert {other for _, other in joined if other is not None} == others
    assert all(one == other for one, other in joined if one is not None and other is not None)
