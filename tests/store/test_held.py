"""Files that are removed while somebody begins to use them."""

import os
import threading
import time
from pathlib import Path

import pytest

from hitsave.digest import digest_bytes
from hitsave.store import Store
from hitsave.store.held import OFTEN, delete_unused, held_in, note_use


def place(folder: Path, content: bytes) -> Path:
    name = digest_bytes(content).hex()
    path = folder / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def age(path: Path, nanoseconds: int = 10 * OFTEN) -> int:
    """Let a file be used last a while ago; returns when."""
    used = path.stat().st_atime_ns - nanoseconds
    os.utime(path, ns=(used, path.stat().st_mtime_ns))
    return used


def test_only_files_by_digest_are_listed(tmp_path: Path) -> None:
    path = place(tmp_path, b"content")
    (path.parent / ".part-1").write_bytes(b"unfinished")
    (path.parent / "notes.txt").write_bytes(b"somebody's")
    (path.parent / ("ab" * 31)).mkdir()
    (tmp_path / "ff").write_bytes(b"no folder")
    (tmp_path / "other").mkdir()
    (held,) = held_in(str(tmp_path))
    assert (held.digest, held.size) == (digest_bytes(b"content"), 7)
    assert held.used == path.stat().st_atime_ns
    assert list(held_in(str(tmp_path / "absent"))) == []


def test_a_use_is_noted_now_and_then(tmp_path: Path) -> None:
    path = place(tmp_path, b"content")
    before = path.stat()
    note_use(str(path), before)
    assert path.stat().st_atime_ns == before.st_atime_ns
    used = age(path)
    note_use(str(path), path.stat())
    assert path.stat().st_atime_ns > used + OFTEN
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_clock_that_was_ahead_is_put_right(tmp_path: Path) -> None:
    path = place(tmp_path, b"content")
    ahead = age(path, -100 * OFTEN)
    note_use(str(path), path.stat())
    assert path.stat().st_atime_ns < ahead


def test_what_was_used_since_stays_whole(tmp_path: Path) -> None:
    path = place(tmp_path, b"content")
    used = age(path)
    note_use(str(path), path.stat())
    assert not delete_unused(str(path), used)
    assert path.read_bytes() == b"content"
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert delete_unused(str(path), path.stat().st_atime_ns)
    assert not any(path.parent.iterdir())


def test_what_is_used_while_it_is_removed_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place(tmp_path, b"content")
    used, rename = age(path), os.rename

    def use_first(source: str, target: str) -> None:
        note_use(str(path), path.stat())
        rename(source, target)

    monkeypatch.setattr(os, "rename", use_first)
    assert not delete_unused(str(path), used)
    assert path.read_bytes() == b"content"


def test_who_comes_too_late_learns_of_it(tmp_path: Path) -> None:
    path = place(tmp_path, b"content")
    used = age(path)
    status = path.stat()
    assert delete_unused(str(path), used)
    with pytest.raises(FileNotFoundError):
        note_use(str(path), status)


def test_what_took_its_place_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place(tmp_path, b"content")
    used, lstat = age(path), os.lstat

    def write_again(aside: str) -> os.stat_result:
        os.utime(aside)
        path.write_bytes(b"content")
        return lstat(aside)

    monkeypatch.setattr(os, "lstat", write_again)
    assert not delete_unused(str(path), used)
    assert path.read_bytes() == b"content"
    assert len(list(path.parent.iterdir())) == 1


def test_what_is_written_again_while_it_is_collected_is_there(local: Store, home: str) -> None:
    digest = local.write_object([b"payload"])
    path = Path(home, "objects", digest.hex()[:2], digest.hex()[2:])

    def collect() -> None:
        for held in local.objects():
            if held.used < time.time_ns() - OFTEN:
                local.delete_object(held.digest, used=held.used)

    for _ in range(200):
        age(path)
        threads = [
            threading.Thread(target=collect),
            threading.Thread(target=local.write_object, args=([b"payload"],)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert path.exists()
