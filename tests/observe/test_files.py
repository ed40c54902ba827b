"""Which files and folders an evaluation read, and what it asked about paths."""

import pytest

from hitsave.digest import digest_bytes


def test_a_file_counts_with_what_it_held_when_it_was_opened_first(project) -> None:
    project.write("project/data.txt", "one")
    out = project.run("""
        from prelude import *
        def load(name):
            with open(name) as file: return file.read()
        def f():
            load("data.txt")
            with open("data.txt", "r+") as file: file.write("two")
            load("data.txt")
            try: load("missing.txt")
            except OSError: pass
        observed = observe(f)
        for path, (digest, caller) in sorted(observed.files.items()):
            print(local([path]), digest and digest.hex(), caller.name, caller.line, observed.blind)
    """)
    assert out == [
        f"['project/data.txt'] {digest_bytes(b'one').hex()} load 4 ()",
        "['project/missing.txt'] None load 4 ()",
    ]


OWN = """import os
    def own():
        os.mkdir("own")
        return "own"
"""
OPENED = """
    from prelude import *
    {before}
    def f():
        {call}
    observed = observe(f)
    print(local(observed.files), local(observed.listings), observed.blind)
"""


@pytest.mark.parametrize(
    ("call", "before"),
    [
        ("open('data.txt', 'rb').close()", ""),
        ("open(b'data.txt').close()", ""),
        ("open(ROOT + '/project/../project/data.txt').close()", ""),
        ("Path('data.txt').read_text()", "from pathlib import Path"),
        ("os.close(os.open('data.txt', os.O_RDONLY))", "import os"),
        ("open('data.txt', 'r+').close()", ""),
        ("open('data.txt', 'a+').close()", ""),
        ("io.open_code(os.path.abspath('data.txt')).close()", "import io, os"),
        ("pkgutil.get_data('pack', '../data.txt')", "import pkgutil"),
        ("importlib.resources.files('pack').joinpath('../data.txt').read_text()",
         "import importlib.resources"),
        ("list(fileinput.input('data.txt'))", "import fileinput"),
        ("json.load(open('data.txt'))", "import json"),
        ("shutil.copyfile('data.txt', 'copy.txt')", "import shutil"),
        ("linecache.getline('data.txt', 1)", "import linecache"),
        ("lib.read('data.txt')", "import lib"),
        ("np.loadtxt('data.txt')", "np = __import__('numpy')"),
        ("np.memmap('data.txt', dtype='u1')", "np = __import__('numpy')"),
        ("sqlite3.connect('data.txt').close()", "import sqlite3"),
        ("sqlite3.connect('file:data.txt?mode=ro', uri=True).close()", "import sqlite3"),
        # What a call has made may lead to what it has not made.
        ("os.symlink(os.path.abspath('data.txt'), own() + '/x'); open('own/x').close()", OWN),
        ("os.symlink(ROOT + '/project', own() + '/x'); open('own/x/data.txt').close()", OWN),
        ("os.symlink('../pack/../data.txt', own() + '/x'); open('own/x').close()", OWN),
        ("os.symlink('data.txt', 'x'); os.symlink('x', 'y'); open('y').close()", "import os"),
        ("os.link('data.txt', own() + '/x'); open('own/x').close()", OWN),
        ("os.link('data.txt', 'x'); open('x').close()", "import os"),
        # It is opened by its folder's name.
        ("tempfile.TemporaryFile(dir='.').close(); open('data.txt').close()", "import tempfile"),
        ("tempfile.NamedTemporaryFile(dir='.').close(); open('data.txt').close()",
         "import tempfile"),
        ("ctypes_open('./data.txt')", "import ctypes\n"
         "    def ctypes_open(path):\n"
         "        try: ctypes.CDLL(path)\n"
         "        except OSError: pass"),
    ],
)  # fmt: skip
def test_ways_to_read_a_file(project, call: str, before: str) -> None:
    project.write("project/data.txt", "1")
    project.write("project/pack/__init__.py", "")
    project.write("library/lib.py", "def read(path):\n    return open(path).read()\n")
    out = project.run(OPENED.format(call=call, before=before))
    found, listings, blind = out[0].partition("]")[0], *out[0].rsplit(" ", 2)[1:]
    assert "'project/data.txt'" in found
    assert (listings, blind) == ("[]", "()")


