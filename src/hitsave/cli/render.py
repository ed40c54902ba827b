"""Rendering: answers as text for people, as JSON, and as graphs for Graphviz.

Owns every form that an answer is shown in. Refuses rich but on a terminal, where it only adds
colour: the words and their places are the same everywhere.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hitsave.code.external import PYTHON
from hitsave.code.symbol import Facet, Place, Symbol
from hitsave.digest import short
from hitsave.queries import Edge, Graph, Node, Step

SCHEMA = 1
"""Grows whenever the JSON changes in a way that its readers would notice."""


class Piece(NamedTuple):
    """Some text, and how it looks where there is colour."""

    text: str
    style: str = ""


Line = Sequence[Piece]


# -- trees --------------------------------------------------------------------------------------


def tree(graph: Graph, is_whole: bool) -> list[Line]:
    """Return the lines of a graph's tree: each symbol once, and a mark where it comes again."""
    return _Tree(graph, is_whole).lines()


class _Branch(NamedTuple):
    symbol: Symbol
    edge: Edge | None
    guides: str
    is_last: bool


class _Tree:
    def __init__(self, graph: Graph, is_whole: bool) -> None:
        self._graph = graph
        self._nodes = graph.by_symbol()
        self._onward = graph.onward()
        self._is_whole = is_whole
        self._shown: set[Symbol] = set()

    def lines(self) -> list[Line]:
        # Not by recursion: a chain of calls may be longer than Python's stack is deep.
        lines: list[Line] = []
        pending = [_Branch(root, None, "", True) for root in reversed(self._graph.roots)]
        while pending:
            branch = pending.pop()
            lines.append(self._line(branch))
            if branch.symbol not in self._shown:
                self._shown.add(branch.symbol)
                pending.extend(reversed(self._branches(branch)))
        return lines

    def _branches(self, branch: _Branch) -> list[_Branch]:
        edges = self._edges_shown(branch)
        guides = branch.guides
        if branch.edge is not None:
            guides += "    " if branch.is_last else "│   "
        return [_Branch(self._far_end(edge), edge, guides, edge is edges[-1]) for edge in edges]

    def _edges_shown(self, branch: _Branch) -> list[Edge]:
        edges = self._onward[branch.symbol]
        if self._is_whole:
            return edges
        # A method leads back to the class that it was reached from.
        edges = [edge for edge in edges if not _is_way_back(edge, branch.edge)]
        beside = {self._far_end(edge) for edge in edges}
        return [edge for edge in edges if not self._says_little(self._far_end(edge), beside)]

    def _far_end(self, edge: Edge) -> Symbol:
        return self._graph.far_end(edge)

    def _says_little(self, symbol: Symbol, beside: set[Symbol]) -> bool:
        """Whether a symbol only leads on to what is shown beside it, or to nothing that counts."""
        node = self._nodes[symbol]
        ahead = {self._far_end(edge) for edge in self._onward[symbol]}
        if any(facet.facet is not Facet.BINDING for facet in node.facets):
            return False
        if not ahead:
            return not node.facets and not self._graph.is_reverse
        return bool(node.facets) and all(
            other in beside or not (self._nodes[other].facets or self._onward[other])
            for other in ahead
        )

    def _line(self, branch: _Branch) -> Line:
        node = self._nodes[branch.symbol]
        joint = "" if branch.edge is None else "└── " if branch.is_last else "├── "
        pieces = [Piece(branch.guides + joint, "dim"), *_named(node)]
        if branch.symbol in self._shown:
            return [*pieces, Piece("  (above)", "dim")]
        return [*pieces, *_facts(node), *_reason(branch.edge, self._graph.is_reverse)]


def _is_way_back(edge: Edge, came: Edge | None) -> bool:
    return came is not None and (edge.source, edge.target) == (came.target, came.source)


def _named(node: Node) -> list[Piece]:
    name = Piece(str(node.symbol), "bold green" if node.is_memoised else "bold")
    if not node.detail:
        return [name]
    joint = " " if any(facet.facet is Facet.VERSION for facet in node.facets) else " = "
    return [name, Piece(joint + node.detail)]


