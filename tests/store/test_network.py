"""Network file systems: a store there is never opened."""

import os
from pathlib import Path

import pytest

from hitsave.store import Table, Write, network, open_local

LINE = "{id} 1 {device} / {path} rw,relatime shared:1 - {kind} server:/export rw,vers=4.2\n"


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks as if it were on a network file system."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    device = os.stat(folder).st_dev
    number = f"0:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        LINE.format(id=1, device="0:99999", path="/", kind="ext4")
        + LINE.format(id=2, device=number, path=folder, kind="nfs4")
    )
    monkeypatch.setattr(network, "MOUNTS", str(mounts))
    # As for everything that has no disk of its own.
    monkeypatch.setattr(os, "major", lambda _: 0)
    return folder


@pytest.fixture
def local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in, on a file system that counts as local."""
    folder = tmp_path / "local"
    folder.mkdir()
    judge = network.network_kind
    monkeypatch.setattr(network, "LASTING_FOLDER", str(folder))
    monkeypatch.setattr(
        network, "network_kind", lambda path: "" if path.startswith(str(folder)) else judge(path)
    )
    return folder


def test_a_network_file_system_is_told_from_a_local_one(mounted: Path, tmp_path: Path) -> None:
    assert network.network_kind(str(mounted)) == "nfs4"
    assert network.network_kind(str(mounted / "not" / "there" / "yet")) == "nfs4"
    (tmp_path / "mountinfo").write_text("")
    assert network.network_kind(str(mounted)) == ""
    (tmp_path / "mountinfo").unlink()
    assert network.network_kind(str(mounted)) == ""


@pytest.mark.parametrize(
    "line", ["\n", "1 2\n", "1 2 0:1 - \n", "\x00\x01 - nfs4 nfs4\n", " - - -\n"]
)
def test_lines_that_nobody_wrote_do_no_harm(mounted: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "mountinfo").write_text(line * 3)
    assert network.network_kind(str(mounted)) == ""


def test_what_this_computer_has_for_folders_of_its_own_is_local(tmp_path: Path) -> None:
    assert network.network_kind(str(tmp_path)) == ""
    assert network.network_kind("/nowhere/at/all") == ""


def test_a_store_on_the_network_is_opened_on_this_computer_instead(
    mounted: Path, local_folder: Path, warned: list[str]
) -> None:
    home = mounted / "home"
    for _ in range(2):
        store = open_local(str(home))
        store.commit([Write(Table.CALLS, b"key", b"value")])
        store.close()
    assert not home.exists()
    (local,) = local_folder.iterdir()
    assert local.name == f"hitsave-{os.geteuid()}"
    assert local.stat().st_mode & 0o777 == 0o700
    assert len(warned) == 1
    assert f"{home} is on a network file system (nfs4)" in warned[0]
    assert str(local) in warned[0]


def test_where_nothing_lasting_is_local_the_temporary_folder_is_used(
    mounted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warned: list[str]
) -> None:
    monkeypatch.setattr(network, "LASTING_FOLDER", str(mounted))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    found = network.local_path(str(mounted))
    assert found == str(tmp_path / "temporary" / f"hitsave-{os.geteuid()}")
    assert len(warned) == 1