@pytest.mark.parametrize(
    ("call", "before"),
    [
        ("open('out.txt', 'w').close()", ""),
        ("open('data.txt', 'a').close()", ""),
        ("open('out.txt', 'w').close(); open('out.txt').close()", ""),
        ("open('out.txt', 'x').close(); open('out.txt').close()", ""),
        ("open('out.txt', 'w').close(); os.replace('out.txt', 'b'); open('b').close()",
         "import os"),
        ("tempfile.NamedTemporaryFile().close()", "import tempfile"),
        ("tempfile.TemporaryFile().close()", "import tempfile"),
        ("temporary()", "import tempfile, os, shutil\n"
         "    def temporary():\n"
         "        with tempfile.TemporaryDirectory() as folder:\n"
         "            os.makedirs(folder + '/a/b')\n"
         "            open(folder + '/a/x', 'w').close()\n"
         "            open(folder + '/a/x').close()\n"
         "            os.listdir(folder)\n"
         "            shutil.copytree(folder + '/a', folder + '/c')"),
        ("os.symlink('made', own() + '/x'); open('own/made', 'w').close(); open('own/x').close()",
         OWN),
        ("open(own() + '/a', 'w').close(); os.link('own/a', 'b'); open('b').close()", OWN),
        ("temporary()", "import tempfile, os\n"
         "    def temporary():\n"
         "        with tempfile.TemporaryDirectory(dir=ROOT + '/linked') as folder:\n"
         "            open(folder + '/x', 'w').close()\n"
         "            open(folder + '/x').close()\n"
         "            os.listdir(folder)"),
        ("shutil.rmtree('junk')", "import shutil"),
        ("import pack", ""),
        ("importlib.import_module('pack.sub')", "import importlib"),
        ("open('/proc/self/status').close()", ""),
        ("open('/dev/null').close()", ""),
        ("open(os.__file__).close()", "import os"),
        ("os.open('pack', os.O_RDONLY)", "import os"),
        ("open(3, closefd=False)", "import os; os.open('data.txt', 0)"),
        ("inspect.getsource(f)", "import inspect"),
        ("traceback.format_stack()", "import traceback"),
        ("warnings.warn('x')", "import warnings; warnings.simplefilter('always')\n"
         "    sys.stderr = __import__('io').StringIO()"),
        ("lib.read(ROOT + '/library/.hidden/data.txt')", "import lib"),
        ("sqlite3.connect(':memory:').close()", "import sqlite3"),
        ("np.loadtxt([])", "np = __import__('numpy')\n"
         "    __import__('warnings').simplefilter('ignore')"),
    ],
)  # fmt: skip
def test_what_is_no_input(project, call: str, before: str) -> None:
    project.write("project/data.txt", "1")
    project.write("project/junk/sub/data.txt", "1")
    project.write("project/pack/__init__.py", "")
    project.write("project/pack/sub.py", "")
    project.write("library/.hidden/data.txt", "")
    project.write("library/lib.py", "def read(path):\n    return open(path).read()\n")
    (project.root / "linked").symlink_to(project.root / "project", target_is_directory=True)
    assert project.run(OPENED.format(call=call, before=before)) == ["[] [] ()"]


def test_a_file_that_an_evaluation_appends_to_and_reads(project) -> None:
    project.write("project/log.txt", "before\n")
    out = project.run(
        OPENED.format(before="", call="open('log.txt', 'a').write('x'); open('log.txt').close()")
    )
    assert out == ["['project/log.txt'] [] ()"]


