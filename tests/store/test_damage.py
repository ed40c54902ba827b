"""Damaged files: never a wrong value, never an exception, and healed by going on."""

import os
import random
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from hitsave.digest import digest_bytes
from hitsave.store import Store, Table, Write, open_local
from hitsave.store.environment import Environment
from hitsave.store.local import LocalStore

VALUES = {b"%04d" % n: bytes([n % 251]) * random.Random(n).randrange(5_000) for n in range(200)}
WRITES = [Write(Table.CALLS, key, value) for key, value in VALUES.items()]


def data_file(home: str) -> Path:
    return Path(home) / "records" / "data.mdb"


def change_value(home: str, old: bytes, new: bytes) -> None:
    """Change a value in the closed data file."""
    content = data_file(home).read_bytes()
    assert content.count(old) == 1
    data_file(home).write_bytes(content.replace(old, new))


def test_a_damaged_record_is_absent_warned_of_once_and_healed_by_the_next_commit(
    home: str, local: Store, warned: list[str]
) -> None:
    local.commit([Write(Table.CALLS, b"k1", b"the value"), Write(Table.CALLS, b"k2", b"good")])
    local.close()
    change_value(home, b"the value", b"the wrong")
    store = open_local(home)
    assert [store.get(Table.CALLS, b"k1") for _ in range(3)] == [None] * 3
    assert store.scan(Table.CALLS, limit=5) == [(b"k2", b"good")]
    assert len(warned) == 1
    assert "damaged" in warned[0]
    store.commit([Write(Table.CALLS, b"k1", b"the value")])
    assert store.get(Table.CALLS, b"k1") == b"the value"
    store.close()


def test_a_damaged_record_is_removed_by_a_commit_of_something_else(
    home: str, local: Store, warned: list[str]
) -> None:
    local.commit([Write(Table.CALLS, b"k1", b"the value")])
    local.close()
    change_value(home, b"the value", b"the wrong")
    store = open_local(home)
    assert store.get(Table.CALLS, b"k1") is None
    store.commit([Write(Table.STATE, b"other", b"value")])
    store.close()
    assert b"the wrong" not in _reachable(home)
    assert len(warned) == 1


def _reachable(home: str) -> bytes:
    environment = lmdb.Environment(
        str(data_file(home).parent), readonly=True, lock=False, max_dbs=20, lib_version=0
    )
    with environment.begin(db=environment.open_db(b"calls.1", create=False)) as transaction:
        values = b"".join(value for _, value in transaction.cursor())
    environment.close()
    return values


def test_a_damaged_record_that_nobody_looked_up_does_not_win_over_a_good_one(
    home: str, local: Store, warned: list[str]
) -> None:
    local.commit([Write(Table.CALLS, b"k1", b"the value")])
    local.close()
    change_value(home, b"the value", b"the wrong")
    store = open_local(home)
    store.commit([Write(Table.CALLS, b"k1", b"the value")])
    assert store.get(Table.CALLS, b"k1") == b"the value"
    assert len(warned) == 1
    store.close()


def test_a_record_healed_by_another_process_stays(
    home: str, local: Store, run: Callable[..., str], warned: list[str]
) -> None:
    local.commit([Write(Table.CALLS, b"k1", b"the value")])
    local.close()
    change_value(home, b"the value", b"the wrong")
    store = open_local(home)
    assert store.get(Table.CALLS, b"k1") is None
    assert len(warned) == 1
    run('open_local(home).commit([Write(Table.CALLS, b"k1", b"the value")])')
    store.commit([Write(Table.STATE, b"other", b"value")])
    assert store.get(Table.CALLS, b"k1") == b"the value"
    store.close()


def damaged_object(home: str, digest: bytes, change: Callable[[Path], object]) -> Path:
    name = digest.hex()
    path = Path(home) / "objects" / name[:2] / name[2:]
    change(path)
    return path


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        flip,
        lambda path: os.truncate(path, 100),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(b"garbage" * 1000),
        lambda path: path.unlink() or path.mkdir(),
        lambda path: path.unlink() or os.mkfifo(path),
    ],
    ids=["flip", "shorter", "empty", "garbage", "folder", "pipe"],
)
def test_a_damaged_object_is_absent_set_aside_and_written_again(
    home: str, local: Store, warned: list[str], change: Callable[[Path], object]
) -> None:
    digest = local.write_object([b"payload", bytes(50_000)])
    path = damaged_object(home, digest, change)
    assert local.read_object(digest) is None
    assert local.read_object(digest) is None
    assert len(warned) == 1
    assert not path.exists()
    assert len(list((Path(home) / "quarantine").iterdir())) == 1
    assert local.write_object([b"payload", bytes(50_000)]) == digest
    assert local.read_object(digest) is not None


