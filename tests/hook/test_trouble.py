"""Trouble inside the hook costs a warning; trouble outside passes through as it was."""

from textwrap import dedent

BREAKING = """
    import warnings
    from hitsave import events
    from hitsave.hook import Ledger, install
    seen = []
    events.subscribe(seen.append)
    warnings.simplefilter("ignore")
    class Broken(Ledger):
        def keep(self, source): raise OSError("no room")
    def raising(path):
        raise ZeroDivisionError("is_project")
    {setup}
    import mod, other
    print(mod.X, len(seen), seen[0].message)
"""


def breaking(setup: str) -> str:
    return dedent(BREAKING.format(setup=setup))


def test_a_question_that_raises_leaves_the_import_to_python_and_warns_once(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.write("other.py", "")
    out = project.run(breaking("install(raising, ledger)"))
    assert out.startswith("1 1 ")
    assert "ZeroDivisionError('is_project')" in out


def test_a_ledger_that_fails_leaves_the_import_to_python_and_warns(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.write("other.py", "")
    out = project.run(breaking("install(lambda path: path.startswith(root), Broken())"))
    assert out.startswith("1 2 the source that module 'mod' was executed from was not kept")


def test_trouble_stays_a_warning_where_warnings_are_errors(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        from hitsave.hook import install
        def raising(path):
            raise ZeroDivisionError
        install(raising, ledger)
        import mod
        print(mod.X)
    """
    assert project.run(dedent(program), "-W", "error") == "1\n"


def test_a_source_deleted_between_finding_and_executing_fails_as_without(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    program = f"""
        import importlib.util, os, traceback
        spec = importlib.util.find_spec("mod")
        module = importlib.util.module_from_spec(spec)
        os.unlink({str(path)!r})
        try:
            spec.loader.exec_module(module)
        except OSError:
            traceback.print_exc()
    """
    expected = project.run(dedent(program), hooked=False)
    assert "FileNotFoundError" in expected
    path.write_text("X = 1\n")
    assert project.run(dedent(program)) == expected


def test_bytecode_whose_source_vanishes_while_it_is_read_runs_and_is_what_is_kept(project) -> None:
    project.write("mod.py", "X = 1\n")
    project.run("import mod")
    project.settle()
    program = """
        import os
        from importlib.machinery import SourceFileLoader
        read = SourceFileLoader.get_data
        def get_data(self, path):
            if path.endswith(".pyc") and self.name == "mod":
                os.unlink(root + "/mod.py")
            return read(self, path)
        SourceFileLoader.get_data = get_data
        import mod
        print(mod.X, kept("mod"))
    """
    out = project.run(dedent(program))
    assert out.splitlines()[-1] == "1 None"
    assert "was not kept" in out


def test_a_source_edited_while_it_is_compiled_keeps_what_was_compiled(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    program = f"""
        from importlib.machinery import SourceFileLoader
        compiling = SourceFileLoader.source_to_code
        def source_to_code(self, data, path, **options):
            open({str(path)!r}, "w").write("X = 2\\n")
            return compiling(self, data, path, **options)
        SourceFileLoader.source_to_code = source_to_code
        import mod
        print(mod.X, kept("mod"))
    """
    assert project.run(dedent(program)) == "1 b'X = 1\\n'\n"
    # And the bytecode just written, of the old text with the new time, is not trusted.
    assert project.run("import mod\nprint(mod.X, kept('mod'))") == "2 b'X = 2\\n'\n"


def test_an_unreadable_archive_is_not_our_error(project) -> None:
    project.zip("lib.zip", {"mod.py": "X = 1\n"})
    program = """
        import importlib.util, os, traceback
        sys.path.append(root + "/lib.zip")
        spec = importlib.util.find_spec("mod")
        os.unlink(root + "/lib.zip")
        try:
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        except Exception:
            traceback.print_exc()
    """
    expected = project.run(dedent(program), hooked=False)
    project.zip("lib.zip", {"mod.py": "X = 1\n"})
    assert project.run(dedent(program)) == expected