def test_what_the_outer_evaluation_wrote_is_an_input_of_the_inner(project) -> None:
    out = project.run("""
        from prelude import *
        def inner(): open("out.txt").close()
        def outer():
            open("out.txt", "w").close()
            print(local(observe(inner).files))
        print(local(observe(outer).files))
    """)
    assert out == ["['project/out.txt']", "[]"]


def test_what_another_thread_writes_is_an_input(project) -> None:
    out = project.run("""
        from prelude import *
        import threading
        go, done = threading.Event(), threading.Event()
        def write():
            go.wait()
            open("shared.txt", "w").close()
            done.set()
        thread = threading.Thread(target=write)
        thread.start()
        def own():
            open("own.txt", "w").close()
        def f():
            go.set()
            done.wait()
            worker = threading.Thread(target=own)
            worker.start()
            worker.join()
            open("shared.txt").close()
            open("own.txt").close()
        print(local(observe(f).files))
    """)
    assert out == ["['project/shared.txt']"]


def test_a_file_that_could_not_be_written_is_an_input(project) -> None:
    project.write("project/data.txt", "1")
    out = project.run("""
        from prelude import *
        import os
        def f():
            try: open("data.txt", "x").close()
            except OSError: pass
            open("data.txt").close()
        print(local(observe(f).files))
    """)
    assert out == ["['project/data.txt']"]


def test_a_pipe_is_not_read(project) -> None:
    out = project.run("""
        from prelude import *
        import os, threading
        os.mkfifo("pipe")
        def write():
            with open("pipe", "w") as pipe: pipe.write("said")
        def f():
            with open("pipe") as pipe: print(pipe.read())
        threading.Timer(0.2, write).start()
        from hitsave.code.surroundings import content_digest
        pipe = content_digest("pipe")
        print([digest == pipe for digest, _ in observe(f).files.values()])
    """)
    # That it is a pipe counts; reading it would take what is said from the program.
    assert out == ["said", "[True]"]


def test_a_change_within_the_clock_is_seen(project) -> None:
    out = project.run("""
        from prelude import *
        import os
        def f(): open("data.txt").close()
        found = set()
        for text in ("a", "b", "c"):
            with open("data.txt", "w") as file: file.write(text)
            found.add(observe(f).files[ROOT + "/project/data.txt"][0])
        print(len(found))
    """)
    assert out == ["3"]


@pytest.mark.parametrize(
    "call",
    [
        "os.listdir('folder')",
        "os.listdir(b'folder')",
        "list(os.scandir(ROOT + '/project/folder'))",
        "list(os.walk('folder'))",
        "glob.glob('folder/*.txt')",
        "list(Path('folder').iterdir())",
        "list(Path('folder').glob('*.txt'))",
        "list(pkgutil.iter_modules([ROOT + '/project/folder']))",
        "list(os.fwalk('folder'))",
        "os.listdir(os.open('folder', os.O_RDONLY))",
        "lib.names('folder')",
        "os.chdir('folder'); os.listdir()",
    ],
)
def test_ways_to_list_a_folder(project, call: str) -> None:
    project.write("project/folder/a.txt", "")
    project.write("library/lib.py", "import os\ndef names(path):\n    return os.listdir(path)\n")
    before = "import glob, os, pkgutil, lib; from pathlib import Path"
    out = project.run(OPENED.format(call=call, before=before))
    assert out == ["[] ['project/folder'] ()"]


def test_a_listing_counts_by_its_names(project) -> None:
    project.write("project/folder/a.txt", "")
    out = project.run("""
        from prelude import *
        import os
        def f():
            try: os.listdir("folder")
            except OSError: pass
        def digest(): return observe(f).listings[ROOT + "/project/folder"][0]
        first = digest()
        os.mkdir("folder/__pycache__")
        for name in ("a.pyc", ".a.txt.swp"): open("folder/" + name, "w").close()
        second = digest()
        open("folder/b.txt", "w").close()
        third = digest()
        os.rename("folder", "elsewhere")
        print(first == second, first == third, digest())
    """)
    assert out == ["True False None"]


