"""`hitsave verify`: the store is read once more, and a program's hits are run."""

import json
import os
from pathlib import Path

import pytest

PROGRAM = """
import os
import sys

from hitsave import DirectorySnapshot, FileSnapshot, experiment, inert, memo

@memo
def large(n):
    return bytes([n]) * 300_000


@memo
def seen(x):
    return x + os.path.getsize("unseen")  # the size alone is not tracked


@memo
def drawn(x):
    return inert(os.urandom)(8)


@experiment
def tried(rate):
    return {"accuracy": rate}


for n in range(3):
    large(n)
tried(0.5)
print(seen(3), len(drawn(1)), sys.argv[1:])
FileSnapshot.snap("data.txt")
readable = DirectorySnapshot.snap("data").restore_safe()
if sys.argv[1:] == ["read"]:
    print((readable / "a.txt").read_text() == "a" * 1000)
"""


@pytest.fixture
def used(workspace):
    """A workspace whose program has run once."""
    workspace.write("program.py", PROGRAM)
    workspace.write("data.txt", "some text")
    workspace.write("unseen", "")
    for name in "abc":
        workspace.write(f"data/{name}.txt", name * 1000)
    done = workspace.python("program.py")
    assert (done.code, done.out) == (0, "3 8 []\n")
    return workspace


def files_in(workspace, folder):
    home = Path(workspace.environment["HITSAVE_HOME"])
    return [path for path in (home / folder).rglob("*") if path.is_file()]


def largest_object(workspace):
    return max(files_in(workspace, "objects"), key=lambda path: path.stat().st_size)


def damage(path):
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_sound_store_is_said_to_be_sound(used):
    done = used.hitsave("verify")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("are sound\n")
    found = json.loads(used.hitsave("verify", "--json").out)
    assert found["records"] > 10
    assert found["objects"] >= 3
    assert found["bytes"] > 900_000
    assert found["folders"] == 1
    assert found["lost"] == found["incomplete"] == []
    assert found["damaged_records"] == found["damaged_files"] == 0


def test_a_damaged_object_is_found_and_its_call_is_lost_until_it_is_computed_again(used):
    damage(largest_object(used))
    done = used.hitsave("verify")
    assert done.code == 4
    assert "1 file damaged, and set aside" in done.out
    assert "program:large(n=" in done.out
    assert "calls are computed again when they are asked for" in done.out
    # The next look finds it gone, and after a run all is there.
    assert used.hitsave("verify").code == 4
    assert used.python("program.py").code == 0
    assert used.hitsave("verify").code == 0


def test_a_deleted_object_is_a_lost_call(used):
    largest_object(used).unlink()
    found = used.hitsave("verify", "--json")
    assert found.code == 4
    assert len(json.loads(found.out)["lost"]) == 1
    assert json.loads(found.out)["damaged_files"] == 0


def test_a_damaged_blob_is_an_incomplete_snapshot(used):
    (blob,) = [each for each in files_in(used, "blobs") if each.stat().st_size == 9]
    damage(blob)
    done = used.hitsave("verify", "--json")
    assert done.code == 4
    (lost,) = json.loads(done.out)["incomplete"]
    assert lost["path"] == "data.txt"
    assert "snapshot of data.txt" in used.hitsave("verify").out


def test_a_damaged_file_in_a_folder_to_be_read_is_found_though_it_looks_as_it_was(used):
    (copied,) = [each for each in files_in(used, "trees") if each.name == "a.txt"]
    before = copied.stat()
    mode = copied.stat().st_mode
    damage(copied)
    copied.chmod(mode)
    os.utime(copied, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = used.hitsave("verify")
    assert done.code == 4
    assert "1 restored folder damaged, and removed" in done.out
    found = used.hitsave("verify", "--json")
    assert found.code == 0
    assert json.loads(found.out)["folders"] == 0
    # It is made anew when it is asked for.
    assert used.python("program.py", "read").out.endswith("True\n")
    assert json.loads(used.hitsave("verify", "--json").out)["folders"] == 1


def test_a_damaged_record_is_found_and_removed(used):
    (data,) = [each for each in files_in(used, "records") if each.name == "data.mdb"]
    content = data.read_bytes()
    assert content.count(b"{'accuracy': 0.5}") > 0
    # In every copy that the pages have of it, of which one is the record.
    data.write_bytes(content.replace(b"{'accuracy': 0.5}", b"{'accuracy': 0.6}"))
    done = used.hitsave("verify")
    assert done.code == 4
    assert "1 record damaged, and removed" in done.out
    assert used.hitsave("verify").code == 0
    assert used.python("program.py").code == 0


def test_a_sample_reads_some_of_the_files(used):
    done = used.hitsave("verify", "--sample", "0.0001%", "--json")
    assert done.code == 0
    assert json.loads(done.out)["objects"] == 0
    assert json.loads(done.out)["records"] > 10


@pytest.mark.parametrize(
    "words",
    [["--sample", "many"], ["--sample", "0"], ["program.py"], ["--recompute"]],
    ids=["no share", "nothing", "program", "no program"],
)
def test_what_makes_no_sense_is_refused(used, words):
    done = used.hitsave("verify", *words)
    assert done.code == 2
    assert done.err.startswith("hitsave: ")
    assert "hint:" in done.err


def test_what_hits_is_run_and_compared(used):
    done = used.hitsave("verify", "--recompute", "program.py", "--sample", "x")
    # One of them is different each time, and the program does not notice.
    assert (done.code, done.out) == (4, "3 8 ['--sample', 'x']\n")
    assert "hitsave: 6 calls that hit were run: 5 same, 1 varies\n" in done.err
    assert "program:drawn" in done.err


def test_a_stale_result_is_found(used):
    used.write("unseen", "12345")
    done = used.hitsave("verify", "--recompute", "program.py")
    assert (done.code, done.out) == (4, "3 8 []\n")
    assert "1 differs" in done.err
    assert "program:seen: 8, and recorded is 3" in done.err


def test_a_program_that_fails_passes_its_exit_status_on(used):
    used.write("fails.py", "import sys\nsys.exit(7)\n")
    done = used.hitsave("verify", "--recompute", "fails.py")
    assert done.code == 7
    assert "0 calls that hit were run: none hit" in done.err


def test_a_module_can_be_run(used):
    done = used.hitsave("verify", "--recompute", "-m", "program", "word")
    assert done.out == "3 8 ['word']\n"
    assert "6 calls that hit were run" in done.err


def test_a_program_that_is_not_there_is_said_in_one_sentence(used):
    done = used.hitsave("verify", "--recompute", "absent.py")
    assert done.code == 1
    assert "cannot read the script absent.py" in done.err
    assert "Traceback" not in done.err
