"""The boundary of the project, and what is outside by version."""

import sys
from pathlib import Path

import pytest

from hitsave.code.external import Boundary, Distribution, Distributions


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_project_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "work"
    ours = write(root / "pkg" / "mod.py")
    inside = write(root / "envs" / "lib" / "other.py")
    write(root / "envs" / "pyvenv.cfg")
    installed = write(tmp_path / "lib" / "site-packages" / "dep.py")
    next_door = write(tmp_path / "other" / "near.py")
    target = write(tmp_path / "target" / "dep2.py")
    write(tmp_path / "target" / "dep2-1.0.dist-info" / "METADATA")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "target")])
    is_project = Boundary(str(root)).is_project
    assert is_project(str(ours))
    assert is_project(str(next_door))
    assert not is_project(str(inside))
    assert not is_project(str(installed))
    assert not is_project(str(target))
    assert not is_project(str(Path(pytest.__file__)))
    assert not is_project(sys.modules["os"].__file__ or "")
    assert not is_project("<string>")


def distribution(folder: Path, name: str, version: str, record: str, top: str = "") -> None:
    metadata = folder / f"{name}-{version}.dist-info"
    write(metadata / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    write(metadata / "RECORD", record)
    if top:
        write(metadata / "top_level.txt", top)


def test_a_distribution_is_found_by_what_it_provides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "yaml_like" / "__init__.py")
    distribution(tmp_path, "PyYamlLike", "6.0.3", "yaml_like/__init__.py,,\n")
    write(tmp_path / "single.py")
    distribution(tmp_path, "Single", "1.2", "single.py,,\n", "single\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (found,) = Distributions().of("yaml_like.loader")
    assert found == Distribution("PyYamlLike", "6.0.3", "")
    (found,) = Distributions().of("single")
    assert found.version == "1.2"


def test_parts_of_one_namespace_are_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "shared" / "one" / "__init__.py")
    distribution(tmp_path, "shared-one", "1.0", "shared/one/__init__.py,,\n")
    distribution(tmp_path, "shared-two", "2.0", "shared/two/__init__.py,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    names = {found.name for found in Distributions().of("shared")}
    assert names == {"shared-one", "shared-two"}


def test_a_local_install_counts_by_its_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "local.py")
    distribution(tmp_path, "local", "1.0", "local.py,sha256=a,1\n")
    write(tmp_path / "local-1.0.dist-info" / "direct_url.json", "{}")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (before,) = Distributions().of("local")
    write(tmp_path / "local-1.0.dist-info" / "RECORD", "local.py,sha256=b,1\n")
    (after,) = Distributions().of("local")
    assert before.version == after.version
    assert before.token("patch") != after.token("patch")


@pytest.mark.parametrize(
    ("sensitivity", "token"),
    [("none", ""), ("major", "1"), ("minor", "1.2"), ("patch", "1.2.3.post1")],
)
def test_as_much_of_a_version_counts_as_was_chosen(sensitivity: str, token: str) -> None:
    assert Distribution("d", "1.2.3.post1", "").token(sensitivity) == token
