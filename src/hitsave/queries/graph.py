"""Graphs: what a target depends on, what depends on it, and how one comes to depend on another.

Owns reading a workspace without loading it, and turning a closure into an answer.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from hitsave.code.closure import Closure, Options
from hitsave.code.dependencies import Via
from hitsave.code.project import Module
from hitsave.code.resolve import FunctionTarget, Target, definition_name
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.codec import Digested, digest_value, summarize
from hitsave.errors import TargetError
from hitsave.events import Event, Untracked, Widened, subscribe
from hitsave.hook import Ledger
from hitsave.queries.answers import Edge, FacetDigest, Graph, Node, Step
from hitsave.queries.files import files_under, search_path, searching
from hitsave.queries.targets import (
    StaticResolver,
    Words,
    find_module,
    find_name,
    memoised_in,
    nearest,
    read_words,
)
from hitsave.session import Session

OUTSIDE = Symbol("", "")
"""The owner of what nothing in the project leads to: the roots."""


def dependencies(target: str) -> Graph:
    """Return what `target` depends on. Raises TargetError where it names nothing."""
    with _opened(target) as workspace:
        module, found = workspace.find(workspace.words)
        closure = workspace.closure()
        if found is None:
            _reach_module(closure, module, workspace.resolver)
        else:
            closure.reach(found, Via(OUTSIDE, "the target", 0))
        closure.finish()
        return workspace.answer(closure)


def dependents(target: str) -> Graph:
    """Return what depends on `target`, over every source file of its project.

    A method counts for whatever uses its class; but of the memoised functions, only those are
    given that really depend on the target. Raises TargetError where it names nothing.
    """
    with _opened(target) as workspace:
        wanted = workspace.symbols(workspace.words)
        closure = workspace.closure()
        for module in workspace.modules():
            _reach_everything(closure, module, workspace.resolver)
        closure.finish()
        return workspace.reversed_answer(closure, wanted)


def path_between(start: str, end: str) -> tuple[Step, ...]:
    """Return the shortest path of references from `start` to `end`; empty where there is none.

    `end` is a target, or the name of a distribution. Raises TargetError where one names nothing.
    """
    graph = dependencies(start)
    known = {node.symbol for node in graph.nodes}
    wanted = {symbol for symbol in known if str(symbol) == end}
    if not wanted:
        with _opened(end, near=[str(symbol) for symbol in known]) as workspace:
            wanted = {symbol for symbol in known if symbol in workspace.symbols(workspace.words)}
    return _shortest(graph, wanted)


def _shortest(graph: Graph, wanted: set[Symbol]) -> tuple[Step, ...]:
    onward, came = graph.onward(), dict.fromkeys(graph.roots, None)
    queue: deque[Symbol] = deque(graph.roots)
    by: dict[Symbol, Edge | None] = {**came}
    while queue:
        symbol = queue.popleft()
        if symbol in wanted:
            return _walked(by, symbol)
        for edge in onward.get(symbol, ()):
            if edge.target not in by:
                by[edge.target] = edge
                queue.append(edge.target)
    return ()
