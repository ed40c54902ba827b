"""Graphs: what a target depends on, what depends on it, and how one comes to depend on another.

Owns turning a closure over a project's files into an answer.
"""

from collections import deque
from collections.abc import Iterable

from hitsave.code.closure import Closure
from hitsave.code.dependencies import Via
from hitsave.code.resolve import FunctionTarget, definition_name
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.codec import summarize
from hitsave.queries.answers import Edge, FacetDigest, Graph, Node, Step
from hitsave.queries.targets import read_words
from hitsave.queries.workspace import STATEMENTS, Workspace, opened, reach_all

OUTSIDE = Symbol("", "")
"""The owner of the edges to the roots."""


def dependencies(target: str) -> Graph:
    """Return what `target` depends on: of a module, what its memoised functions depend on.

    A module without any stands for all that it defines and uses. Raises TargetError where `target`
    names nothing.
    """
    with opened(target) as workspace:
        return _dependencies(workspace)


def dependents(target: str) -> Graph:
    """Return what depends on `target`, over every source file of its project.

    A method counts for whatever uses its class; but of the memoised functions, only those are
    given that really depend on the target. Raises TargetError where it names nothing.
    """
    with opened(target) as workspace:
        module, _ = workspace.find(workspace.words)
        closure, memoised = workspace.closure(), dict[Symbol, FunctionTarget]()
        for other in workspace.modules():
            memoised |= {name_of(found): found for found in workspace.memoised(other)}
            reach_all(closure, other, workspace, OUTSIDE)
        reach_all(closure, module, workspace, OUTSIDE)
        closure.finish()
        known = {symbol for found in closure.edges.values() for symbol in found}
        roots = workspace.matching(workspace.words, known)
        return _dependents(workspace, closure, roots, memoised)


def path_between(start: str, end: str) -> tuple[Step, ...]:
    """Return the shortest path of references from `start` to `end`; empty where there is none.

    `end` is a target, or the name of a distribution. Raises TargetError where one names nothing.
    """
    with opened(start) as workspace:
        graph = _dependencies(workspace)
        known = {node.symbol for node in graph.nodes}
        wanted = {symbol for symbol in known if str(symbol) == end}
        if not wanted and not workspace.is_external(end):
            wanted = workspace.matching(read_words(end), known)
        return _shortest(graph, wanted)


def name_of(target: FunctionTarget) -> Symbol:
    """Return the symbol of a function."""
    return target.module.symbol(definition_name(target.module, target.definitions[0]))


# -- forwards -----------------------------------------------------------------------------------


def _dependencies(workspace: Workspace) -> Graph:
    closure = _closure_of(workspace)
    reached = list(closure.edges.get(OUTSIDE, {}))
    roots = [symbol for symbol in reached if _owner_of(symbol, reached) is None]
    # What is counted of a root besides its facets (its docstring, say) is reached from outside too.
    parts = [
        Edge(owner, symbol, "a part of", 0)
        for symbol in reached
        if (owner := _owner_of(symbol, reached)) is not None
    ]
    return _graph(workspace, closure, roots, [*_edges(closure), *parts])


def _owner_of(symbol: Symbol, reached: Iterable[Symbol]) -> Symbol | None:
    """Return which of the symbols reached from outside another one is a part of, if any."""
    for owner in reached:
        is_inside = symbol.name.startswith((f"{owner.name}.", f"{owner.name}["))
        if symbol.module == owner.module and is_inside and ".<locals>." not in symbol.name:
            return owner
    return None


def _closure_of(workspace: Workspace) -> Closure:
    module, found = workspace.find(workspace.words)
    closure, via = workspace.closure(), Via(OUTSIDE, "the target", 0)
    if found is not None:
        closure.reach(found, via)
    elif memoised := workspace.memoised(module):
        for function in memoised:
            closure.reach(function, via)
    else:
        closure.link(module.symbol(""), via)
        reach_all(closure, module, workspace, module.symbol(""))
    closure.finish()
    return closure


def _edges(closure: Closure) -> list[Edge]:
    return [
        Edge(owner, symbol, via.reason, via.line)
        for owner, found in closure.edges.items()
        for symbol, via in found.items()
        if owner != OUTSIDE
    ]


