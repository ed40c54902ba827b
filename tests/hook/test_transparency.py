"""Programs print the same with the hook and without, from source and from bytecode."""

# The lines of the programs below are as long as they are.
# ruff: noqa: E501

import shutil
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

PACKAGE = {
    "pkg/__init__.py": "'the package'\nfrom . import inner\nVERSION = 1\n",
    "pkg/inner.py": "'a module'\ndef f(x):\n    # a comment\n    return x + 1\n",
    "pkg/data.txt": "some data\n",
    "pkg/deep/__init__.py": "",
    "pkg/deep/leaf.py": "LEAF = 1\n",
}

ATTRIBUTES = """
import pkg, pkg.inner
def show(m):
    print(m, m.__name__, m.__file__, m.__cached__, m.__package__, m.__doc__, sorted(vars(m)))
    print(m.__spec__, m.__spec__.cached, m.__spec__.has_location, m.__spec__.parent)
    print(m.__spec__.submodule_search_locations, m.__spec__.loader_state, m.__spec__._initializing)
    print(type(m.__loader__), m.__loader__, vars(m.__loader__), m.__loader__ is m.__spec__.loader)
    print(type(m.__loader__).__mro__, m.__loader__.is_package(m.__name__))
    print(m.__loader__.get_source(m.__name__), m.__loader__.get_filename(m.__name__))
    print(m.__loader__.get_code(m.__name__), sorted(m.__loader__.path_stats(m.__file__)))
show(pkg)
show(pkg.inner)
"""

BEFORE_AN_IMPORT = """
import copy, importlib.machinery, importlib.util, pickle
spec = importlib.util.find_spec("single")
print(spec, spec.loader, vars(spec.loader), isinstance(spec.loader, importlib.machinery.SourceFileLoader))
print(spec == importlib.util.find_spec("single"), hash(spec.loader) == hash(spec.loader))
print([pickle.loads(pickle.dumps(spec, n)) == pickle.loads(pickle.dumps(spec, n)) for n in range(6)])
print(type(copy.copy(spec.loader)) is importlib.machinery.SourceFileLoader)
print(b"hitsave" in pickle.dumps(spec))
print(spec.loader.get_code("single"), spec.loader.get_source("single"))
try:
    spec.loader.get_code("other")
except ImportError as error:
    print(error)
import single
print(single.__spec__ == importlib.machinery.PathFinder.find_spec("single"))
"""

INSPECTION = """
import inspect, linecache, pkg.inner
print(inspect.getsource(pkg.inner.f), inspect.getsource(pkg.inner), inspect.getcomments(pkg.inner.f))
print(inspect.getsourcefile(pkg.inner), inspect.getfile(pkg.inner.f), inspect.getmodule(pkg.inner.f))
print(linecache.getlines(pkg.inner.__file__), linecache.getlines("x", vars(pkg.inner)))
print(pkg.inner.f.__code__.co_filename, list(pkg.inner.f.__code__.co_positions()))
"""

PKGUTIL = """
import pkgutil, pkg
print(list(pkgutil.walk_packages(pkg.__path__, "pkg.")), pkgutil.get_data("pkg", "data.txt"))
print(pkgutil.resolve_name("pkg.inner:f").__name__, pkgutil.get_importer(root))
print(len([finder for finder in pkgutil.iter_importers() if type(finder).__name__ != "Finder"]))
"""

RESOURCES = """
import importlib.resources as resources, pkg
print((resources.files(pkg) / "data.txt").read_text(), sorted(p.name for p in resources.files("pkg").iterdir()))
with resources.as_file(resources.files("pkg") / "data.txt") as path:
    print(path)
reader = pkg.__spec__.loader.get_resource_reader("pkg")
print(type(reader), pkg.__loader__.get_data(pkg.__path__[0] + "/data.txt"))
"""

RELOAD = """
import importlib, single
single.extra = 1
print(importlib.reload(single) is single, single.extra, single.__spec__, type(single.__loader__), single.count)
"""

NAMESPACE = """
sys.path.append(root + "/elsewhere")
import spread.one, spread.two, importlib.resources
print(spread, list(spread.__path__), spread.__spec__, type(spread.__loader__), spread.one.X, spread.two.X)
print(hasattr(spread, "__file__"), sorted(p.name for p in importlib.resources.files(spread).iterdir()))
"""