def test_a_link_in_the_place_of_an_object_is_not_followed(
    home: str, local: Store, tmp_path: Path, warned: list[str]
) -> None:
    digest = local.write_object([b"payload"])
    elsewhere = tmp_path / "elsewhere"
    damaged_object(home, digest, lambda path: (path.rename(elsewhere), path.symlink_to(elsewhere)))
    assert local.read_object(digest) is None
    assert len(warned) == 1
    assert local.write_object([b"payload"]) == digest
    assert local.read_object(digest) is not None


def test_an_object_changed_after_it_was_read_is_verified_again(
    home: str, local: Store, warned: list[str]
) -> None:
    digest = local.write_object([b"payload", bytes(50_000)])
    assert local.read_object(digest) is not None
    damaged_object(home, digest, flip)
    assert local.read_object(digest) is None
    assert len(warned) == 1


def test_an_object_written_twice_is_no_damage_and_one_file(
    home: str, local: Store, warned: list[str]
) -> None:
    digest = local.write_object([b"payload"])
    assert local.read_object(digest) is not None
    local.write_object([b"payload"])
    assert local.read_object(digest) is not None
    assert sum(len(files) for _, _, files in os.walk(Path(home) / "objects")) == 1
    assert warned == []


GARBAGE = {
    "garbage": lambda content: random.Random(1).randbytes(len(content)),
    "zeros": lambda content: bytes(len(content)),
    "one byte": lambda content: content[:1],
    "a torn meta": lambda content: content[:100],
    "one meta": lambda content: content[:4096],
    "no first meta": lambda content: bytes(4096) + content[4096:],
    "text": lambda _: b"this is the user's own file",
    "a root beyond the end": lambda content: (
        content[:128] + b"\x7f" * 8 + content[136:4224] + b"\x7f" * 8 + content[4232:]
    ),
}


@pytest.mark.parametrize("damage", GARBAGE)
def test_a_data_file_that_is_none_is_set_aside_and_kept(
    home: str, local: Store, warned: list[str], damage: str
) -> None:
    local.commit(WRITES)
    local.close()
    broken = GARBAGE[damage](data_file(home).read_bytes())
    data_file(home).write_bytes(broken)
    store = open_local(home)
    assert store.get(Table.CALLS, b"0001") is None
    store.commit(WRITES)
    assert dict(store.scan(Table.CALLS, limit=1000)) == VALUES
    assert len(warned) == 1
    kept = list(Path(home).glob("corrupt-*"))
    assert [path.read_bytes() for path in kept] == [broken]
    store.close()


def test_an_empty_data_file_is_a_new_one(home: str, local: Store, warned: list[str]) -> None:
    local.close()
    data_file(home).write_bytes(b"")
    store = open_local(home)
    store.commit(WRITES)
    assert dict(store.scan(Table.CALLS, limit=1000)) == VALUES
    assert warned == []
    store.close()


# One round of what a program does with a store whose files somebody damaged. Prints the keys whose
# value is wrong, how many are missing, and how many still are after they were written again.
ROUND = """
import warnings
warnings.simplefilter("ignore")
VALUES = dict(eval(sys.stdin.readline()))
store = open_local(home)
found = {key: store.get(Table.CALLS, key) for key in VALUES}
found |= dict(store.scan(Table.CALLS, limit=10**6))
missing = [key for key, value in found.items() if value is None]
wrong = [key for key in found if found[key] not in (None, VALUES.get(key))]
for _ in range(2):
    store.commit([Write(Table.CALLS, key, value) for key, value in VALUES.items()])
still = [key for key in VALUES if store.get(Table.CALLS, key) != VALUES[key]]
print(wrong, len(missing), len(still))
"""


@pytest.mark.parametrize("size", [0.999, 0.9, 0.5, 0.1])
def test_a_data_file_cut_short_kills_nobody(
    home: str, local: Store, start: Callable[..., "subprocess.Popen[str]"], size: float
) -> None:
    local.commit(WRITES)
    local.close()
    os.truncate(data_file(home), int(size * data_file(home).stat().st_size))
    printed = finish(start(ROUND))
    assert printed[0] == "[]"
    assert finish(start(ROUND)) == ["[]", "0", "0"]


def finish(process: "subprocess.Popen[str]") -> list[str]:
    printed, _ = process.communicate(repr(VALUES) + "\n", timeout=60)
    assert process.returncode == 0
    return printed.split()


@pytest.mark.parametrize("size", [0, 100, 8192, 0.5])
@pytest.mark.parametrize("look", ["get", "scan", "size"])
def test_a_data_file_cut_short_while_open_kills_nobody_who_reads(
    home: str, size: float, look: str
) -> None:
    def read() -> int:
        store = open_local(home)
        store.commit(WRITES)
        length = int(size if size > 1 else size * data_file(home).stat().st_size)
        os.truncate(data_file(home), length)
        if look == "get":
            found = {key: store.get(Table.CALLS, key) for key in VALUES}
        elif look == "scan":
            found = dict.fromkeys(VALUES) | dict(store.scan(Table.CALLS, limit=10**6))
        else:
            store.records_size()
            found = dict.fromkeys(VALUES)
        is_right = all(found[key] in (None, VALUES[key]) for key in VALUES)
        store.commit(WRITES)
        return int(not is_right or dict(store.scan(Table.CALLS, limit=10**6)) != VALUES)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert _in_child(read) == 0


