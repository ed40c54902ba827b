"""Installing and uninstalling, in fresh interpreters."""

# The lines of the programs below are as long as they are.
# ruff: noqa: E501

from textwrap import dedent

import pytest


def test_installing_twice_installs_once(project) -> None:
    program = """
        from hitsave.hook import install, Ledger
        is_project = lambda path: True
        first, other = Ledger(), Ledger()
        before = len(sys.meta_path)
        one, two = install(is_project, first), install(is_project, first)
        print(len(sys.meta_path) - before, installed())
        install(is_project, other)
        print(len(sys.meta_path) - before, installed())
        one(), two()
        print(len(sys.meta_path) - before, installed())
    """
    assert project.run(dedent(program)) == "0 True\n0 True\n0 True\n"


def test_a_second_install_does_not_move_the_hook(project) -> None:
    program = """
        from hitsave.hook import install
        front = type("Front", (), {"find_spec": staticmethod(lambda *a: None)})
        sys.meta_path.insert(0, front)
        is_project = sys.meta_path[1].is_project
        install(is_project, ledger)
        print(sys.meta_path[0] is front, len([f for f in sys.meta_path if hasattr(f, "ledger")]))
    """
    assert project.run(dedent(program)) == "True 1\n"


def test_the_latest_install_with_other_settings_takes_over(project) -> None:
    project.write("mod.py", "")
    program = """
        from hitsave.hook import install, Ledger
        other = Ledger()
        install(lambda path: path.startswith(root), other)
        import mod
        print(ledger.modules(), other.modules())
    """
    assert project.run(dedent(program)) == "() ('mod',)\n"


def test_uninstalling_takes_out_exactly_the_hook_and_may_be_repeated(project) -> None:
    project.write("mod.py", "")
    program = """
        class Equal:
            def __eq__(self, other): return True
            def find_spec(self, name, path=None, target=None): return None
        others = [Equal(), *sys.meta_path[1:]]
        sys.meta_path.insert(0, others[0])
        uninstall(), uninstall()
        print(len(sys.meta_path) == len(others), installed())
        print(all(a is b for a, b in zip(sys.meta_path, others)))
        import mod
        print(ledger.modules())
    """
    assert project.run(dedent(program)) == "True False\nTrue\n()\n"


def test_uninstalling_in_the_middle_of_an_import_lets_it_finish(project) -> None:
    project.write("outer.py", "import __main__\n__main__.uninstall()\nimport inner\n")
    project.write("inner.py", "X = 1\n")
    program = """
        import importlib.util, __main__
        __main__.uninstall = uninstall
        found = importlib.util.find_spec("inner")
        import outer
        print(outer.inner.X, ledger.modules(), type(outer.__loader__).__mro__[0])
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        print(module.X, type(found.loader).__name__)
    """
    out = project.run(dedent(program))
    loader = "<class '_frozen_importlib_external.SourceFileLoader'>"
    assert out == f"1 ('outer',) {loader}\n1 SourceFileLoader\n"


def test_a_hook_taken_out_by_others_can_be_installed_again(project) -> None:
    project.write("mod.py", "")
    program = """
        from hitsave.hook import install
        is_project = sys.meta_path.pop(0).is_project
        print(installed())
        install(is_project, ledger)
        import mod
        print(installed(), ledger.modules())
    """
    assert project.run(dedent(program)) == "False\nTrue ('mod',)\n"


def test_modules_loaded_before_are_not_touched(project) -> None:
    project.write("mod.py", "")
    program = """
        uninstall()
        import mod
        from hitsave.hook import install
        install(lambda path: True, ledger)
        import mod
        print(ledger.modules())
    """
    assert project.run(dedent(program)) == "()\n"


@pytest.mark.parametrize("heavy", ["inspect", "dataclasses", "importlib.util", "logging", "typer"])
def test_the_hook_loads_nothing_heavy(project, heavy: str) -> None:
    program = f"""
        import subprocess
        code = "import sys; import hitsave.hook.finder; print({heavy!r} in sys.modules)"
        print(subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True).stdout)
    """
    assert "True" not in project.run(dedent(program), hooked=False)
