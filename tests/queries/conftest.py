"""Questions asked in this process, of small projects on disk."""

from collections.abc import Mapping
from pathlib import Path

import pytest


class Project:
    """A project in a folder, which is the working folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write({"pyproject.toml": ""})

    def write(self, contents: Mapping[str, str]) -> None:
        """Write files."""
        for name, content in contents.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.setenv("HITSAVE_HOME", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project")