def _shortest(graph: Graph, wanted: set[Symbol]) -> tuple[Step, ...]:
    onward, queue = graph.onward(), deque(graph.roots)
    reached: dict[Symbol, Edge | None] = dict.fromkeys(graph.roots)
    while queue:
        symbol = queue.popleft()
        if symbol in wanted:
            return _walked(reached, symbol)
        for edge in onward[symbol]:
            if edge.target not in reached:
                reached[edge.target] = edge
                queue.append(edge.target)
    return ()


def _walked(reached: dict[Symbol, Edge | None], symbol: Symbol) -> tuple[Step, ...]:
    steps = [Step(symbol, reached[symbol])]
    while (edge := steps[-1].edge) is not None:
        steps.append(Step(edge.source, reached[edge.source]))
    return tuple(reversed(steps))


# -- backwards ----------------------------------------------------------------------------------


def _dependents(
    workspace: Workspace,
    closure: Closure,
    roots: set[Symbol],
    memoised: dict[Symbol, FunctionTarget],
) -> Graph:
    edges = _edges(closure)
    reached = _reaching(roots, edges)
    for symbol in (reached & memoised.keys()) - roots:
        if not _depends(workspace, memoised[symbol], roots):
            reached.discard(symbol)
    kept = [edge for edge in edges if edge.source in reached and edge.target in reached]
    return _graph(workspace, closure, sorted(roots), kept, is_reverse=True)


def _reaching(roots: set[Symbol], edges: Iterable[Edge]) -> set[Symbol]:
    sources: dict[Symbol, list[Symbol]] = {}
    for edge in edges:
        sources.setdefault(edge.target, []).append(edge.source)
    reached, queue = set(roots), list(roots)
    while queue:
        for source in sources.get(queue.pop(), ()):
            if source not in reached:
                reached.add(source)
                queue.append(source)
    return reached


def _depends(workspace: Workspace, function: FunctionTarget, wanted: set[Symbol]) -> bool:
    closure = workspace.closure()
    closure.reach(function, Via(OUTSIDE, "the target", 0))
    closure.finish()
    return any(dependency.symbol in wanted for dependency in closure.manifest().dependencies)


# -- answers ------------------------------------------------------------------------------------


def _graph(
    workspace: Workspace,
    closure: Closure,
    roots: list[Symbol],
    edges: list[Edge],
    is_reverse: bool = False,
) -> Graph:
    symbols = {*roots, *_symbols(edges)}
    memoised = {
        name_of(found)
        for module in closure.modules.values()
        for found in workspace.memoised(module)
    }
    return Graph(
        target=workspace.words.text,
        roots=tuple(roots),
        nodes=tuple(_nodes(closure, symbols, memoised)),
        edges=tuple(sorted(edges)),
        notes=tuple(dict.fromkeys(workspace.notes)),
        is_reverse=is_reverse,
    )


def _symbols(edges: Iterable[Edge]) -> set[Symbol]:
    return {symbol for edge in edges for symbol in (edge.source, edge.target)}


def _nodes(closure: Closure, symbols: set[Symbol], memoised: set[Symbol]) -> list[Node]:
    facets: dict[Symbol, list[FacetDigest]] = {}
    places: dict[Symbol, Place] = {}
    for dependency in closure.manifest().dependencies:
        facets.setdefault(dependency.symbol, []).append(
            FacetDigest(dependency.facet, dependency.digest)
        )
        if dependency.place.path:
            places[dependency.symbol] = dependency.place
    for module in closure.modules.values():
        for name in ("", STATEMENTS):
            places.setdefault(module.symbol(name), module.place())
    return [
        Node(
            symbol,
            tuple(facets.get(symbol, ())),
            places.get(symbol, Place("", 0, 0)),
            _detail(closure, symbol),
            symbol in memoised,
        )
        for symbol in sorted(symbols)
    ]


def _detail(closure: Closure, symbol: Symbol) -> str:
    version = closure.subjects.get((symbol, Facet.VERSION))
    if isinstance(version, str):
        return version
    key = (symbol, Facet.VALUE)
    return summarize(closure.subjects[key], limit=60) if key in closure.subjects else ""