CIRCULAR = "import ring_a, ring_b\nprint(ring_a.b.NAME, ring_b.a.NAME, ring_b.SEEN)\n"

REPLACED = """
import replacing
print(replacing, replacing.answer, sys.modules["replacing"] is replacing, hasattr(replacing, "__spec__"))
"""

DYNAMIC = """
import dynamic
from dynamic import made_up
print(dynamic.anything, made_up, dir(dynamic))
try:
    dynamic.refused
except AttributeError as error:
    print(error)
"""

FAILURES = """
import traceback
for name in FAILING:
    for attempt in 1, 2:
        try:
            __import__(name)
        except BaseException as error:
            traceback.print_exc(file=sys.stdout)
            print(type(error), error.args, getattr(error, "filename", None), error.__context__)
        print(name in sys.modules)
try:
    from single import absent
except ImportError:
    traceback.print_exc(file=sys.stdout)
try:
    import single.below
except ImportError:
    traceback.print_exc(file=sys.stdout)
"""

LAZY = """
import importlib.util
spec = importlib.util.find_spec("single")
spec.loader = importlib.util.LazyLoader(spec.loader)
module = sys.modules["single"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(type(module), object.__getattribute__(module, "__dict__").get("count"))
print(module.count, type(module), type(module.__loader__))
"""

LAZY_FINDER = """
import importlib.machinery, importlib.util
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and name in ("single", "packed"):
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec
sys.meta_path.append(Finder)
sys.meta_path.remove(importlib.machinery.PathFinder)
sys.path.append(root + "/lib.zip")
import single, packed
print(type(single), single.count, type(single), type(single.__loader__))
print(type(packed), packed.X, type(packed), type(packed.__loader__))
"""

BY_HAND = """
import importlib.util
spec = importlib.util.spec_from_file_location("by_hand", root + "/single.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module, module.count, type(spec.loader), "by_hand" in sys.modules)
"""

LEGACY = """
import importlib.util, warnings
warnings.simplefilter("ignore")
print(importlib.util.find_spec("single").loader.load_module("single"), sys.modules["single"].count)
"""

RUNPY = """
import runpy
print(sorted(runpy.run_module("pkg.inner")), runpy.run_path(root + "/single.py")["count"])
print(runpy.run_module("pkg.deep.leaf", run_name="__main__", alter_sys=True)["__spec__"])
"""

ENCODINGS = """
import latin, bom, crlf, formfeed, cookie
for module in latin, bom, crlf, formfeed, cookie:
    print(ascii(module.TEXT), ascii(module.__loader__.get_source(module.__name__)))
"""

STACK = """
import warnings
warnings.simplefilter("always")
import outer_frame
"""

ZIPPED = """
sys.path.append(root + "/lib.zip")
import inspect, importlib, importlib.resources, pickle, pkgutil, traceback, zpkg, zpkg.mod, importlib.util
print(zpkg, zpkg.__spec__, zpkg.__file__, zpkg.__path__, type(zpkg.__loader__), zpkg.__loader__)
print(inspect.getsource(zpkg.mod.f), zpkg.mod.__loader__.get_source("zpkg.mod"), vars(zpkg.__loader__).keys())
print((importlib.resources.files(zpkg) / "data.txt").read_text(), pkgutil.get_data("zpkg", "data.txt"))
print(list(pkgutil.walk_packages(zpkg.__path__)), importlib.reload(zpkg.mod) is zpkg.mod)
spec = importlib.util.find_spec("zpkg.boom")
print(spec, spec.loader, sorted(vars(spec.loader).keys() - {"_hitsave_origin"}), spec.loader.get_code("zpkg.boom"))
print(type(pickle.loads(pickle.dumps(spec)).loader))
for name in "zpkg.boom", "zpkg.broken", "zpkg.absent":
    try:
        __import__(name)
    except Exception:
        traceback.print_exc(file=sys.stdout)
"""

SOURCELESS = """
import bare
print(bare, bare.X, type(bare.__loader__), bare.__loader__.get_source("bare"))
"""

