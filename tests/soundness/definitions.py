"""Definitions: what there is to edit in a file, found in its syntax tree.

Owns parsed files and the definitions in them. Refuses to edit (`edits` does).
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Parsed(NamedTuple):
    """A file of the project: its path there, its text and its tree; `starts` are its lines."""

    path: str
    text: str
    tree: ast.Module
    starts: tuple[int, ...]

    def offset(self, line: int, column: int) -> int:
        """Return the offset into the UTF-8 text of a position as trees give it."""
        return self.starts[line - 1] + column


class Definition(NamedTuple):
    """A function, a class, or a value bound at the level of a module or a class."""

    file: Parsed
    node: ast.stmt
    owner: ast.ClassDef | None

    @property
    def name(self) -> str:
        """The path of the file, with the name or the line."""
        inside = f"{self.owner.name}." if self.owner else ""
        return f"{self.file.path}:{inside}{getattr(self.node, 'name', self.node.lineno)}"

    @property
    def first_line(self) -> int:
        """The line that the code object of a function starts at: its first decorator's."""
        decorators = getattr(self.node, "decorator_list", [])
        return min([self.node.lineno, *(each.lineno for each in decorators)])


def parse_file(path: str, text: str) -> Parsed | None:
    """Return a parsed file; None where it has a flaw, or lines that are not separated by \\n."""
    if "\r" in text or "\f" in text or "\v" in text:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return Parsed(path, text, tree, tuple(starts))


def definitions(file: Parsed) -> Iterator[Definition]:
    """Yield the definitions of a file, methods and nested classes among them."""
    yield from _inside(file, file.tree.body, None)


def _inside(file: Parsed, body: list[ast.stmt], owner: ast.ClassDef | None) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, (*FUNCTIONS, ast.Assign, ast.AnnAssign, ast.ClassDef)):
            yield Definition(file, node, owner)
        if isinstance(node, ast.ClassDef):
            yield from _inside(file, node.body, node)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "orelse", "finalbody"):
                yield from _inside(file, getattr(node, part, []), owner)
