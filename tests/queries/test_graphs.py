"""Forwards, backwards and between: checked against the calls that a project was made from."""

import warnings
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitsave import queries
from hitsave.errors import TargetError


@st.composite
def calls(draw) -> dict[int, list[int]]:
    """Which functions of a project call which."""
    size = draw(st.integers(1, 8))
    called = st.lists(st.integers(0, size - 1), max_size=4, unique=True)
    return {number: draw(called) for number in range(size)}


def write_calls(project, wanted: dict[int, list[int]]) -> None:
    """Write a function for each number, in two modules that import from each other."""
    for parity in (0, 1):
        lines = [f"import m{1 - parity}\nfrom hitsave import memo\n"]
        for number, called in wanted.items():
            if number % 2 == parity:
                names = [f"f{n}()" if n % 2 == parity else f"m{1 - parity}.f{n}()" for n in called]
                decorator = "@memo\n" if number % 3 == 0 else ""
                lines.append(f"{decorator}def f{number}(): return [{', '.join(names)}]\n")
        project.write({f"m{parity}.py": "".join(lines)})


def name(number: int) -> str:
    return f"m{number % 2}:f{number}"


def distances(wanted: dict[int, list[int]], start: int) -> dict[int, int]:
    found, queue = {start: 0}, deque([start])
    while queue:
        number = queue.popleft()
        for called in wanted[number]:
            if called not in found:
                found[called] = found[number] + 1
                queue.append(called)
    return found


def functions(graph: queries.Graph) -> set[str]:
    return {str(node.symbol) for node in graph.nodes if ":f" in str(node.symbol)}


EXAMPLES = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(wanted=calls())
@EXAMPLES
def test_forwards_gives_what_can_be_called_and_each_is_led_to(project, wanted):
    write_calls(project, wanted)
    graph = queries.dependencies(name(0))
    assert functions(graph) == {name(number) for number in distances(wanted, 0)}
    onward, led_to = graph.onward(), set(graph.roots)
    queue = list(graph.roots)
    while queue:
        for edge in onward[queue.pop()]:
            if edge.target not in led_to:
                led_to.add(edge.target)
                queue.append(edge.target)
    assert led_to == {node.symbol for node in graph.nodes}


@given(wanted=calls())
@EXAMPLES
def test_backwards_gives_what_can_call(project, wanted):
    write_calls(project, wanted)
    graph = queries.dependents(name(0))
    callers = {number for number in wanted if 0 in distances(wanted, number)}
    assert functions(graph) == {name(number) for number in callers}
    memoised = {str(node.symbol) for node in graph.nodes if node.is_memoised}
    assert memoised == {name(number) for number in callers if number % 3 == 0}


@given(wanted=calls())
@EXAMPLES
def test_between_gives_a_shortest_path_of_references(project, wanted):
    write_calls(project, wanted)
    reachable = distances(wanted, 0)
    for number in wanted:
        steps = queries.path_between(name(0), name(number))
        assert len(steps) == reachable.get(number, -1) + 1
        for before, step in pairwise(steps):
            assert step.edge is not None
            assert (step.edge.source, step.edge.target) == (before.symbol, step.symbol)


METHODS = """\
from hitsave import memo

class Thing:
    def a(self): return 1
    def b(self): return 2

@memo
def uses_a():
    return Thing().a()

@memo
def uses_b():
    return Thing().b()
"""


def test_backwards_from_a_method_gives_only_the_memoised_functions_that_depend_on_it(project):
    project.write({"m.py": METHODS})
    found = {str(n.symbol) for n in queries.dependents("m:Thing.a").nodes if n.is_memoised}
    assert found == {"m:uses_a"}
    found = {str(n.symbol) for n in queries.dependents("m:Thing").nodes if n.is_memoised}
    assert found == {"m:uses_a", "m:uses_b"}


def test_backwards_looks_in_every_file_of_the_project_and_in_no_environment(project):
    uses = "import target\ndef use(): return target.f()\n"
    project.write(
        {
            "target.py": "def f(): pass\n",
            "deep/script.py": uses,
            "env/pyvenv.cfg": "",
            "env/other.py": uses,
            ".hidden/third.py": uses,
            "broken.py": "def use(:\n",
        }
    )
    for words in ("target:f", "target.py:f"):
        # Of each file that cannot be parsed, once in a process.
        with warnings.catch_warnings(record=True) as given:
            graph = queries.dependents(words)
        assert {str(node.symbol) for node in graph.nodes} == {"target:f", "script:use"}
        assert any(note.startswith("broken: ") for note in graph.notes)
        assert all("broken.py" in str(warning.message) for warning in given)


def test_backwards_from_a_module_gives_whoever_uses_any_of_it(project):
    project.write({"m.py": "from n import f\ndef use(): return f()\n", "n.py": "def f(): pass\n"})
    found = {str(node.symbol) for node in queries.dependents("n").nodes}
    assert {"n:f", "m:use"} <= found


def test_between_takes_modules_classes_and_distributions_as_ends(project):
    project.write({"m.py": "import pytest\nfrom n import C\ndef f(): return C(), pytest.x\n"})
    project.write({"n.py": "class C:\n    def __init__(self): pass\n"})
    for end, last in [("n", "n:C"), ("n:C", "n:C"), ("n.py:C", "n:C"), ("pytest", "pytest")]:
        assert str(queries.path_between("m:f", end)[-1].symbol) == last
    with pytest.raises(TargetError, match="the project has no module 'nothing'"):
        queries.path_between("m:f", "nothing")