CUSTOM_LOADER = """
import importlib.machinery, importlib.util
class Loader(importlib.machinery.SourceFileLoader):
    made = []
    def __init__(self, name, path, colour):
        super().__init__(name, path)
        self.colour = colour
    def get_code(self, name):
        self.asked = name
        return super().get_code(name)
    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(data.replace(b"count", b"total"), path)
    def exec_module(self, module):
        module.before = type(self).__name__
        super().exec_module(module)
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "single":
            path = root + "/single.py"
            return importlib.util.spec_from_file_location(name, path, loader=Loader(name, path, "red"))
sys.meta_path.insert(1 if "hitsave.hook" in sys.modules else 0, Finder)
sys.dont_write_bytecode = True
import single
print(vars(single.__loader__), type(single.__loader__) is Loader, single.total, single.before)
"""

FINDERS = """
import importlib, traceback
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name == "refused":
            raise ImportError("not this one", name=name)
        if name == "broken_finder":
            raise ZeroDivisionError
class WithoutFindSpec:
    pass
sys.meta_path[-1:-1] = [Refusing()] if sys.version_info < (3, 12) else [WithoutFindSpec(), Refusing()]
import single
for name in "refused", "broken_finder", "absent", "single.below":
    try:
        __import__(name)
    except Exception:
        traceback.print_exc(file=sys.stdout)
print(importlib.util.find_spec("absent") if hasattr(importlib, "util") else None)
importlib.invalidate_caches()
sys.meta_path.clear()
try:
    import absent
except ImportError as error:
    print(error)
"""

EXTENSION = """
import native
from native import EXTENSION
print(EXTENSION.__name__, type(EXTENSION.__loader__), EXTENSION.__spec__.origin)
"""

SINGLE = {"single.py": "count = globals().get('count', 0) + 1\n"}

FAILING = {
    "syntax.py": "def f(:\n    pass\n",
    "indent.py": "if True:\nprint()\n",
    "unclosed.py": "x = (\n",
    "nulls.py": "x = 1\0\n",
    "undecodable.py": b"# -*- coding: utf-8 -*-\nx = '\xe9'\n",
    "unknown_coding.py": "# coding: no-such-coding\n",
    "raising.py": "def f():\n    1 / 0\nf()\n",
    "importing.py": "import no_such_module\n",
    "indirect.py": "import raising\n",
    "half.py": "import half_b\nX = 1\n",
    "half_b.py": "from half import X\n",
    "exiting.py": "raise SystemExit(3)\n",
    "interrupted.py": "raise KeyboardInterrupt\n",
    "grouped.py": "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])\n",
    "chained.py": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise OSError('x') from e\n",
    "imports_syntax.py": "import syntax\n",
    "missing_parent.py": "import absent.below\n",
    "deep.py": "def f(n):\n    f(n + 1)\nf(0)\n",
}

ENCODED = {
    "latin.py": b"# -*- coding: latin-1 -*-\nTEXT = '\xe9'\n",
    "bom.py": b"\xef\xbb\xbfTEXT = '\xc3\xa9'\n",
    "crlf.py": b"TEXT = '''a\r\nb'''\r\n",
    "formfeed.py": b"\x0cTEXT = 'x'\n\x0c\n",
    "cookie.py": "#!/bin/python\n# vim: set fileencoding=cp1252 :\nTEXT = '€'\n".encode("cp1252"),
}

FRAMES = {
    "outer_frame.py": "import inner_frame\ninner_frame.warn()\n",
    "inner_frame.py": dedent(
        """
        import sys, traceback, warnings
        def warn():
            warnings.warn("called", stacklevel=2)
        warnings.warn("importing", stacklevel=2)
        warnings.warn("further", stacklevel=3)
        traceback.print_stack(file=sys.stdout)
        frame, names = sys._getframe(), []
        while frame:
            names.append((frame.f_code.co_filename, frame.f_code.co_name))
            frame = frame.f_back
        print(names)
        """
    ),
}

ZIP = {
    "zpkg/__init__.py": "'zipped'\n",
    "zpkg/mod.py": "def f():\n    return 1\n",
    "zpkg/boom.py": "def f():\n    1 / 0\nf()\n",
    "zpkg/broken.py": "x = (\n",
    "zpkg/data.txt": "zipped data\n",
    "packed.py": "X = 1\n",
}

