"""Finding a module's source without importing it."""

import os
import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest

from hitsave.code.source import (
    Located,
    Source,
    compiled_functions,
    file_of,
    loaded_folders,
    locate,
    may_differ_from_executed,
    read_source,
    submodules,
)

Write = Callable[[dict[str, str]], Path]
ImportPath = Callable[[Path], None]


def test_a_module_is_located_without_being_imported(write: Write, import_path: ImportPath) -> None:
    root = write(
        {"top9/__init__.py": "raise SystemExit", "top9/deep/__init__.py": "", "one9.py": ""}
    )
    import_path(root)
    assert locate("one9") == Located(str(root / "one9.py"), ())
    assert locate("top9.deep") == Located(
        str(root / "top9/deep/__init__.py"), (str(root / "top9/deep"),)
    )
    assert locate("top9.none") is None
    assert locate("none9.deep") is None
    assert not {"top9", "one9"} & sys.modules.keys()


def test_a_namespace_package_has_folders_and_no_file(write: Write, import_path: ImportPath) -> None:
    root = write({"space8/a.py": ""})
    import_path(root)
    located = locate("space8")
    assert located is not None
    assert (located.path, list(located.folders)) == ("", [str(root / "space8")])
    assert locate("space8.a") is not None


def test_what_an_editable_install_maps_is_located(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"src/mapped9/__init__.py": "", "src/mapped9/deep.py": ""})

    class Finder:
        @classmethod
        def find_spec(cls, name: str, _path: object = None) -> ModuleSpec | None:
            file = root / "src" / "mapped9" / "__init__.py"
            return spec_from_file_location(name, file) if name == "mapped9" else None

    Finder.__module__ = "__editable___mapped9_finder"
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert locate("mapped9") is not None
    assert locate("mapped9.deep") == Located(str(root / "src/mapped9/deep.py"), ())


def test_other_finders_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        @classmethod
        def find_spec(cls, name: str, _path: object = None) -> None:
            raise AssertionError(name)

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert locate("nowhere9") is None


def test_the_modules_of_a_folder_are_listed(write: Write) -> None:
    root = write({"b.py": "", "a/__init__.py": "", "c/x.py": "", "__init__.py": "", "d.txt": ""})
    assert [name for name, _ in submodules(str(root))] == ["a", "b"]
    assert list(submodules(str(root / "absent"))) == []


def test_a_loaded_package_is_asked_for_its_folders_without_running_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = types.ModuleType("odd9")
    vars(module)["__getattr__"] = lambda name: pytest.fail(f"asked for {name}")
    monkeypatch.setitem(sys.modules, "odd9", module)
    assert loaded_folders("odd9") == []
    assert file_of(module) == ""


def test_a_source_that_is_gone_is_none(tmp_path: Path) -> None:
    assert read_source("gone", str(tmp_path / "gone.py"), False) is None


def test_only_a_source_that_is_older_than_the_process_is_surely_the_executed_one(
    write: Write,
) -> None:
    path = write({"a.py": "x = 1\n"}) / "a.py"
    source = read_source("a", str(path), False)
    assert source is not None
    assert may_differ_from_executed(source)
    os.utime(path, (1, 1))
    assert not may_differ_from_executed(source)
    assert not may_differ_from_executed(source._replace(path="gone", executed=True))
    assert may_differ_from_executed(source._replace(path=str(path.parent / "gone.py")))


def test_every_function_that_a_source_compiles_to_is_found() -> None:
    text = b"def f():\n    return lambda: [g for g in '\\d']\nclass C:\n    def m(self): pass\n"
    found = compiled_functions(Source("m", "m.py", text, False, True))
    assert {"<module>", "f", "<lambda>", "C", "m"} <= {code.co_name for code in found}
    assert compiled_functions(Source("m", "m.py", b"def", False, True)) == frozenset()
