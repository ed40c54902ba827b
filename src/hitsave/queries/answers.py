"""Answers: graphs of symbols, as plain values that any window can render."""

from typing import NamedTuple

from hitsave.code.symbol import Facet, Place, Symbol


class FacetDigest(NamedTuple):
    """One facet of a symbol, with its digest."""

    facet: Facet
    digest: bytes


class Node(NamedTuple):
    """A symbol of a graph.

    `facets` is empty for what only leads on. `detail` is the version of a distribution or a short
    description of a value, and may be empty; so may `place`, for what stands in no file.
    """

    symbol: Symbol
    facets: tuple[FacetDigest, ...]
    place: Place
    detail: str
    is_memoised: bool


class Edge(NamedTuple):
    """`source` depends on `target`; `reason` and `line` (0 where there is none) say why."""

    source: Symbol
    target: Symbol
    reason: str
    line: int


class Step(NamedTuple):
    """One symbol on a path, and the edge that led to it; None for the first."""

    symbol: Symbol
    edge: Edge | None


class Graph(NamedTuple):
    """What `target` depends on; where `is_reverse`, what depends on it.

    `roots` are what the target stands for.
    `notes` say what counts by more than it has to, or cannot be seen.
    """

    target: str
    roots: tuple[Symbol, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...]
    is_reverse: bool

    def by_symbol(self) -> dict[Symbol, Node]:
        """Return the nodes by their symbols."""
        return {node.symbol: node for node in self.nodes}

    def onward(self) -> dict[Symbol, list[Edge]]:
        """Return the edges by the end that is nearer to the roots, in order of their lines."""
        found: dict[Symbol, list[Edge]] = {node.symbol: [] for node in self.nodes}
        for edge in self.edges:
            found[edge.target if self.is_reverse else edge.source].append(edge)
        for edges in found.values():
            edges.sort(key=lambda edge: (edge.line, edge.source, edge.target))
        return found

    def far_end(self, edge: Edge) -> Symbol:
        """Return the end of an edge that is farther from the roots."""
        return edge.source if self.is_reverse else edge.target
