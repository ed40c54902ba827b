"""The hook beside threads, forks, other interpreters, pytest and hooks of others."""

# The lines of the programs below are as long as they are.
# ruff: noqa: E501

import os
from textwrap import dedent

import pytest


def test_threads_that_import_at_once_keep_every_module_once(project) -> None:
    for number in range(24):
        after = (number + 1) % 24
        project.write(f"m{number}.py", f"NAME = {number}\ndef f():\n    import m{after}\n")
    program = """
        import importlib, threading
        barrier = threading.Barrier(8)
        failures = []
        def work(offset):
            barrier.wait()
            for number in range(24):
                try:
                    module = importlib.import_module(f"m{(number + offset) % 24}")
                    module.f()
                except BaseException as error:
                    failures.append(error)
        threads = [threading.Thread(target=work, args=(offset,)) for offset in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        right = all(f"NAME = {n}\\n".encode() in kept(f"m{n}") for n in range(24))
        print(failures, len(ledger.modules()), ledger.generation(), right)
    """
    assert project.run(dedent(program)) == "[] 24 24 True\n"
    project.settle()
    assert project.run(dedent(program)) == "[] 24 24 True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_goes_on_with_the_ledger(project) -> None:
    project.write("before.py", "")
    project.write("after.py", "X = 1\n")
    program = """
        import os, before
        child = os.fork()
        if not child:
            import after
            print(ledger.modules(), kept("after"), flush=True)
            os._exit(0)
        print(os.waitpid(child, 0)[1], ledger.modules())
    """
    assert project.run(dedent(program)) == "('before', 'after') b'X = 1\\n'\n0 ('before',)\n"


def test_another_interpreter_imports_as_without(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        import os
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        import mod
        inside = "import sys; sys.path.insert(0, {!r}); import mod; open({!r}, 'w').write(repr(mod.X))"
        number = interpreters.create()
        failed = interpreters.run_string(number, inside.format(root, root + "/out"))
        interpreters.destroy(number)
        print(failed, open(root + "/out").read(), ledger.modules())
    """
    assert project.run(dedent(program)) == "None 1 ('mod',)\n"


PYTEST = """
import pytest
{before}
class Plugin:
    def pytest_sessionstart(self, session):
        {within}
pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", root], plugins=[Plugin()])
print(ledger.modules())
"""


@pytest.mark.parametrize("first", ["hook", "pytest"])
def test_pytest_rewrites_assertions_in_front_of_the_hook_and_behind_it(project, first: str) -> None:
    project.write("conftest.py", "import helper\n")
    project.write("helper.py", "ANSWER = 41\n")
    project.write("test_it.py", "import helper\ndef test_it():\n    assert helper.ANSWER == 42\n")
    if first == "hook":
        program = PYTEST.format(before="", within="pass")
    else:
        # Behind in the list of installers, hence in front of pytest's in `sys.meta_path`.
        moved = "sys.meta_path.insert(0, sys.meta_path.pop([hasattr(f, 'ledger') for f in sys.meta_path].index(True)))"
        program = PYTEST.format(before="", within=moved)
    out = project.run(program)
    assert "assert 41 == 42" in out
    assert "+  where 41 = helper.ANSWER" in out
    assert out.endswith("('helper',)\n")


def test_a_finder_that_asks_the_other_finders_itself_works_behind_the_hook(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        import importlib.util
        class Chained:
            def __init__(self, loader): self.loader = loader
            def create_module(self, spec): return self.loader.create_module(spec)
            def exec_module(self, module):
                self.loader.exec_module(module)
                module.seen = True
        class Finder:
            busy = False
            def find_spec(self, name, path=None, target=None):
                if name != "mod" or self.busy: return None
                self.busy = True
                try: spec = importlib.util.find_spec(name)
                finally: self.busy = False
                spec.loader = Chained(spec.loader)
                return spec
        sys.meta_path.insert(1, Finder())
        import mod
        print(mod.X, mod.seen, kept("mod"))
    """
    assert project.run(dedent(program)) == "1 True b'X = 1\\n'\n"
