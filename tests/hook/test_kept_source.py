"""The ledger holds the bytes that were executed, under the name they were executed as."""

# The lines of the programs below are as long as they are.
# ruff: noqa: E501

from textwrap import dedent

import pytest


def test_what_is_kept_names_the_module_its_path_and_its_very_bytes(project) -> None:
    init = project.write("pkg/__init__.py", "from pkg import mod\n")
    mod = project.write("pkg/mod.py", b"\xef\xbb\xbfX = '\xc3\xa9'\r\n\x0c# end")
    out = project.run(
        "import pkg\n"
        "for name in ledger.modules():\n"
        "    kept = ledger.get(name)\n"
        "    assert kept.code.co_filename == kept.path and kept.code.co_name == '<module>'\n"
        "    print(kept._replace(code=None))"
    )
    assert out.splitlines() == [
        f"ExecutedSource(module='pkg', path={str(init)!r}, content={init.read_bytes()!r}, "
        "is_package=True, is_bytecode=False, code=None)",
        f"ExecutedSource(module='pkg.mod', path={str(mod)!r}, content={mod.read_bytes()!r}, "
        "is_package=False, is_bytecode=False, code=None)",
    ]


@pytest.mark.parametrize("flags", [(), ("-B",), ("-O",), ("-OO",), ("-X", "dev")])
def test_source_is_kept_when_it_is_compiled_and_when_its_bytecode_is_used(project, flags) -> None:
    project.write("mod.py", "'doc'\nassert True\nX = 1\n")
    project.settle()
    program = "import mod\nprint(kept('mod'))"
    for _ in range(2):
        assert project.run(program, *flags) == "b\"'doc'\\nassert True\\nX = 1\\n\"\n"
        project.settle()