ASKED = """
    from prelude import *
    import os, lib
    from pathlib import Path
    def f():
        {call}
    for _ in range(2):
        observed = observe(f)
        for path, (kind, caller) in sorted(observed.paths.items()):
            print(*local([path]), kind, caller.name, observed.blind)
"""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("os.path.exists('data.txt')", "project/data.txt file f ()"),
        ("os.path.exists('none.txt')", "project/none.txt none f ()"),
        ("os.path.isfile(b'data.txt')", "project/data.txt file f ()"),
        ("os.path.isdir('folder')", "project/folder folder f ()"),
        ("os.path.lexists('folder')", "project/folder folder f ()"),
        ("Path('data.txt').exists()", "project/data.txt file f ()"),
        ("Path('folder').is_file()", "project/folder folder f ()"),
        ("Path('folder').is_dir()", "project/folder folder f ()"),
        ("lib.there('data.txt')", "project/data.txt file f ()"),
        ("os.path.exists(3)", None),
        ("os.path.exists('/proc/self')", None),
        ("os.makedirs('folder/new/newer', exist_ok=True)", None),
        ("Path('folder/new/newer').mkdir(parents=True, exist_ok=True)", None),
        ("open('out.txt', 'w').close(); os.path.exists('out.txt')", None),
    ],
)
def test_questions_about_paths(project, call: str, said: str | None) -> None:
    project.write("project/data.txt", "1")
    project.write("project/folder/a.txt", "")
    project.write(
        "library/lib.py", "import os\ndef there(path):\n    return os.path.exists(path)\n"
    )
    assert project.run(ASKED.format(call=call)) == ([] if said is None else [said] * 2)


def test_a_folder_that_is_opened_to_be_written_is_asked_for(project) -> None:
    project.write("project/pack/data.txt", "")
    out = project.run("""
        from prelude import *
        import tempfile
        def f():
            try: open("pack", "w")
            except OSError: pass
            tempfile.TemporaryFile(dir="pack").close()
            open("pack/data.txt").close()
        observed = observe(f)
        print(local(observed.paths), local(observed.files), observed.blind)
    """)
    assert out == ["['project/pack'] ['project/pack/data.txt'] ()"]


@pytest.mark.parametrize(
    ("call", "noted"),
    [
        # What was not there when the folder was made was not there before.
        ("open('work/a')", "['project/work/a'] []"),
        ("open('work/deep/a')", "['project/work/deep/a'] []"),
        ("os.listdir('work/none')", "[] ['project/work/none']"),
        ("open('work/a', 'w').close(); open('work/a')", "[] []"),
        # It has made it since.
        ("os.path.exists('work/a') or open('work/a', 'w').close()", "[] []"),
        ("attempt(lambda: open('work/a')); open('work/a', 'w').close()", "[] []"),
        # The next time, somebody else may have put something there.
        ("open('work/a', 'w').close(); os.listdir('work')", "[] ['project/work']"),
        ("os.mkdir('work/deep'); os.listdir('work/deep')", "[] ['project/work/deep']"),
        ("os.listdir('work'); os.rmdir('work')", "[] []"),
    ],
)
def test_a_folder_that_was_not_there_before(project, call: str, noted: str) -> None:
    out = project.run(f"""
        from prelude import *
        import os
        def attempt(act):
            try: act()
            except OSError: pass
        def act():
            {call}
        def f():
            os.makedirs("work", exist_ok=True)
            attempt(act)
        observed = observe(f)
        print(local(observed.files), local(observed.listings))
        print(*(digest for digest, _ in observed.files.values()))
    """)
    assert out[0] == noted
    assert set(out[1].split()) <= {"None"}