PROGRAMS = {
    "attributes": (PACKAGE, ATTRIBUTES),
    "a spec that is looked at before the import": (SINGLE, BEFORE_AN_IMPORT),
    "inspection": (PACKAGE, INSPECTION),
    "pkgutil": (PACKAGE, PKGUTIL),
    "resources": (PACKAGE, RESOURCES),
    "reload": (SINGLE, RELOAD),
    "namespace packages": (
        {"spread/one.py": "X = 1\n", "elsewhere/spread/two.py": "X = 2\n"},
        NAMESPACE,
    ),
    "circular imports": (
        {
            "ring_a.py": "NAME = 'a'\nimport ring_b as b\n",
            "ring_b.py": "NAME = 'b'\nimport ring_a as a\nSEEN = a.NAME\n",
        },
        CIRCULAR,
    ),
    "a module that replaces itself": (
        {
            "replacing.py": "import sys\nclass Other:\n    answer = 42\n"
            "sys.modules[__name__] = Other()\n"
        },
        REPLACED,
    ),
    "module __getattr__": (
        {
            "dynamic.py": "def __getattr__(name):\n    if name == 'refused':\n"
            "        raise AttributeError(name)\n    return name\ndef __dir__():\n    return ['x']\n"
        },
        DYNAMIC,
    ),
    "imports that fail": (
        {**FAILING, **SINGLE},
        f"FAILING = {sorted(Path(name).stem for name in FAILING)}\n{FAILURES}",
    ),
    "a lazy loader": (SINGLE, LAZY),
    "a finder of lazy loaders": (SINGLE, LAZY_FINDER),
    "a spec made by hand": (SINGLE, BY_HAND),
    "load_module": (SINGLE, LEGACY),
    "runpy": ({**PACKAGE, **SINGLE}, RUNPY),
    "encodings": (ENCODED, ENCODINGS),
    "stacks and warnings": (FRAMES, STACK),
    "a zip file": ({}, ZIPPED),
    "a loader of another's class": (SINGLE, CUSTOM_LOADER),
    "other finders": (SINGLE, FINDERS),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_prints_the_same(project, name: str) -> None:
    files, program = PROGRAMS[name]
    for path, content in files.items():
        project.write(path, content)
    project.zip("lib.zip", ZIP)
    expected = project.run(program, hooked=False)
    project.clean()
    assert project.run(program) == expected
    project.settle()
    assert project.run(program) == expected


def test_a_module_without_source_is_left_alone(project) -> None:
    import py_compile

    source = project.write("bare.py", "X = 1\n")
    py_compile.compile(str(source), cfile=str(project.root / "bare.pyc"))
    source.unlink()
    expected = project.run(SOURCELESS, hooked=False)
    assert project.run(SOURCELESS + "assert ledger.modules() == ()") == expected


def test_an_extension_module_is_left_alone(project) -> None:
    folder = Path(sysconfig.get_config_var("DESTSHARED") or "")
    extension = next(folder.glob(f"_lsprof.{sysconfig.get_config_var('SOABI')}*"), None)
    if extension is None:
        pytest.skip("this Python has its extension modules built in")
    project.write("native/__init__.py", "")
    shutil.copy(extension, project.root / "native")
    program = EXTENSION.replace("EXTENSION", "_lsprof")
    expected = project.run(program, hooked=False)
    assert project.run(program + "assert ledger.modules() == ('native',)") == expected


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python 3.12 asks such finders no more")
def test_a_finder_of_the_old_protocol_is_asked_in_its_turn(project) -> None:
    project.write("single.py", "X = 'file'\n")
    program = dedent(
        """
        import types, warnings
        warnings.simplefilter("ignore")
        class Old:
            def find_module(self, name, path=None):
                return self if name == "single" else None
            def load_module(self, name):
                sys.modules[name] = module = types.ModuleType(name)
                module.X = "old"
                return module
        sys.meta_path.insert(-1, Old())
        import single
        print(single.X)
        """
    )
    assert project.run(program) == project.run(program, hooked=False) == "old\n"
