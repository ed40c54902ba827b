"""Settings: where each comes from, and that one which cannot be used costs a warning."""

import os
from pathlib import Path
from typing import Any

import pytest

from hitsave.config import MODES, SETTINGS, find_root, load_settings, suggestion
from hitsave.errors import HitsaveWarning
from hitsave.events import forget_warnings


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, and a user's folder beside it, that nobody set anything in."""
    for name in tuple(os.environ):
        if name.startswith("HITSAVE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "config" / "hitsave").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    forget_warnings()
    return tmp_path / "work"


def user(workspace: Path, text: str) -> str:
    path = workspace.parent / "config" / "hitsave" / "config.toml"
    path.write_text(text)
    return str(path)


def project(workspace: Path, text: str) -> str:
    path = workspace / "pyproject.toml"
    path.write_text(text)
    return str(path)


def test_defaults_hold_where_nothing_is_set(workspace: Path) -> None:
    settings = load_settings(str(workspace))
    assert (settings.mode, settings.verbose, settings.strict) == ("use", False, False)
    assert settings.version_sensitivity == "patch"
    assert settings.home == str(workspace.parent / "cache" / "hitsave")
    assert set(settings.origins.values()) == {"default"}


def test_the_environment_goes_before_the_project_and_that_before_the_user(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    low = user(workspace, "mode = 'off'\nverbose = true\nversion_sensitivity = 'none'\n")
    middle = project(workspace, "[tool.hitsave]\nmode = 'read-only'\nverbose = false\n")
    monkeypatch.setenv("HITSAVE_MODE", "require")
    settings = load_settings(str(workspace))
    assert (settings.mode, settings.origins["mode"]) == ("require", "the environment")
    assert (settings.verbose, settings.origins["verbose"]) == (False, middle)
    assert (settings.version_sensitivity, settings.origins["version_sensitivity"]) == ("none", low)


@pytest.mark.parametrize(
    ("text", "flag"), [("1", True), ("True", True), ("on", True), ("0", False), ("no", False)]
)
def test_flags_are_read_from_text(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, text: str, flag: bool
) -> None:
    monkeypatch.setenv("HITSAVE_STRICT", text)
    assert load_settings(str(workspace)).strict is flag


def test_an_empty_variable_sets_nothing(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITSAVE_MODE", "")
    assert load_settings(str(workspace)).origins["mode"] == "default"


def test_home_may_be_relative_or_the_users(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("HITSAVE_HOME", "kept")
    assert load_settings(str(workspace)).home == str(workspace / "kept")
    monkeypatch.setenv("HOME", str(workspace))
    monkeypatch.setenv("HITSAVE_HOME", "~/kept")
    assert load_settings(str(workspace)).home == str(workspace / "kept")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HITSAVE_MODE", "refersh", "sets mode to 'refersh'.*one of use, refresh"),
        ("HITSAVE_VERBOSE", "maybe", "sets verbose to 'maybe'.*true or false"),
        ("HITSAVE_VERSION_SENSITIVITY", "all", "one of none, major, minor, patch"),
        ("HITSAVE_VERBOS", "1", "unknown setting 'verbos'.*did you mean 'verbose'"),
        ("HITSAVE_XYZ", "1", "unknown setting 'xyz'.*known are home, max_size, mode"),
    ],
)
def test_what_cannot_be_used_is_warned_of_and_left_out(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.warns(HitsaveWarning, match=said):
        settings = load_settings(str(workspace))
    assert set(settings.origins.values()) == {"default"}


@pytest.mark.parametrize("value", ["3", "[1, 2]", "{a = 1}", "true", "''", "1979-05-27", "1.5"])
def test_values_of_wrong_types_are_warned_of(workspace: Path, value: str) -> None:
    project(workspace, f"[tool.hitsave]\nmode = {value}\nhome = {value}\n")
    with pytest.warns(HitsaveWarning, match="cannot be used"):
        settings = load_settings(str(workspace))
    assert settings.mode == "use"
    assert settings.home == str(workspace.parent / "cache" / "hitsave")


@pytest.mark.parametrize("text", [b"[tool.hitsave\n", b"[tool.hitsave]\nmode = '\xff'\n"])
def test_a_file_that_cannot_be_read_is_warned_of(workspace: Path, text: bytes) -> None:
    (workspace / "pyproject.toml").write_bytes(text)
    with pytest.warns(HitsaveWarning, match=r"pyproject\.toml cannot be read"):
        assert load_settings(str(workspace)).mode == "use"


@pytest.mark.parametrize(
    "text", ["tool = 3 # hitsave\n", "[tool]\nhitsave = 3\n", "[tool.other]\nhitsave = 1\n"]
)
def test_a_project_without_a_table_for_hitsave_sets_nothing(workspace: Path, text: str) -> None:
    project(workspace, text)
    assert load_settings(str(workspace)).mode == "use"


def test_a_folder_where_a_file_should_be_sets_nothing(workspace: Path) -> None:
    (workspace / "pyproject.toml").mkdir()
    assert load_settings(str(workspace)).mode == "use"


@pytest.mark.parametrize(("text", "size"), [("1 GB", 10**9), ("5", 5)])
def test_the_size_of_the_store_is_read_from_text(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, text: str, size: int
) -> None:
    assert load_settings(str(workspace)).max_size == 20 * 10**9
    monkeypatch.setenv("HITSAVE_MAX_SIZE", text)
    assert load_settings(str(workspace)).max_size == size


def test_every_setting_has_a_meaning_and_a_usable_default() -> None:
    for name, setting in SETTINGS.items():
        assert setting.meaning, name
        if setting.default is not None:
            usable = setting.read(setting.default)
            assert setting.read(usable) == usable


@pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
def test_the_root_is_the_nearest_folder_with_a_mark(workspace: Path, mark: str) -> None:
    (workspace / mark).mkdir()
    inner = workspace / "a" / "b"
    inner.mkdir(parents=True)
    assert find_root(str(inner)) == str(workspace)


def test_without_a_mark_the_root_is_where_one_starts(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists: Any = os.path.exists
    monkeypatch.setattr(
        os.path, "exists", lambda path: str(path).startswith(str(workspace)) and exists(path)
    )
    assert find_root(str(workspace)) == str(workspace)


def test_a_suggestion_is_the_nearest_name_or_all_of_them() -> None:
    assert suggestion("refersh", list(MODES)) == "did you mean 'refresh'?"
    assert suggestion("zzz", ["b", "a"]) == "known are a, b"
