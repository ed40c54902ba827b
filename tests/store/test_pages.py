"""The pages of the data file: what LMDB writes is let pass, and what it does not is not."""

import os
import random
import warnings
from pathlib import Path

import pytest

from hitsave.errors import DamagedError
from hitsave.store import Store, Table, Write, open_local
from hitsave.store import environment as environment_module
from hitsave.store.datafile import check_data_file

TABLES = [Table.CALLS, Table.HISTORY, Table.SETS]


def data_file(home: str) -> Path:
    return Path(home) / "records" / "data.mdb"


def write_anything(store: Store, chance: random.Random, count: int) -> None:
    """Write and delete, with short and long values, and keys with much and little in common."""
    for _ in range(count):
        table = chance.choice(TABLES)
        writes = [
            Write(table, _key(chance), chance.randbytes(chance.choice((0, 9, 300, 2000, 50_000))))
            for _ in range(chance.randrange(1, 30))
        ]
        store.commit(writes, replace=chance.random() < 0.5)
        if chance.random() < 0.4:
            found = [key for key, _ in store.scan(table, limit=200)]
            store.delete(table, chance.sample(found, len(found) // 2))


def _key(chance: random.Random) -> bytes:
    return b"prefix" * chance.randrange(4) + chance.randbytes(chance.choice((1, 2, 32, 400)))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_is_let_pass(home: str, local: Store, seed: int) -> None:
    chance = random.Random(seed)
    check_data_file(str(data_file(home)))
    for _ in range(12):
        write_anything(local, chance, 8)
        check_data_file(str(data_file(home)))


def test_deep_trees_are_let_pass(home: str, local: Store) -> None:
    keys = [b"%06d" % number * 60 for number in range(3000)]
    local.commit([Write(Table.STATE, key, b"value") for key in keys])
    check_data_file(str(data_file(home)))
    local.delete(Table.STATE, keys[::2])
    check_data_file(str(data_file(home)))
    local.delete(Table.STATE, keys)
    check_data_file(str(data_file(home)))


def test_any_damage_is_found_or_does_no_harm(home: str, local: Store, tmp_path: Path) -> None:
    chance = random.Random(0)
    rows = [Write(Table.SETS, chance.randbytes(32), chance.randbytes(60)) for _ in range(900)]
    local.commit(rows)
    local.delete(Table.SETS, [row.key for row in rows[::3]])
    local.close()
    sound, changed = data_file(home).read_bytes(), tmp_path / "data.mdb"
    found = 0
    for _ in range(400):
        content = bytearray(sound)
        # The first bytes of a page, which say what is on it.
        at = chance.randrange(2, len(content) // 4096) * 4096 + chance.randrange(64)
        content[at] ^= 1 << chance.randrange(8)
        changed.write_bytes(content)
        try:
            check_data_file(str(changed))
        except DamagedError:
            found += 1
    # The others are on pages that are free, or in values.
    assert 150 < found < 400


@pytest.mark.parametrize("size", [0, 4096, 5000, 8192, 12_000])
def test_a_file_that_is_cut_off_is_damaged(home: str, local: Store, size: int) -> None:
    local.commit([Write(Table.CALLS, b"key", b"value")])
    local.close()
    os.truncate(data_file(home), size)
    with pytest.raises(DamagedError):
        check_data_file(str(data_file(home)))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which data files were checked."""
    paths: list[str] = []

    def check(path: str) -> None:
        paths.append(path)
        check_data_file(path)

    monkeypatch.setattr(environment_module, "check_data_file", check)
    return paths


def use(home: str) -> None:
    store = open_local(home)
    store.commit([Write(Table.STATE, os.urandom(8), b"value")])
    store.close()


def test_pages_are_checked_where_something_else_wrote_to_the_file(
    home: str, local: Store, checks: list[str]
) -> None:
    local.close()
    use(home)
    use(home)
    assert checks == []
    status = data_file(home).stat()
    os.utime(data_file(home), ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    use(home)
    assert len(checks) == 1
    use(home)
    assert len(checks) == 1


@pytest.mark.parametrize("harm", ["gone", "another", "short", "a folder", "a pipe"])
def test_without_the_note_pages_are_checked(
    home: str, local: Store, checks: list[str], harm: str
) -> None:
    local.commit([Write(Table.CALLS, b"key", b"value")])
    local.close()
    note = data_file(home).with_name("as-left")
    content = note.read_bytes()
    note.unlink()
    if harm == "another":
        note.write_bytes(content[::-1])
    elif harm == "short":
        note.write_bytes(content[:5])
    elif harm == "a folder":
        note.mkdir()
    elif harm == "a pipe":
        os.mkfifo(note)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = open_local(home)
    assert store.get(Table.CALLS, b"key") == b"value"
    assert len(checks) == 1
    store.close()
