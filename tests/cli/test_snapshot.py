"""`hitsave snapshot`."""

import json

import pytest


@pytest.fixture
def data(workspace):
    workspace.write("data/a.txt", "a")
    workspace.write("data/sub/b.txt", "b" * 2000)
    workspace.write("hello.txt", "A")
    return workspace


def test_a_file_there_and_back(data):
    taken = data.hitsave("snapshot", "hello.txt")
    assert taken.code == 0
    assert taken.out.startswith("32684bfa28c")
    assert taken.err == ""
    restored = data.hitsave("snapshot", "--restore", "32684bfa28c", "out/other.txt")
    assert restored.out.strip() == str(data.root / "out" / "other.txt")
    assert (data.root / "out" / "other.txt").read_text() == "A"


def test_a_folder_there_and_back(data):
    digest = data.hitsave("snapshot", "data/").out.strip()
    done = data.hitsave("snapshot", "--restore", digest[:12], "copy", "--copy")
    assert done.code == 0
    assert (data.root / "copy" / "sub" / "b.txt").read_text() == "b" * 2000
    assert data.hitsave("snapshot", "copy").out.strip() == digest


def test_json_is_data_alone_on_stdout(data):
    answer = json.loads(data.hitsave("snapshot", "data", "--json", "--ignore", "sub/").out)
    assert {key: answer[key] for key in ("kind", "path", "size", "files")} == {
        "kind": "folder",
        "path": "data",
        "size": 1,
        "files": 1,
    }
    shown = json.loads(data.hitsave("snapshot", "show", answer["digest"][:8], "--json").out)
    assert [entry["path"] for entry in shown["entries"]] == ["a.txt"]
    listed = json.loads(data.hitsave("snapshot", "ls", "--json").out)
    assert [each["digest"] for each in listed["snapshots"]] == [answer["digest"]]


def test_lists(data):
    file = data.hitsave("snapshot", "hello.txt").out.strip()
    folder = data.hitsave("snapshot", "data").out.strip()
    lines = data.hitsave("snapshot", "ls").out.splitlines()
    assert [line.split()[0] for line in lines] == [folder[:12], file[:12]]
    assert "2.0 kB" in lines[0]
    shown = data.hitsave("snapshot", "show", folder).out
    assert "sub/b.txt" in shown
    assert "sub/\n" in shown


def test_a_difference(data):
    first = data.hitsave("snapshot", "data").out.strip()
    data.write("data/new.txt", "new")
    data.write("data/a.txt", "changed")
    second = data.hitsave("snapshot", "data").out.strip()
    done = data.hitsave("snapshot", "diff", first, second)
    assert (done.code, done.out) == (1, "~ a.txt\n+ new.txt\n")
    assert data.hitsave("snapshot", "diff", first, first).code == 0


def test_removing(data):
    digest = data.hitsave("snapshot", "hello.txt").out.strip()
    refused = data.hitsave("snapshot", "rm", digest)
    assert refused.code == 2
    assert "say --yes" in refused.err
    data.hitsave("snapshot", "rm", digest, "--dry-run")
    assert len(data.hitsave("snapshot", "ls").out.splitlines()) == 1
    assert data.hitsave("snapshot", "rm", digest[:8], "--yes").code == 0
    assert data.hitsave("snapshot", "ls").out == ""


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["missing"], 1, "missing cannot be snapped: No such file or directory."),
        (["/dev/zero"], 1, "is a device"),
        (["--restore", "123456", "out"], 1, "No snapshot in the store"),
        (["--restore", "nonsense", "out"], 1, "is no digest"),
        (["--public", "hello.txt"], 1, "No remote is set up"),
        (["show", "12"], 1, "too short"),
        (["--restore", "32684bfa28c", "data"], 1, "is a folder"),
    ],
)
def test_what_cannot_be_done(data, words, code, says):
    data.hitsave("snapshot", "hello.txt")
    done = data.hitsave("snapshot", *words)
    assert done.code == code
    assert says in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
