"""The runner against Python itself: the same output, the same errors, the same end."""

# The lines of the programs below are as long as they are.
# ruff: noqa: E501

import zipfile

import pytest

LOOK = """
import sys
def f(): pass
print(list(globals()), __name__, __file__, __spec__, __package__, __cached__, __doc__)
print(__builtins__, type(__loader__), sys.modules["__main__"].__dict__ is globals())
print(sys.argv, sys.path[0], f.__module__, f.__code__.co_filename, sys.modules["__main__"])
"""

SCRIPTS = {
    "what it sees": LOOK,
    "a docstring": "'''the docstring'''\nprint(__doc__, __annotations__)\n",
    "annotations": "x: int = 1\nprint(__annotations__)\n",
    "exit with nothing": "import sys\nsys.exit()\n",
    "exit with zero": "raise SystemExit(0)\n",
    "exit with a number": "raise SystemExit(7)\n",
    "exit with a large number": "raise SystemExit(2**40 + 3)\n",
    "exit with a negative number": "raise SystemExit(-1)\n",
    "exit with true": "raise SystemExit(True)\n",
    "exit with text": "print('out')\nraise SystemExit('no good')\n",
    "exit with a tuple": "raise SystemExit(1, 2)\n",
    "exit with an object": "import sys\nsys.exit([1, None])\n",
    "exit from within": "def f():\n    try:\n        raise SystemExit(5)\n    finally:\n        print(1)\nf()\n",
    "os._exit": "import os\nos._exit(9)\n",
    "an error": "def f():\n    return 1 / 0\nf()\n",
    "an error at the top": "1 / 0\n",
    "a chain": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise OSError('x') from e\n",
    "a context": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}['a']\n",
    "a group": "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])\n",
    "a note": "e = ValueError(1)\ne.add_note('see')\nraise e\n",
    "an interrupt": "import atexit\natexit.register(print, 'bye')\nprint('hi')\nraise KeyboardInterrupt\n",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n",
    "a syntax error": "def f(:\n    pass\n",
    "an indentation error": "if True:\nprint(1)\n",
    "an unclosed bracket": "print('never')\nx = (1,\n",
    "a null byte": "print(1)\nx = 1\0\n",
    "an unknown encoding": "# coding: none-such\nprint(1)\n",
    "bytes that are no text": b"print(1)\n# \xe9\n",
    "text that is no text": b"print('\xe9')\n",
    "a byte order mark": b"\xef\xbb\xbfprint('\xc3\xa9')\n",
    "another encoding": "# coding: latin-1\nprint(ascii('é'))\n".encode("latin-1"),
    "Windows line ends": b"print(1)\r\nprint('''a\r\nb''')\r\n",
    "no line end": "print(1)",
    "nothing": "",
    "a syntax warning": "x = 1\nif x is 1:\n    print(x)\n",
    "an excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0], a[1], a[2].tb_lineno)\n1/0\n",
    "an excepthook that fails": "import sys\ndef hook(*a):\n    [][1]\nsys.excepthook = hook\n1 / 0\n",
    "an excepthook that exits": "import sys\ndef hook(*a):\n    sys.exit(4)\nsys.excepthook = hook\n1 / 0\n",
    "exit handlers": (
        "import atexit\natexit.register(lambda: print('first', sorted(globals())))\n"
        "atexit.register(print, 'second')\nprint('body')\n1 / 0\n"
    ),
    "an exit handler that fails": "import atexit\natexit.register(lambda: 1 / 0)\n",
    "what is left behind": (
        "import atexit, sys\n"
        "def look(): print(sys.last_type, sys.last_value, sys.last_traceback.tb_frame.f_code)\n"
        "atexit.register(look)\n1 / 0\n"
    ),
    "a thread that outlives it": (
        "import threading\nmain = threading.current_thread()\n"
        "def f():\n    main.join()\n    print('late')\n"
        "threading.Thread(target=f).start()\nprint('end')\n"
    ),
    "a thread that fails": (
        "import threading\nt = threading.Thread(target=lambda: 1 / 0, name='t')\nt.start()\nt.join()\n"
    ),
    "objects that die late": "class A:\n    def __del__(self): print('gone')\na = A()\n",
    "a pickled class": (
        "import pickle\nclass A:\n    def __eq__(self, o): return type(self) is type(o)\n"
        "print(pickle.loads(pickle.dumps(A())) == A(), b'__main__' in pickle.dumps(A()))\n"
    ),
    "importing itself": "if __name__ == '__main__':\n    import program\n    print(program.__name__)\n",
    "a module beside it": "import beside\nprint(beside.__file__)\nbeside.fail()\n",
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): self.assertEqual(1, 2)\n"
        "unittest.main()\n"
    ),
    "a redirected stream": "import sys\nsys.stderr = sys.stdout\nraise SystemExit('where')\n",
    "flags": "import sys, warnings\nprint(sys.flags, sys.warnoptions, sys._xoptions)\nassert False\n",
    "multiprocessing": (
        "import multiprocessing as mp, sys\n"
        "class Thing:\n    pass\n"
        "def work(x): return (x, __name__, type(x).__module__, sys.argv, sys.path[0])\n"
        "if __name__ == '__main__':\n"
        "    for method in ('spawn', 'forkserver', 'fork'):\n"
        "        with mp.get_context(method).Pool(1) as pool:\n"
        "            print([str(part) for part in pool.apply(work, (Thing(),))])\n"
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_ends_as_under_python(programs, name: str) -> None:
    programs.write("beside.py", "def fail():\n    raise LookupError('beside')\n")
    programs.write("program.py", SCRIPTS[name])
    assert programs.driven("program.py", "a", "-b") == programs.plain("program.py", "a", "-b")


@pytest.mark.parametrize("name", ["what it sees", "an error", "exit with text", "an interrupt"])
def test_a_module_ends_as_under_python(programs, name: str) -> None:
    programs.write("program.py", SCRIPTS[name])
    words = ("-m", "program", "a", "-b")
    assert programs.driven(*words) == programs.plain(*words)


@pytest.mark.parametrize(
    "flags", [("-P",), ("-B",), ("-OO",), ("-W", "error"), ("-X", "utf8"), ("-u",), ("-P", "-b")]
)
@pytest.mark.parametrize("kind", ["script", "module"])
def test_flags_of_the_interpreter_hold(programs, flags, kind: str) -> None:
    programs.write("program.py", SCRIPTS["flags"] + LOOK)
    words = ("-m", "calendar", "2024", "2") if kind == "module" else ("program.py", "a")
    assert programs.driven(*words, flags=flags) == programs.plain(*words, flags=flags)


@pytest.mark.parametrize("path", ["./program.py", "sub/../program.py", "link.py", "bin/odd name"])
def test_a_script_by_another_path_is_the_same(programs, path: str) -> None:
    programs.write("program.py", LOOK)
    programs.write("bin/odd name", LOOK)
    programs.write("sub/real.py", LOOK)
    (programs.root / "link.py").symlink_to("sub/real.py")
    absolute = str(programs.root / path)
    assert programs.driven(path) == programs.plain(path)
    assert programs.driven(absolute) == programs.plain(absolute)


PACKAGE = {
    "pkg/__init__.py": "print('package', __name__)\n",
    "pkg/__main__.py": "from . import part\nfrom pkg.part import X\nprint(X)\n" + LOOK,
    "pkg/part.py": "X = 1\n",
    "pkg/relative.py": "from .part import X\nprint(X, __package__, __spec__.parent)\n",
    "pkg/wrong.py": "from .part import Y\n",
    "pkg/broken.py": "x = (\n",
    "spread/inside.py": LOOK,
}


@pytest.mark.parametrize(
    "module",
    ["pkg", "pkg.__main__", "pkg.relative", "pkg.wrong", "pkg.broken", "pkg.part", "spread.inside"],
)
def test_a_package_ends_as_under_python(programs, module: str) -> None:
    for name, content in PACKAGE.items():
        programs.write(name, content)
    assert programs.driven("-m", module, "a") == programs.plain("-m", module, "a")


@pytest.mark.parametrize("program", ["dir", "./dir", "app.zip", "app"])
@pytest.mark.parametrize("body", ["", "1 / 0\n"])
def test_a_directory_or_a_zip_file_ends_as_under_python(programs, program, body: str) -> None:
    main = "import helper\nprint(helper.__file__)\n" + LOOK + body
    programs.write("dir/__main__.py", main)
    programs.write("dir/helper.py", "")
    for name in "app.zip", "app":
        with zipfile.ZipFile(programs.root / name, "w") as archive:
            archive.writestr("__main__.py", main)
            archive.writestr("helper.py", "")
    assert programs.driven(program, "a") == programs.plain(program, "a")


def test_compiled_scripts_end_as_under_python(programs) -> None:
    import py_compile

    source = programs.write("program.py", "print(__file__, type(__loader__))\n1 / 0\n")
    py_compile.compile(str(source), cfile=str(programs.root / "program.pyc"))
    assert programs.driven("program.pyc") == programs.plain("program.pyc")


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"),
        ("-m", "unittest", "-q", "test_it"),
        ("-m", "doctest", "documented.py"),
        ("-m", "timeit", "-n1", "-r1", "-s", "import sys; sys.exit(3)"),
        ("-m", "json.tool", "absent.json"),
    ],
)
def test_tools_run_as_under_python(programs, words) -> None:
    programs.write(
        "test_it.py",
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test_one(self): pass\n    def test_two(self): assert [1] == [2]\n",
    )
    programs.write(
        "documented.py", "def f():\n    '''\n    >>> f()\n    2\n    '''\n    return 1\n"
    )
    driven, plain = programs.driven(*words), programs.plain(*words)
    assert driven.code == plain.code
    if words[1] != "unittest":  # which prints how long it took
        assert driven == plain