def test_a_data_file_cut_short_while_open_is_noticed_by_the_next_commit(
    home: str, local: Store, warned: list[str]
) -> None:
    local.commit(WRITES)
    os.truncate(data_file(home), 8192)
    local.commit(WRITES)
    assert dict(local.scan(Table.CALLS, limit=1000)) == VALUES
    assert len(warned) == 1


def _use(home: str) -> int:
    """What a program does with a store; returns 0, or 1 when a value is wrong."""
    store = open_local(home)
    found = {key: store.get(Table.CALLS, key) for key in VALUES}
    found |= dict(store.scan(Table.CALLS, limit=10**6))
    store.commit(WRITES[::2])
    store.delete(Table.CALLS, list(VALUES)[::5])
    found |= {key: store.get(Table.CALLS, key) or found[key] for key in VALUES}
    store.close()
    return int(any(value not in (None, VALUES.get(key)) for key, value in found.items()))


def _in_child(function: Callable[[], int]) -> int:
    """Call `function` in a fork, which a crash may end, and return how that exited."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            code = function()
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


@pytest.mark.parametrize("where", ["anywhere", "in the headers of pages"])
def test_flipped_bits_give_no_wrong_value_no_exception_and_no_death(
    home: str, local: Store, where: str
) -> None:
    local.commit(WRITES)
    local.delete(Table.CALLS, list(VALUES)[::7])
    local.commit(WRITES[::7])
    local.close()
    sound = data_file(home).read_bytes()
    chance = random.Random(where)
    for _ in range(60):
        at = chance.randrange(len(sound))
        if where != "anywhere":
            at = at // 4096 * 4096 + chance.randrange(64)
        flipped = bytearray(sound)
        flipped[at] ^= 1 << chance.randrange(8)
        data_file(home).write_bytes(flipped)
        assert _in_child(lambda: _use(home)) == 0, at
        # What is left after that is a store that works.
        assert _in_child(lambda: _use(home)) == 0, at


ROWS = {digest_bytes(b"%d" % n)[:16] + b"row": b"%d" % n for n in range(40)}
ROW_WRITES = [Write(Table.SETS, key, value) for key, value in ROWS.items()]


def _find_rows(store: Store, *, newest_first: bool) -> dict[bytes, bytes]:
    found = {}
    for key in ROWS:
        found |= dict(store.scan(Table.SETS, key[:16], limit=4, newest_first=newest_first))
    return found


def _use_rows(home: str) -> int:
    """What programs do with rows that they find by the start of the key: 1 where any is wrong."""
    store = open_local(home)
    found = [_find_rows(store, newest_first=way) for way in (True, False)]
    lost = [Write(Table.SETS, key, value) for key, value in ROWS.items() if key not in found[0]]
    store.commit(lost)
    store.close()
    return int(any(ROWS.get(key) != rows[key] for rows in found for key in rows))


def _has_all_rows(home: str) -> int:
    store = open_local(home)
    return int(any(_find_rows(store, newest_first=way) != ROWS for way in (True, False)))


def test_rows_that_flipped_bits_put_out_of_order_are_found_again_once_written(
    home: str, local: Store
) -> None:
    local.commit(ROW_WRITES)
    local.close()
    sound = data_file(home).read_bytes()
    ((leaf, _),) = [
        (at, page)
        for at in range(0, len(sound), 4096)
        if all(row in (page := sound[at : at + 4096]) for row in ROWS)
    ][-1:]
    # The pointers to the rows, which stand in the order of their keys.
    for bit in range(8 * 16, 8 * (16 + 2 * len(ROWS)), 11):
        flipped = bytearray(sound)
        flipped[leaf + bit // 8] ^= 1 << bit % 8
        data_file(home).write_bytes(flipped)
        assert _in_child(lambda: _use_rows(home)) == 0, bit
        assert _in_child(lambda: _use_rows(home)) == 0, bit
        assert _in_child(lambda: _has_all_rows(home)) == 0, bit


def test_an_error_of_lmdb_on_a_lookup_is_a_miss_and_one_warning(
    local: LocalStore, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    local.commit([Write(Table.CALLS, b"key", b"value")])

    def fail(*_: object) -> None:
        raise lmdb.Error("an input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Environment, "get", fail)
        assert local.get(Table.CALLS, b"key") is None
    # It is left alone for a while: what follows costs nothing, and warns no more.
    assert local.get(Table.CALLS, b"key") is None
    assert len(warned) == 1
    local._tables._rests_until = 0.0
    assert local.get(Table.CALLS, b"key") == b"value"
