"""Folders that can be a store's, and those that cannot."""

import io
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from hitsave.errors import StoreUnavailableError
from hitsave.store import Store, Table, Write, open_local
from hitsave.store import environment as environment_module
from hitsave.store.home import FORMAT, format_of

WRITE = [Write(Table.CALLS, b"key", b"value")]


def works(store: Store) -> bool:
    store.commit(WRITE)
    digest = store.write_object([b"payload"])
    return store.get(Table.CALLS, b"key") == b"value" and store.read_object(digest) is not None


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(path: Path | str) -> str:
    with pytest.raises(StoreUnavailableError) as caught:
        open_local(str(path))
    assert caught.value.hint
    return caught.value.message


def test_a_new_home_is_its_owners_alone_and_left_out_of_backups(home: str, local: Store) -> None:
    assert works(local)
    folders = [Path(home), *(path for path in Path(home).rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    files = [path for path in Path(home).rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    tag = (Path(home) / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_missing_parents_are_made(tmp_path: Path) -> None:
    store = open_local(str(tmp_path / "a" / "b" / "c"))
    assert works(store)
    store.close()


def test_an_empty_folder_becomes_a_home_for_its_owner_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    store = open_local(str(tmp_path))
    assert works(store)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    store.close()


def test_a_home_reached_by_two_paths_is_one_store(home: str, local: Store, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    other = open_local(str(tmp_path / "link"))
    assert other is local
    other.close()
    assert works(local)


def test_a_store_closes_with_its_last_user(home: str) -> None:
    first, second = open_local(home), open_local(home)
    first.close()
    assert works(second)
    second.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        second.commit(WRITE)
    third = open_local(home)
    assert third.get(Table.CALLS, b"key") == b"value"
    third.close()


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"the user's")
    assert "Not a directory" in refused(tmp_path / "file")
    assert "directory" in refused(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_bytes() == b"the user's"


def test_a_loop_of_links_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    refused(tmp_path / "a")
    refused(tmp_path / "a" / "home")


@pytest.mark.parametrize("path", ["x" * 300, "x/" * 3000 + "y", "null\0byte", ""])
def test_an_impossible_path_is_no_home(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    refused(path)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_bytes(b"the user's")
    tmp_path.chmod(0o755)
    assert "thesis.tex" in refused(tmp_path)
    assert content(tmp_path) == {"thesis.tex": b"the user's"}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "data.mdb").write_bytes(b"somebody's")
    refused(tmp_path)
    assert content(tmp_path) == {"records/data.mdb": b"somebody's"}


@pytest.mark.parametrize("left", ["CACHEDIR.TAG", "records", "objects"])
def test_a_home_left_unfinished_is_finished(home: str, left: str) -> None:
    store = open_local(home)
    store.close()
    keep = ["CACHEDIR.TAG", "records", "objects"]
    for name in keep[keep.index(left) + 1 :]:
        for path in sorted((Path(home) / name).rglob("*"), reverse=True):
            path.unlink()
        (Path(home) / name).rmdir()
    (Path(home) / "format").unlink()
    (Path(home) / ".part-20260101T000000-00000000").write_bytes(b"unfin")
    store = open_local(home)
    assert works(store)
    store.close()


@pytest.mark.parametrize("name", [b"hitsave store 99", b"hitsave store of another kind"])
def test_an_unknown_format_is_named_and_left_alone(home: str, name: bytes) -> None:
    store = open_local(home)
    assert works(store)
    store.close()
    (Path(home) / "format").write_bytes(format_of(name))
    before = content(Path(home))
    message = refused(home)
    assert "left alone" in message
    assert name.decode() in message
    assert content(Path(home)) == before


@pytest.mark.parametrize(
    "written",
    [
        b"",
        FORMAT[:10],
        b"\xff\x00garbage" * 100,
        b"hitsave store 99\n",
        FORMAT.replace(b"store", b"stnre"),
        format_of(b"hitsave store 99").replace(b"99", b"98"),
        b"another program's\n",
    ],
)
def test_a_damaged_format_is_written_anew(home: str, written: bytes, warned: list[str]) -> None:
    store = open_local(home)
    store.commit([Write(Table.CALLS, b"key", b"value")])
    store.close()
    (Path(home) / "format").write_bytes(written)
    for _ in range(2):
        store = open_local(home)
        assert store.get(Table.CALLS, b"key") == b"value"
        store.close()
    assert (Path(home) / "format").read_bytes() == FORMAT
    assert len(warned) == 1


def test_a_file_of_that_name_in_another_programs_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("another program's\n")
    before = content(tmp_path)
    assert "left alone" in refused(tmp_path)
    assert content(tmp_path) == before


def test_a_home_of_another_user_is_refused(
    home: str, local: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.close()
    owner = os.stat(home).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert f"another user (uid {owner})" in refused(home)


def test_a_folder_where_the_data_file_should_be_is_set_aside(
    home: str, local: Store, warned: list[str]
) -> None:
    local.close()
    data = Path(home) / "records" / "data.mdb"
    data.unlink()
    data.mkdir()
    store = open_local(home)
    assert works(store)
    assert len(warned) == 1
    store.close()


def test_a_pipe_where_the_data_file_should_be_keeps_nobody_waiting(
    home: str, local: Store, warned: list[str]
) -> None:
    local.close()
    data = Path(home) / "records" / "data.mdb"
    data.unlink()
    os.mkfifo(data)
    store = open_local(home)
    assert works(store)
    assert len(warned) == 1
    store.close()


def test_a_home_that_is_removed_while_in_use_is_made_again(
    home: str, local: Store, tmp_path: Path
) -> None:
    assert works(local)
    os.rename(home, tmp_path / "gone")
    local.get(Table.CALLS, b"key")
    assert local.read_object(b"d" * 32) is None
    assert works(local)
    assert (Path(home) / "records" / "data.mdb").exists()


def test_an_object_is_stored_first_in_a_home_that_was_removed(
    home: str, local: Store, tmp_path: Path
) -> None:
    os.rename(home, tmp_path / "gone")
    assert local.read_object(local.write_object([b"payload"])) is not None


def test_a_blob_or_a_tree_is_stored_first_in_a_home_that_was_removed(
    home: str, local: Store, tmp_path: Path
) -> None:
    os.rename(home, tmp_path / "gone")
    blob = local.write_blob(io.BytesIO(b"payload"))
    assert local.blob_path(blob.digest) is not None
    assert works(local)
    os.rename(home, tmp_path / "gone too")
    assert os.path.isdir(local.folder_of_trees())
    assert works(local)


def test_a_data_file_that_is_removed_while_in_use_is_made_again(home: str, local: Store) -> None:
    assert works(local)
    (Path(home) / "records" / "data.mdb").unlink()
    local.commit([Write(Table.CALLS, b"second", b"value")])
    local.close()
    store = open_local(home)
    assert store.get(Table.CALLS, b"second") == b"value"
    store.close()


# Gives a home to a user without privileges, denies writing to it, and becomes that user. Directly
# below the folder for temporary files, since that user cannot reach pytest's own.
UNPRIVILEGED = """
import atexit, shutil, tempfile
from hitsave.errors import StoreUnavailableError

home = os.path.join(above := tempfile.mkdtemp(), "home")
store = open_local(home)
store.commit([Write(Table.CALLS, b"key", b"value")])
digest = store.write_object([b"payload"])
store.close()
paths = [above, *(os.path.join(f, n) for f, *names in os.walk(above) for n in sum(names, []))]
privileged = os.geteuid() == 0
for path in paths:
    os.chmod(path, 0o500 if os.path.isdir(path) else 0o400)
    if privileged:
        os.chown(path, 65534, -1)
if privileged:
    os.seteuid(65534)

@atexit.register
def clean():
    if privileged:
        os.seteuid(0)
    for path in paths:
        os.chmod(path, 0o700)
    shutil.rmtree(above)
"""


def test_a_read_only_home_is_read(run: Callable[..., str]) -> None:
    program = """
store = open_local(home)
print(store.get(Table.CALLS, b"key"), store.read_object(digest) is not None)
print(store.scan(Table.CALLS, limit=5))
with store.lease(b"key", limit=1) as held:
    print(held)
for write in (
    lambda: store.commit([Write(Table.CALLS, b"other", b"value")]),
    lambda: store.delete(Table.CALLS, [b"key"]),
    lambda: store.write_object([b"other"]),
):
    try:
        write()
        print("written")
    except StoreUnavailableError as error:
        print("refused")
store.flush()
print(store.get(Table.CALLS, b"key"))
"""
    assert run(UNPRIVILEGED + program).splitlines() == [
        "b'value' True",
        "[(b'key', b'value')]",
        "True",
        *["refused"] * 3,
        "b'value'",
    ]


def test_a_parent_that_cannot_be_written_is_refused(run: Callable[..., str]) -> None:
    program = """
try:
    open_local(os.path.join(above, "inner"))
except StoreUnavailableError as error:
    print(error.message)
"""
    assert "Permission denied" in run(UNPRIVILEGED + program)


def test_a_parent_that_can_be_written_and_not_read_will_do(run: Callable[..., str]) -> None:
    program = """
os.chmod(above, 0o300)
store = open_local(os.path.join(above, "deeper", "inner"))
store.commit([Write(Table.CALLS, b"key", b"value")], durable=True)
print(store.get(Table.CALLS, b"key"))
"""
    assert run(UNPRIVILEGED + program) == "b'value'\n"


def test_a_full_disk_is_said_by_commits_and_objects_and_harms_nothing(
    run: Callable[..., str],
) -> None:
    # A limit on the size of files is to a program what a full disk is: a write fails half-way.
    program = """
import resource
from hitsave.errors import StoreUnavailableError
store = open_local(home)
store.commit([Write(Table.CALLS, b"before", b"value")])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
refused = 0
for number in range(30):
    try:
        store.commit([Write(Table.CALLS, b"%d" % number, bytes(50_000))])
    except StoreUnavailableError as error:
        refused += 1
    try:
        store.write_object([os.urandom(300_000)])
        print("written")
    except StoreUnavailableError as error:
        refused += 1
print(refused > 50, store.get(Table.CALLS, b"before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.commit([Write(Table.CALLS, b"after", b"value")])
print(store.get(Table.CALLS, b"before"), store.get(Table.CALLS, b"after"))
print([n for f, _, names in os.walk(home) for n in names if n.startswith(".part")])
"""
    assert run(program).splitlines() == ["True b'value'", "b'value' b'value'", "[]"]


def test_a_limited_address_space_gets_a_smaller_map(run: Callable[..., str]) -> None:
    program = """
import resource
import lmdb
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, resource.RLIM_INFINITY))
store = open_local(home)
store.commit([Write(Table.CALLS, b"key", b"value")])
print(store.get(Table.CALLS, b"key"))
"""
    assert run(program) == "b'value'\n"


def test_a_map_that_is_too_small_grows(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_module, "MAP_SIZES", (1 << 26, 1 << 22, 1 << 18))
    monkeypatch.setattr(environment_module, "_first_that_fits", open_smallest)
    store = open_local(home)
    for number in range(100):
        store.commit([Write(Table.CALLS, b"%d" % number, bytes(50_000))])
    assert len(store.scan(Table.CALLS, limit=1000)) == 100
    store.close()


def open_smallest(home: environment_module.Home, *, read_only: bool) -> lmdb.Environment:
    return environment_module._open_lmdb(
        home, environment_module.MAP_SIZES[-1], read_only=read_only
    )


def test_a_map_that_cannot_grow_is_a_refusal(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment_module, "MAP_SIZES", (1 << 18,))
    store = open_local(home)
    with pytest.raises(StoreUnavailableError):
        store.commit([Write(Table.CALLS, b"key", bytes(1_000_000))])
    assert works(store)
    store.close()


def test_thousands_of_results_held_at_once_leave_files_to_the_program(local: Store) -> None:
    digest = local.write_object([bytes(5_000)])
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = len(os.listdir("/proc/self/fd"))
    held = [local.read_object(digest) for _ in range(2_000)]
    assert all(view is not None and len(view) > 5_000 for view in held)
    assert len(os.listdir("/proc/self/fd")) < count + min(soft, 200)