def test_a_file_edited_after_it_was_loaded_leaves_what_was_executed(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    program = f"import mod\nopen({str(path)!r}, 'w').write('X = 2\\n')\nprint(mod.X, kept('mod'))"
    assert project.run(program) == "1 b'X = 1\\n'\n"
    assert project.run("import mod\nprint(mod.X, kept('mod'))") == "2 b'X = 2\\n'\n"


def test_a_module_is_kept_before_it_runs(project) -> None:
    project.write("mod.py", "import __main__\nprint(__main__.kept('mod'))\n1 / 0\n")
    program = (
        "import __main__\n__main__.kept = kept\ntry: import mod\nexcept ZeroDivisionError: pass"
    )
    assert project.run(program).startswith('b"import __main__')


def test_a_reload_replaces_what_is_kept(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    program = f"""
        import importlib, mod
        before = ledger.generation()
        open({str(path)!r}, "w").write("X = 2  # and longer\\n")
        print(kept("mod"))
        importlib.reload(mod)
        print(mod.X, kept("mod"), ledger.generation() - before)
    """
    assert project.run(dedent(program)) == "b'X = 1\\n'\n2 b'X = 2  # and longer\\n' 1\n"


def test_an_import_that_failed_and_is_retried_keeps_what_ran_last(project) -> None:
    path = project.write("mod.py", "X = 1 / 0\n")
    program = f"""
        try:
            import mod
        except ZeroDivisionError:
            print(kept("mod"))
        open({str(path)!r}, "w").write("X = 1 / 1  # mended\\n")
        import mod
        print(mod.X, kept("mod"))
    """
    assert project.run(dedent(program)) == "b'X = 1 / 0\\n'\n1.0 b'X = 1 / 1  # mended\\n'\n"


def test_what_does_not_compile_was_not_executed_and_is_not_kept(project) -> None:
    project.write("mod.py", "x = (\n")
    program = "try: import mod\nexcept SyntaxError: print(ledger.modules())"
    assert project.run(program) == "()\n"


def test_asking_a_loader_for_code_is_not_executing_it(project) -> None:
    path = project.write("mod.py", "X = 1\n")
    program = f"""
        import importlib.util, mod
        open({str(path)!r}, "w").write("X = 2  # and longer\\n")
        mod.__loader__.get_code("mod")
        del sys.modules["mod"]
        spec = importlib.util.find_spec("mod")
        print(spec.loader.get_code("mod").co_consts[0], spec.loader.get_source("mod"))
        print(kept("mod"), ledger.generation())
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        print(module.X, kept("mod"), ledger.generation())
    """
    expected = "2 X = 2  # and longer\n\nb'X = 1\\n' 1\n2 b'X = 2  # and longer\\n' 2\n"
    assert project.run(dedent(program)) == expected


def test_only_project_source_is_kept(project) -> None:
    project.write("mod.py", "import colorsys\n")
    assert project.run("import mod\nprint(ledger.modules())") == "('mod',)\n"


@pytest.mark.parametrize(
    "loading",
    [
        "runpy.run_module('pkg.mod', run_name='__main__')",
        "runpy.run_path(root + '/pkg/mod.py', run_name='pkg.mod')",
    ],
)
def test_running_a_module_under_another_name_is_not_executing_it(project, loading: str) -> None:
    project.write("pkg/__init__.py", "")
    project.write("pkg/mod.py", "X = 1\n")
    assert project.run(f"import runpy\n{loading}\nprint(kept('pkg.mod'))") == "None\n"


def test_python_m_keeps_the_module_as_main(project) -> None:
    project.write("pkg/__init__.py", "")
    project.write("pkg/__main__.py", "from pkg import mod\nprint(mod.kept('__main__'))\n")
    project.write("pkg/mod.py", "")
    program = (
        "import runpy, pkg.mod\npkg.mod.kept = kept\n"
        "runpy._run_module_as_main('pkg')\nassert kept('pkg.__main__') is None"
    )
    assert project.run(program).startswith('b"from pkg import mod')


def test_a_lazily_loaded_module_is_kept_when_it_is_executed(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        import importlib.util
        spec = importlib.util.find_spec("mod")
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        print(kept("mod"), module.X, kept("mod"))
    """
    assert project.run(dedent(program)) == "None 1 b'X = 1\\n'\n"


def test_a_module_that_replaces_itself_is_kept(project) -> None:
    project.write("mod.py", "import sys\nsys.modules[__name__] = 7\n")
    assert project.run("import mod\nprint(mod, kept('mod')[:10])") == "7 b'import sys'\n"


def test_members_of_a_zip_file_are_kept(project) -> None:
    archive = project.zip("lib.zip", {"pkg/__init__.py": "", "pkg/mod.py": b"X = 1\r\n"})
    program = "sys.path.append(root + '/lib.zip')\nimport pkg.mod\n"
    out = project.run(program + "print(ledger.get('pkg.mod'), ledger.get('pkg').is_package)")
    assert out == (
        f"ExecutedSource(module='pkg.mod', path='{archive}/pkg/mod.py', content=b'X = 1\\r\\n', "
        "is_package=False, is_bytecode=False, code=None) True\n"
    )


def test_a_zip_file_that_is_replaced_keeps_what_was_executed(project) -> None:
    project.zip("lib.zip", {"mod.py": "X = 1\n"})
    project.zip("new.zip", {"mod.py": "X = 2\n"})
    program = """
        import os
        sys.path.append(root + "/lib.zip")
        import mod
        os.replace(root + "/new.zip", root + "/lib.zip")
        print(mod.X, kept("mod"))
    """
    assert project.run(dedent(program)) == "1 b'X = 1\\n'\n"


def test_an_execution_that_is_not_seen_makes_the_ledger_forget_the_name(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        import importlib.abc, importlib.util, mod
        print(kept("mod"))
        class Loader(importlib.abc.Loader):
            def exec_module(self, module):
                module.X = 2
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                return importlib.util.spec_from_loader(name, Loader()) if name == "mod" else None
        sys.meta_path.insert(1, Finder)
        del sys.modules["mod"]
        import mod
        print(mod.X, kept("mod"))
    """
    assert project.run(dedent(program)) == "b'X = 1\\n'\n2 None\n"


def test_a_loader_that_compiles_on_its_own_is_not_believed_to_have_run_the_file(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        import importlib.machinery, importlib.util
        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, name):
                return compile("X = 2", "made", "exec")
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "mod":
                    path = root + "/mod.py"
                    return importlib.util.spec_from_file_location(name, path, loader=Loader(name, path))
        sys.meta_path.insert(1, Finder)
        import mod
        print(mod.X, kept("mod"))
    """
    out = project.run(dedent(program))
    assert out.endswith("2 None\n")
    assert "the source that module 'mod' was executed from was not kept" in out


def test_a_loader_that_rewrites_source_keeps_what_it_compiles(project) -> None:
    project.write("mod.py", "X = 1\n")
    program = """
        import importlib.machinery, importlib.util
        class Loader(importlib.machinery.SourceFileLoader):
            def get_data(self, path):
                return super().get_data(path).replace(b"1", b"2")
            def exec_module(self, module):
                exec(self.get_code(module.__name__), vars(module))
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "mod":
                    path = root + "/mod.py"
                    return importlib.util.spec_from_file_location(name, path, loader=Loader(name, path))
        sys.meta_path.insert(1, Finder)
        import mod
        print(mod.X, kept("mod"))
    """
    assert project.run(dedent(program), "-B") == "2 b'X = 2\\n'\n"
