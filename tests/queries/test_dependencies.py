"""What a target depends on, as its project's files say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hitsave
from hitsave import queries, session
from hitsave.code.symbol import Facet, Symbol
from hitsave.errors import TargetError


def symbols(graph: queries.Graph) -> set[str]:
    """The project symbols of a graph that have a facet."""
    return {str(node.symbol) for node in graph.nodes if node.facets}


def reached(target: str) -> set[str]:
    return symbols(queries.dependencies(target))


# -- targets ------------------------------------------------------------------------------------

MODULE = """\
from other import helper

LIMIT = 3

def f():
    return helper() + LIMIT

class Thing:
    size = 4

    def method(self):
        return f()

    def unused(self):
        return 1

def outer():
    def inner():
        return LIMIT
    return inner
"""


@pytest.fixture
def module(project):
    project.write({"m.py": MODULE, "other.py": "def helper():\n    return 1\n"})
    return project


F = {"m:f", "m:LIMIT", "m:helper", "other:helper"}


@pytest.mark.parametrize(
    ("name", "root", "found"),
    [
        ("f", "m:f", F),
        ("Thing.method", "m:Thing.method", {*F, "m:Thing", "m:Thing.method"}),
        ("Thing", "m:Thing", {"m:Thing"}),
        ("LIMIT", "m:LIMIT", {"m:LIMIT"}),
        ("helper", "other:helper", {"other:helper"}),
        ("outer.<locals>.inner", "m:outer.<locals>.inner", {"m:LIMIT", "m:outer.<locals>.inner"}),
    ],
)
@pytest.mark.parametrize("where", ["m", "m.py", "./m.py"])
@pytest.mark.usefixtures("module")
def test_a_target_is_anything_that_has_a_name(where, name, root, found):
    graph = queries.dependencies(f"{where}:{name}")
    assert [str(symbol) for symbol in graph.roots] == [root]
    assert symbols(graph) == found


def test_a_module_stands_for_its_memoised_functions(project):
    project.write(
        {
            "m.py": "import hitsave as h\nfrom hitsave import memo as keep, experiment\n"
            "@keep\ndef f(): return g()\n"
            "@experiment(version=1)\ndef e(): pass\n"
            "class C:\n    @h.memo\n    def method(self): pass\n"
            "def g(): pass\ndef unused(): pass\n@h.inert\ndef inert(): pass\n"
        }
    )
    graph = queries.dependencies("m")
    memoised = {str(node.symbol) for node in graph.nodes if node.is_memoised}
    assert [str(symbol) for symbol in graph.roots] == ["m:f", "m:e", "m:C.method"]
    assert memoised == {"m:f", "m:e", "m:C.method"}
    assert "m:g" in symbols(graph)
    assert "m:unused" not in symbols(graph)


@pytest.mark.usefixtures("module")
def test_a_module_without_memoised_functions_stands_for_all_that_it_holds():
    assert {*F, "m:Thing", "m:outer"} <= reached("m")


def test_what_statements_at_module_level_use_counts_for_the_module(project):
    project.write({"m.py": "import other\nprint(other.used())\n"})
    project.write({"other.py": "def used(): pass\ndef unused(): pass\n"})
    assert reached("m") >= {"other:used"}
    assert "other:unused" not in reached("m")


@pytest.mark.parametrize("target", ["src/p/m.py:f", "p.m:f", "./src/p/m.py:f"])
def test_a_file_in_packages_goes_by_its_full_name(project, target):
    project.write(
        {
            "src/p/__init__.py": "",
            "src/p/m.py": "from . import n\ndef f(): return n.g()\n",
            "src/p/n.py": "def g(): pass\n",
        }
    )
    assert {"p.m:f", "p.n:g"} <= reached(target)


def test_a_folder_stands_for_what_running_it_runs(project):
    project.write({"p/__init__.py": "", "p/__main__.py": "def f(): pass\n"})
    assert reached("./p") == {"p.__main__:f"}


def test_a_script_may_be_called_as_a_standard_module_is(project):
    project.write({"deep/token.py": "def f(): return g()\ndef g(): pass\n"})
    assert reached("deep/token.py:f") == {"token:f", "token:g"}


def test_a_script_finds_what_lies_beside_it(project):
    project.write({"deep/s.py": "import beside\ndef f(): return beside.g()\n"})
    project.write({"deep/beside.py": "def g(): pass\n"})
    assert "beside:g" in reached("deep/s.py:f")


def test_a_workspace_without_a_mark_is_the_scripts_folder(project):
    (project.root / "pyproject.toml").unlink()
    project.write({"s.py": "import beside\ndef f(): return beside.g()\n"})
    project.write({"beside.py": "def g(): pass\n"})
    assert "beside:g" in reached("s.py:f")


@pytest.mark.parametrize("target", ["m:Thing.metod", "m:Think.method", "m:LIMIT.x", "m:f.g"])
@pytest.mark.usefixtures("module")
def test_a_name_that_is_not_there_is_refused(target):
    with pytest.raises(TargetError, match="m has no"):
        queries.dependencies(target)


def test_a_file_that_cannot_be_read_is_refused(project):
    (project.root / "link.py").symlink_to("link.py")
    with pytest.raises(TargetError, match=r"link\.py"):
        queries.dependencies("link.py")


# -- what is reached ----------------------------------------------------------------------------


def test_packages_that_import_from_each_other_in_a_circle_are_read(project):
    project.write(
        {
            "p/__init__.py": "from p.a import *\nfrom . import b\n",
            "p/a.py": "from p import *\nfrom p import b, missing\n"
            "def f(): return b.g(), missing()\n",
            "p/b.py": "from p.a import f, missing\ndef g(): return f()\n",
            "m.py": "import p\ndef h(): return p.f(), p.missing()\n",
        }
    )
    assert {"m:h", "p.a:f", "p.b:g"} <= reached("m:h")


def test_a_distribution_counts_by_its_version_without_being_imported(project):
    project.write({"m.py": "import pytest as p\ndef f(): return p.fixture\n"})
    node = queries.dependencies("m:f").by_symbol()[Symbol.parse("pytest")]
    assert node.detail == pytest.__version__
    assert [facet.facet for facet in node.facets] == [Facet.VERSION]


def test_a_long_chain_of_calls_is_followed_to_its_end(project):
    functions = [f"def f{n}(): return f{n + 1}()\n" for n in range(3000)]
    project.write({"m.py": "".join(functions) + "def f3000(): return 1\n"})
    steps = queries.path_between("m:f0", "m:f3000")
    assert [str(step.symbol) for step in steps] == [f"m:f{n}" for n in range(3001)]


def test_what_can_not_be_known_is_noted(project):
    project.write({"m.py": "def f(): return eval('g')()\n"})
    assert any("m:f" in note for note in queries.dependencies("m:f").notes)


def test_a_value_is_described_and_placed(module):
    node = queries.dependencies("m:f").by_symbol()[Symbol.parse("m:LIMIT")]
    assert (node.detail, node.place.line) == ("3", 3)
    assert Path(node.place.path) == module.root / "m.py"


def test_parts_of_the_target_hang_below_it(project):
    project.write({"m.py": "def f():\n    'text'\n    return f.__doc__\n"})
    graph = queries.dependencies("m:f")
    assert [str(root) for root in graph.roots] == ["m:f"]
    assert "m:f.__doc__" in symbols(graph)


# -- what is left as it was ---------------------------------------------------------------------


def test_modules_that_are_loaded_are_read_from_their_files(project, monkeypatch):
    project.write({"loaded_here.py": "def f(): return g()\ndef g(): pass\n"})
    monkeypatch.syspath_prepend(str(project.root))
    import loaded_here

    monkeypatch.setattr(loaded_here, "g", len)
    monkeypatch.setitem(sys.modules, "loaded_here", loaded_here)
    assert reached("loaded_here:f") == {"loaded_here:f", "loaded_here:g"}


@pytest.mark.usefixtures("module")
def test_a_question_leaves_the_process_as_it_was():
    before = (list(sys.path), set(sys.modules), session._session)
    queries.dependencies("m")
    queries.dependents("m:f")
    with pytest.raises(TargetError):
        queries.path_between("m", "m:none")
    assert (list(sys.path), session._session) == (before[0], before[2])
    assert not {"m", "other"} & set(sys.modules)


def test_an_edit_between_two_questions_is_seen(module):
    before = queries.dependencies("m:f").by_symbol()[Symbol.parse("other:helper")]
    module.write({"other.py": "def helper():\n    return 2\n"})
    after = queries.dependencies("m:f").by_symbol()[Symbol.parse("other:helper")]
    assert before.facets != after.facets
    module.write({"m.py": "def f():\n    return 1\n"})
    assert reached("m:f") == {"m:f"}


LIVE = """\
import m
for dependency in m.f.dependencies():
    print(dependency.symbol, dependency.facet, dependency.digest.hex())
"""


def test_digests_are_those_that_a_run_records(project):
    project.write(
        {
            "m.py": "from hitsave import memo\nimport blake3\n"
            "from other import Thing, helper as h\nLIMITS = ('a', (1, 2.5))\n"
            "@memo(ttl=2)\ndef f(x=1):\n    return h(x), Thing().method(), LIMITS, blake3\n",
            "other.py": "class Thing:\n    def method(self): return 1\n    def unused(self): pass\n"
            "def helper(x): return x\n",
            "script.py": LIVE,
        }
    )
    source = str(Path(hitsave.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "script.py"],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    static = {
        f"{node.symbol} {facet.facet} {facet.digest.hex()}"
        for node in queries.dependencies("m:f").nodes
        for facet in node.facets
    }
    assert set(done.stdout.splitlines()) == static
