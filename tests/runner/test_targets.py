"""What cannot be run is refused before anything is run, and names the nearest that can."""

import pytest

from hitsave.errors import TargetError
from hitsave.hook import ExecutedSource
from hitsave.runner import run_module, run_script


def test_a_script_that_does_not_exist_names_the_nearest(programs) -> None:
    programs.write("analyse.py", "print('ran')\n")
    done = programs.driven("analyze.py")
    assert done == (
        2,
        "target: cannot read the script analyze.py: No such file or directory\n"
        "  hint: did you mean analyse.py?\n",
        "",
    )


def test_the_nearest_script_is_named_with_its_folder(programs) -> None:
    programs.write("deep/analyse.py", "")
    assert "did you mean deep/analyse.py?" in programs.driven("deep/analyze.py").out
    assert "did you mean" not in programs.driven("nowhere/analyze.py").out


def test_a_directory_without_a_main_is_refused(programs) -> None:
    programs.write("dir/other.py", "print('ran')\n")
    done = programs.driven("dir")
    assert (done.code, done.err) == (2, "")
    assert done.out.startswith("target: dir has no __main__.py to run")


def test_a_module_that_does_not_exist_names_the_nearest_and_nothing_runs(programs) -> None:
    programs.write("analyse.py", "print('ran')\n")
    expected = "target: no module is named 'analyze'\n  hint: did you mean analyse?\n"
    assert programs.driven("-m", "analyze") == (2, expected, "")


def test_a_submodule_that_does_not_exist_names_the_nearest(programs) -> None:
    programs.write("pkg/__init__.py", "")
    programs.write("pkg/analyse.py", "print('ran')\n")
    done = programs.driven("-m", "pkg.analyze")
    expected = "target: no module named pkg.analyze\n  hint: did you mean analyse?\n"
    assert done == (2, expected, "")


def test_a_package_without_a_main_is_refused(programs) -> None:
    programs.write("pkg/__init__.py", "")
    done = programs.driven("-m", "pkg")
    assert done.code == 2
    assert "'pkg' is a package and cannot be directly executed" in done.out


@pytest.mark.parametrize("name", ["", ".relative", ".."])
def test_a_relative_name_is_refused(name: str) -> None:
    with pytest.raises(TargetError, match="is not the name of a module"):
        run_module(name, [])


def test_a_refusal_leaves_this_process_as_it_was(tmp_path) -> None:
    import sys

    before = list(sys.argv), list(sys.path), sys.modules["__main__"]
    with pytest.raises(TargetError):
        run_script(str(tmp_path / "absent.py"), ["a"])
    with pytest.raises(TargetError):
        run_module("no_such_module_at_all", ["a"])
    with pytest.raises(TargetError):
        run_script(str(tmp_path), ["a"])
    assert (list(sys.argv), list(sys.path), sys.modules["__main__"]) == before


SHOW = """
import sys
ledger = next(finder.ledger for finder in sys.meta_path if hasattr(finder, "ledger"))
source = ledger.get("__main__")
print(source.module, source.path, source.content == open(source.path, "rb").read())
print(ledger.modules())
"""


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("program.py",), "program.py"),
        (("-m", "program"), "program.py"),
        (("-m", "pkg"), "pkg/__main__.py"),
        (("dir",), "dir/__main__.py"),
    ],
)
def test_the_program_itself_is_kept_before_it_runs(programs, words, path: str) -> None:
    programs.write("pkg/__init__.py", "")
    for name in "program.py", "pkg/__main__.py", "dir/__main__.py":
        programs.write(name, SHOW)
    done = programs.driven(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"__main__ {programs.root / path} True\n")
    assert "'__main__'" in done.out


def test_a_script_that_does_not_compile_is_not_kept(programs) -> None:
    programs.write("program.py", "x = (\n")
    kept: list[ExecutedSource] = []
    with pytest.MonkeyPatch.context() as patch:
        import sys

        patch.setattr(sys, "argv", [])
        patch.setattr(sys, "path", list(sys.path))
        patch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        patch.setattr(sys, "excepthook", print)
        for name in "last_type", "last_value", "last_traceback", "last_exc":
            patch.setattr(sys, name, None, raising=False)
        assert run_script(str(programs.root / "program.py"), [], kept.append) == 1
    assert kept == []