def _facts(node: Node) -> list[Piece]:
    facets = ", ".join(f"{facet.facet} {short(facet.digest)}".strip() for facet in node.facets)
    where = _relative(node.place)
    memoised = [Piece("  memoised", "green")] if node.is_memoised else []
    shown = [(facets, "cyan"), (where, "blue")]
    return [*(Piece(f"  {text}", style) for text, style in shown if text), *memoised]


def _reason(edge: Edge | None, is_reverse: bool) -> list[Piece]:
    if edge is None:
        return []
    line = f", line {edge.line}" if edge.line else ""
    words = f"it is {edge.reason} this{line}" if is_reverse else f"{edge.reason} it{line}"
    return [Piece(f"  ({words})", "dim")]


def _relative(place: Place) -> str:
    if not place.path:
        return ""
    path = os.path.relpath(place.path)
    shown = place.path if path.startswith(os.path.join("..", "..")) else path
    return str(place._replace(path=shown))


def path(steps: Iterable[Step]) -> list[Line]:
    """Return the lines of a path of references, from the dependent to the dependency."""
    lines: list[Line] = []
    for step in steps:
        joint = "" if step.edge is None else "  → "
        pieces = [Piece(joint, "dim"), Piece(str(step.symbol), "bold")]
        lines.append([*pieces, *_reason(step.edge, is_reverse=False)])
    return lines


# -- output -------------------------------------------------------------------------------------


def show(lines: Iterable[Line]) -> None:
    """Write lines to stdout: in colour on a terminal that has it, as plain text elsewhere."""
    if is_coloured():
        _show_in_colour(lines)
        return
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    for line in lines:
        text = "".join(piece.text for piece in line)
        print(text.encode(encoding, errors="replace").decode(encoding))


def is_coloured() -> bool:
    """Whether stdout is a terminal on which colour is wanted."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", None)
    return sys.stdout.isatty() and not is_plain


def _show_in_colour(lines: Iterable[Line]) -> None:
    # Only here: through a pipe, nothing needs it.
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        text = Text.assemble(*((piece.text, piece.style) for piece in line))
        console.print(text, soft_wrap=True)


# -- data ---------------------------------------------------------------------------------------


def as_json(graph: Graph) -> str:
    """Return a graph as JSON. Edges lead from what depends to what it depends on."""
    answer = {
        "schema": SCHEMA,
        "target": graph.target,
        "reverse": graph.is_reverse,
        "python": PYTHON,
        "roots": [str(root) for root in graph.roots],
        "nodes": [_node_as_data(node) for node in graph.nodes],
        "edges": [_edge_as_data(edge) for edge in graph.edges],
        "notes": list(graph.notes),
    }
    return json.dumps(answer, indent=2)


def path_as_json(steps: Iterable[Step]) -> str:
    """Return a path as JSON: the edges in order, none where there is no path."""
    edges = [_edge_as_data(step.edge) for step in steps if step.edge is not None]
    symbols = [str(step.symbol) for step in steps]
    return json.dumps({"schema": SCHEMA, "path": symbols, "edges": edges}, indent=2)


def _node_as_data(node: Node) -> dict[str, Any]:
    place = node.place._asdict() if node.place.path else None
    return {
        "symbol": str(node.symbol),
        "facets": {str(facet.facet): facet.digest.hex() for facet in node.facets},
        "place": place,
        "detail": node.detail,
        "memoised": node.is_memoised,
    }


def _edge_as_data(edge: Edge) -> dict[str, Any]:
    return {
        "from": str(edge.source),
        "to": str(edge.target),
        "reason": edge.reason,
        "line": edge.line,
    }


def as_dot(graph: Graph) -> str:
    """Return a graph for Graphviz. Edges lead from what depends to what it depends on."""
    lines = ["digraph hitsave {", "  rankdir=LR;", "  node [shape=box];"]
    roots = set(graph.roots)
    for node in graph.nodes:
        facets = ", ".join(str(facet.facet) for facet in node.facets)
        label = "\n".join(filter(None, (str(node.symbol), facets)))
        style = ", penwidth=2" if node.symbol in roots else ""
        lines.append(f"  {_quoted(str(node.symbol))} [label={_quoted(label)}{style}];")
    for edge in graph.edges:
        ends = f"{_quoted(str(edge.source))} -> {_quoted(str(edge.target))}"
        lines.append(f"  {ends} [tooltip={_quoted(edge.reason)}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
