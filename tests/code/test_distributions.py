"""What is outside the project, and by which version it counts."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hitsave.code.external import Boundary, Distribution, Distributions

Write = Callable[[dict[str, str]], Path]
ImportPath = Callable[[Path], None]


def _metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 9\n"


def _installed(write: Write, name: str, version: str, files: dict[str, str]) -> Path:
    info = f"site-packages/{name}-{version}.dist-info"
    record = "".join(f"{file},sha256=x,1\n" for file in files)
    return write(
        {
            **{f"site-packages/{file}": text for file, text in files.items()},
            f"{info}/METADATA": _metadata(name, version),
            f"{info}/RECORD": record,
        }
    )


# -- distributions ------------------------------------------------------------------------------


def test_a_module_is_found_in_a_distribution_of_another_name(
    write: Write, import_path: ImportPath
) -> None:
    root = _installed(write, "Py_YAML", "6.0", {"yaml9/__init__.py": ""})
    import_path(root / "site-packages")
    assert Distributions().of("yaml9.loader") == (Distribution("Py_YAML", "6.0", ""),)


def test_a_single_file_module_is_found(write: Write, import_path: ImportPath) -> None:
    root = _installed(write, "six9", "1.0", {"six9.py": ""})
    import_path(root / "site-packages")
    assert Distributions().of("six9")[0].version == "1.0"


def test_a_distribution_without_a_file_list_is_found_by_its_name(
    write: Write, import_path: ImportPath
) -> None:
    root = write(
        {
            "site-packages/bare9/__init__.py": "",
            "site-packages/bare9-2.5.dist-info/METADATA": _metadata("bare9", "2.5"),
        }
    )
    import_path(root / "site-packages")
    assert Distributions().of("bare9") == (Distribution("bare9", "2.5", ""),)


def test_an_egg_info_says_what_it_provides(write: Write, import_path: ImportPath) -> None:
    root = write(
        {
            "site-packages/egg9.py": "",
            "site-packages/Egg-1.1.egg-info/PKG-INFO": _metadata("Egg", "1.1"),
            "site-packages/Egg-1.1.egg-info/top_level.txt": "egg9\n",
        }
    )
    import_path(root / "site-packages")
    assert Distributions().of("egg9") == (Distribution("Egg", "1.1", ""),)


def test_every_part_of_a_namespace_package_counts(write: Write, import_path: ImportPath) -> None:
    _installed(write, "space-a", "1.0", {"space9/a/__init__.py": ""})
    root = _installed(write, "space-b", "2.0", {"space9/b/__init__.py": ""})
    write(
        {
            "other/site-packages/space9/c.py": "",
            "other/site-packages/space_c-3.0.dist-info/METADATA": _metadata("space-c", "3.0"),
            "other/site-packages/space_c-3.0.dist-info/RECORD": "space9/c.py,,\n",
        }
    )
    import_path(root / "other" / "site-packages")
    import_path(root / "site-packages")
    names = {found.name for found in Distributions().of("space9.c")}
    assert names == {"space-a", "space-b", "space-c"}


def test_a_package_that_shadows_another_is_the_one_that_counts(
    write: Write, import_path: ImportPath
) -> None:
    root = _installed(write, "first9", "1.0", {"same9.py": ""})
    write(
        {
            "other/site-packages/same9.py": "",
            "other/site-packages/second9-2.0.dist-info/METADATA": _metadata("second9", "2.0"),
            "other/site-packages/second9-2.0.dist-info/RECORD": "same9.py,,\n",
        }
    )
    import_path(root / "other" / "site-packages")
    import_path(root / "site-packages")
    assert [found.name for found in Distributions().of("same9")] == ["first9"]


def test_the_standard_library_has_no_distribution() -> None:
    assert Distributions().of("json.decoder") == ()


def _local(write: Write, record: str) -> Distribution:
    info = "site-packages/local9-1.0.dist-info"
    write(
        {
            "site-packages/local9.py": "",
            f"{info}/METADATA": _metadata("local9", "1.0"),
            f"{info}/RECORD": record,
            f"{info}/direct_url.json": "{}",
        }
    )
    (found,) = Distributions().of("local9")
    return found


def test_a_local_install_counts_by_its_code(write: Write, import_path: ImportPath) -> None:
    root = write({"site-packages/placeholder.txt": ""})
    import_path(root / "site-packages")
    before = _local(write, "local9.py,sha256=a,1\n")
    assert before.token("patch").startswith("1.0+")
    assert _local(write, "local9.py,sha256=b,1\n") != before
    moved = "../../../bin/local9,sha256=c,9\nlocal9-1.0.dist-info/direct_url.json,sha256=d,2\n"
    compiled = "__pycache__/local9.cpython-311.pyc,,\n"
    assert _local(write, moved + compiled + "local9.py,sha256=a,1\n") == before


def test_a_package_that_nothing_claims_counts_by_its_files(
    write: Write, import_path: ImportPath
) -> None:
    root = write({"site-packages/lone9/__init__.py": "", "site-packages/lone9/deep/a.py": "x = 1"})
    import_path(root / "site-packages")
    (before,) = Distributions().of("lone9")
    assert Distributions().of("lone9") == (before,)
    write({"site-packages/lone9/deep/a.py": "x = 2"})
    assert Distributions().of("lone9") != (before,)


def test_a_package_counts_the_same_before_and_after_it_is_loaded(
    write: Write, import_path: ImportPath
) -> None:
    root = write({"site-packages/lone8/__init__.py": "x = 1"})
    import_path(root / "site-packages")
    before = Distributions().of("lone8")
    __import__("lone8")
    assert Distributions().of("lone8") == before


@pytest.mark.parametrize(
    ("sensitivity", "token"),
    [("patch", "1.2.3"), ("minor", "1.2"), ("major", "1"), ("none", "")],
)
def test_a_version_counts_as_far_as_it_shall(sensitivity: str, token: str) -> None:
    assert Distribution("d", "1.2.3", "").token(sensitivity) == token


# -- the boundary -------------------------------------------------------------------------------


def test_what_lies_under_the_root_is_project_code(tmp_path: Path) -> None:
    boundary = Boundary(str(tmp_path))
    assert boundary.is_project(str(tmp_path / "a.py"))
    assert boundary.is_project(str(tmp_path / "deep" / "package" / "a.py"))


@pytest.mark.parametrize("place", ["site-packages", "dist-packages/package", "x/site-packages/y"])
def test_installed_packages_are_not_project_code(tmp_path: Path, place: str) -> None:
    assert not Boundary(str(tmp_path)).is_project(str(tmp_path / place / "a.py"))


def test_an_environment_in_the_workspace_is_not_project_code(write: Write) -> None:
    root = write({".venv/pyvenv.cfg": ""})
    assert not Boundary(str(root)).is_project(str(root / ".venv" / "lib" / "a.py"))


def test_a_workspace_that_is_an_environment_itself_is_project_code(write: Write) -> None:
    root = write({"pyvenv.cfg": ""})
    assert Boundary(str(root)).is_project(str(root / "a.py"))
    assert not Boundary(str(root)).is_project(str(root / "lib" / "site-packages" / "a.py"))


def test_the_standard_library_is_not_project_code(tmp_path: Path) -> None:
    library = os.path.dirname(os.__file__)
    assert not Boundary(str(tmp_path)).is_project(os.path.join(library, "json", "decoder.py"))
    assert not Boundary(library).is_project(os.path.join(library, "argparse.py"))


def test_hitsave_is_not_project_code(tmp_path: Path) -> None:
    import hitsave

    assert hitsave.__file__ is not None
    assert not Boundary(str(tmp_path)).is_project(hitsave.__file__)


def test_a_checkout_next_door_is_project_code(tmp_path: Path) -> None:
    boundary = Boundary(str(tmp_path / "here"))
    assert boundary.is_project(str(tmp_path / "there" / "src" / "package" / "a.py"))


def test_a_checkout_with_build_metadata_is_project_code(
    write: Write, import_path: ImportPath
) -> None:
    root = write(
        {
            "there/src/package/a.py": "",
            "there/src/package.egg-info/PKG-INFO": _metadata("package", "1.0"),
            "there/src/package.egg-info/SOURCES.txt": "src/package/a.py\n",
        }
    )
    import_path(root / "there" / "src")
    boundary = Boundary(str(root / "here"))
    assert boundary.is_project(str(root / "there" / "src" / "package" / "a.py"))


def test_packages_installed_into_a_folder_are_not_project_code(
    write: Write, import_path: ImportPath
) -> None:
    root = write(
        {"target/package/a.py": "", "target/package-1.0.dist-info/METADATA": _metadata("p", "1")}
    )
    import_path(root / "target")
    boundary = Boundary(str(root / "here"))
    assert not boundary.is_project(str(root / "target" / "package" / "a.py"))


def test_a_root_that_is_a_symbolic_link_is_seen_through(write: Write) -> None:
    root = write({"real/package/a.py": ""})
    (root / "link").symlink_to(root / "real")
    for one, other in [("link", "real"), ("real", "link")]:
        assert Boundary(str(root / one)).is_project(str(root / other / "package" / "a.py"))


@pytest.mark.parametrize("path", ["", "<stdin>", "<frozen importlib._bootstrap>", "script.py"])
def test_what_has_no_folder_is_not_project_code(tmp_path: Path, path: str) -> None:
    assert not Boundary(str(tmp_path)).is_project(path)


def test_without_a_root_everything_outside_environments_is_project_code(tmp_path: Path) -> None:
    boundary = Boundary("")
    assert boundary.is_project(str(tmp_path / "a.py"))
    assert not boundary.is_project(os.path.join(sys.prefix, "lib", "site-packages", "a.py"))
