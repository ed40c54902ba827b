"""`hitsave demo`: it works wherever it is started, and fails where what it shows did not happen."""

import stat

import pytest

from hitsave.cli import demo
from hitsave.cli.usage import UsageError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = tmp_path / "demo"
    made.mkdir()
    return made


def write_short_project(folder):
    """Write the demo's project with the beginning of its book, which is read sooner."""
    demo._write_project(folder)
    book = folder / "alice.txt"
    book.write_text("".join(book.read_text().splitlines(keepends=True)[:400]))


def test_the_demo_shows_what_happens_and_leaves_nothing_behind(workspace, tmp_path):
    bare, temporary = tmp_path / "bare", tmp_path / "temporary"
    bare.mkdir()
    temporary.mkdir()
    bare.chmod(stat.S_IRUSR | stat.S_IXUSR)
    settings = {"HITSAVE_MODE": "off", "TMPDIR": str(temporary), "PYTHONIOENCODING": "ascii"}
    done = workspace.hitsave("demo", folder=bare, **settings)
    assert (done.code, done.err) == (0, "")
    told = [line.strip() for line in done.out.splitlines()]
    counts = [line.partition(", in ")[0] for line in told if line.startswith("So: ")]
    assert counts == [
        "So: 4 steps computed, 0 steps served",
        "So: 0 steps computed, 4 steps served",
        "So: 2 steps computed, 2 steps served",
    ]
    assert told.count('-    return letter in "aeiou"') == 3
    assert told.count('+    return letter in "aeiouy"') == 3
    assert list(bare.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_a_demo_that_is_kept_can_be_gone_on_with(workspace):
    assert workspace.hitsave("demo", "--keep", "deep/kept").code == 0
    kept = workspace.root / "deep" / "kept"
    del workspace.environment["HITSAVE_HOME"]
    done = workspace.hitsave("run", "-v", "analysis.py", folder=kept)
    assert "hitsave: 4 hits" in done.err
    again = workspace.hitsave("demo", "--keep", "deep/kept")
    assert (again.code, again.out) == (2, "")
    assert "deep/kept is there already, and not empty." in again.err


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"):
        demo.demo(tmp_path / "file" / "inside")


def test_the_demo_fails_where_the_edit_changes_nothing(folder, monkeypatch, capsys):
    comment = demo.EDIT.before + "  # all of them"
    monkeypatch.setattr(demo, "EDIT", demo.EDIT._replace(after=comment))
    write_short_project(folder)
    demo._run_cold(folder)
    demo._edit(folder)
    with pytest.raises(demo.DemoError, match="the steps that depend on it to be computed"):
        demo._run_edited(folder)
    assert "4 steps served" in capsys.readouterr().out


def test_the_demo_fails_where_a_step_is_not_served(folder, capsys):
    write_short_project(folder)
    first = demo._run_cold(folder)
    script = folder / demo.SCRIPT
    script.write_text(script.read_text().replace("(book, 4)", "(book, 3)"))
    with pytest.raises(demo.DemoError, match="every step to be served"):
        demo._run_again(folder, first)
    assert "argument number differs" in capsys.readouterr().out


def test_the_demo_fails_where_the_script_does(folder, capsys):
    demo._write_project(folder)
    (folder / "alice.txt").unlink()
    with pytest.raises(demo.DemoError, match="to end with exit code 0, not 1"):
        demo._run_cold(folder)
    assert "FileNotFoundError" in capsys.readouterr().out
