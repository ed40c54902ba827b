"""Conditions: what decides whether a definition or an import under a compound statement is bound.

Owns reading statements without what the functions defined in them do: a skeleton. Refuses to take
definitions in, which the analyser does.
"""

import ast
from collections.abc import Iterator

from hitsave.code.definition import Part
from hitsave.code.normalize import DefinitionNode, Reader, type_scope
from hitsave.code.scope import Scope, Scopes
from hitsave.code.touch import COMPOUND, inner_statements

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BINDING = (*_FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)
_TRY = (ast.Try, ast.TryStar)


class Conditions:
    """Reads the conditions of one module, in the scopes of a class body or in none."""

    def __init__(self, all_scopes: Scopes, around: tuple[Scope, ...] = ()) -> None:
        self.scopes = all_scopes
        self._around = around

    def inside(self, node: ast.stmt, outer: Part | None) -> Iterator[tuple[ast.stmt, Part | None]]:
        """Yield the statements directly inside a compound one, each with its condition.

        `outer` is the condition of `node` itself. Where nothing that has a condition stands inside,
        none is read.
        """
        for position, (block, heads) in enumerate(_blocks(node)):
            condition = outer
            if _has_bindings(block):
                condition = self._read(node, position, heads, outer)
            for statement in block:
                yield statement, condition

    def skeleton(self, node: ast.stmt) -> Part:
        """Return what a statement does, without what the functions defined in it do."""
        reader = Reader(self, self._around, "")
        reader.read(node)
        return reader.part(node.lineno, node.end_lineno or node.lineno)

    def _read(
        self, node: ast.stmt, position: int, heads: list[ast.AST], outer: Part | None
    ) -> Part:
        reader = Reader(self, self._around, "")
        if outer is not None:
            reader.word(outer.digest.hex())
            reader.found.absorb(outer.references)
        reader.word(f"{type(node).__name__} {position}")
        reader.read_all(heads)
        if outer is not None:
            return reader.part(outer.line, outer.end_line)
        return reader.part(node.lineno, node.end_lineno or node.lineno)

    def define(self, node: DefinitionNode, outer: Reader) -> list[Part]:
        """Read what is executed where a definition stands."""
        if isinstance(node, ast.Lambda):
            # Unlike that of a function, its body may be all that the statement is about.
            inner = (*outer.scopes, self.scopes[node])
            return [self._part(outer.scopes, [node.args]), self._part(inner, [node.body])]
        scopes = outer.scopes
        parameters = list(getattr(node, "type_params", ()))  # from Python 3.12
        if parameters:
            scopes = (*scopes, type_scope(parameters))
        decorators = self._part(outer.scopes, list(node.decorator_list))
        if isinstance(node, _FUNCTIONS):
            defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
            return [decorators, self._part(outer.scopes, list(defaults))]
        head = self._part(scopes, [*node.bases, *node.keywords])
        return [decorators, head, self._part((*scopes, self.scopes[node]), list(node.body))]

    def _part(self, scopes: tuple[Scope, ...], nodes: list[ast.AST]) -> Part:
        reader = Reader(self, scopes, "")
        reader.read_all(nodes)
        return reader.part(0, 0)


def _blocks(node: ast.stmt) -> Iterator[tuple[list[ast.stmt], list[ast.AST]]]:
    """Yield each block of a compound statement, with what decides whether it is executed."""
    if isinstance(node, ast.If):
        yield node.body, [node.test]
        yield node.orelse, [node.test]
    elif isinstance(node, ast.Match):
        heads: list[ast.AST] = [node.subject]
        for case in node.cases:
            heads += [case.pattern, *([case.guard] if case.guard else [])]
        yield from ((case.body, heads) for case in node.cases)
    elif isinstance(node, _TRY):
        # How far the body comes decides: every statement in it may raise.
        heads = [statement for statement in node.body if not _is_plain(statement)]
        heads += [handler.type for handler in node.handlers if handler.type is not None]
        for block in (node.body, *(h.body for h in node.handlers), node.orelse, node.finalbody):
            yield block, heads
    else:
        # A loop may be left at every statement in it, and so may a `with` that suppresses.
        yield list(inner_statements(node)), [node]


def _is_plain(node: ast.stmt) -> bool:
    """Whether a statement defines a function, which cannot fail."""
    if not isinstance(node, _FUNCTIONS) or node.decorator_list:
        return False
    return not node.args.defaults and not any(node.args.kw_defaults)


def _has_bindings(block: list[ast.stmt]) -> bool:
    return any(
        isinstance(statement, _BINDING)
        or (isinstance(statement, COMPOUND) and _has_bindings(list(inner_statements(statement))))
        for statement in block
    )


def has_definitions(node: ast.stmt) -> bool:
    """Whether a statement is a compound one with definitions in it."""
    return isinstance(node, COMPOUND) and any(
        isinstance(inner, (*_FUNCTIONS, ast.ClassDef)) or has_definitions(inner)
        for inner in inner_statements(node)
    )
