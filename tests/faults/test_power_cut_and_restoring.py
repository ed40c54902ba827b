"""A power cut while snapshots are restored: neither what they replace is lost, nor a link."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import shim as shims
from tests.faults.conftest import Rounds
from tests.faults.disk import Disk, read_log
from tests.faults.warm import Warm, warm

# What is to be replaced is on disk before anything is restored.
RESTORE = """
import os
from hitsave import DirectorySnapshot, FileSnapshot

NAMES = ("few", "many")


def content(word, name):
    return f"{word} {name} ".encode() * {"few": 10, "many": 20_000}[name]


def write(folder, word):
    os.mkdir(folder)
    for name in NAMES:
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content(word, name))
            file.flush()
            os.fsync(file.fileno())
    for synced in (folder, os.path.dirname(folder)):
        descriptor = os.open(synced, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def main(disk):
    write(os.path.abspath("new"), "new")
    for folder in ("folder", "files"):
        write(f"{disk}/{folder}", f"old {folder}")
    with open(os.environ["FAULTS_LOG"], "ab") as log:
        log.write(b"note\\t0\\t0\\t0\\t0\\t\\t\\t\\n")
    DirectorySnapshot.snap("new").restore_at(f"{disk}/folder", "copy")
    for name in NAMES:
        FileSnapshot.snap(f"new/{name}").restore_at(f"{disk}/files/{name}", "copy")
    FileSnapshot.snap("new/few").restore_at(f"{disk}/link")
    DirectorySnapshot.snap("new").restore_at(f"{disk}/linked")
"""

LOOK = """
import os
from hitsave import DirectorySnapshot, FileSnapshot
from hitsave.session import current
from hitsave.snapshot.catalog import everything
from hitsave.snapshot.links import all_restored
from restore import NAMES, content


def kept():
    for found in everything(current().store):
        if not found.is_folder:
            yield FileSnapshot.from_digest(found.digest.hex()).read_bytes()
            continue
        for each in DirectorySnapshot.from_digest(found.digest.hex()):
            yield each.read_bytes()


def main(disk):
    found = set(kept())
    for folder in ("folder", "files"):
        for name in NAMES:
            old, path = content(f"old {folder}", name), f"{disk}/{folder}/{name}"
            if old not in found and open(path, "rb").read() != old:
                print("lost", folder, name)
    known = {os.path.basename(restored.path) for restored in all_restored(current().store)}
    for link, path in (("link", "link"), ("linked", "linked/many")):
        if os.path.islink(f"{disk}/{path}") and link not in known:
            print("of", link, "nothing is known")
"""


@pytest.fixture
def process(tmp_path: Path, shim: Path) -> Iterator[Warm]:
    programs = {"restore": RESTORE, "look": LOOK}
    with warm(tmp_path / "project", programs, LD_PRELOAD=str(shim)) as found:
        yield found


def test_what_is_replaced_and_what_links_lead_to_is_known_whenever_the_power_is_cut(
    process: Warm, tmp_path: Path, rounds: Rounds
) -> None:
    disk, log, left = tmp_path / "disk", tmp_path / "log", tmp_path / "left"
    disk.mkdir()
    done = process.run("restore", disk / "home", str(disk), **shims.logging(disk, log))
    assert done.status == 0, done.err
    operations, chance = read_log(log), random.Random(1)
    first = [each.kind for each in operations].index("note")
    for _ in range(rounds(24)):
        shutil.rmtree(left, ignore_errors=True)
        cut = chance.randrange(first, len(operations) + 1)
        Disk(str(disk), operations[:cut]).leave(left, chance)
        found = process.run("look", left / "home", str(left))
        assert (found.status, found.out) == (0, ""), f"after {cut} of {len(operations)}"
