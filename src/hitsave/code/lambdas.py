"""Lambdas: what those outside functions are called, by what they are bound to.

Owns their labels, which stay the same when others are added around them: `HANDLERS['inc']` for
`HANDLERS = {"inc": lambda x: x + 1}`. Refuses to number those that come to the same label.
"""

import ast
from collections.abc import Iterable, Iterator

from hitsave.code.pattern import chain_at_root, chain_of, item_of
from hitsave.code.touch import COMPOUND, inner_statements, names_bound_by

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LONGEST = 80
_LARGE = 10**_LONGEST


def lambda_labels(body: Iterable[ast.stmt]) -> dict[ast.Lambda, str]:
    """Return the labels of the lambdas in a module or class body, those of its classes included.

    Not of those inside a function or another lambda, which are named after that.
    """
    found: dict[ast.Lambda, str] = {}
    for statement in body:
        _label_statement(statement, found)
    return found


def _label_statement(node: ast.stmt, found: dict[ast.Lambda, str]) -> None:
    if isinstance(node, _FUNCTIONS):
        _label_under([*node.decorator_list, node.args], node.name, found)
    elif isinstance(node, ast.ClassDef):
        _label_under([*node.decorator_list, *node.bases, *node.keywords], node.name, found)
        found.update(lambda_labels(node.body))
    elif isinstance(node, COMPOUND):
        for inner in inner_statements(node):
            _label_statement(inner, found)
        heads = [child for child in _children(node) if not isinstance(child, ast.stmt)]
        _label_under(heads, "", found)
    else:
        _label_under(list(_children(node)), _bound_by(node), found)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from (inner for inner in _children(child) if not isinstance(inner, ast.stmt))
        else:
            yield child


def _bound_by(node: ast.stmt) -> str:
    """Return what a simple statement binds, stores into, or else nothing."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return _target(node.targets[0])
    return next(iter(names_bound_by(node)), "")


def _target(node: ast.expr) -> str:
    item = item_of(node)
    if item is not None:
        names, keys = item
        return ".".join(names) + "".join(f"[{key!r}]" for key in keys)
    names = chain_of(node) or chain_at_root(node) or ()
    if isinstance(node, (ast.Tuple, ast.List)):
        return _target(node.elts[0]) if node.elts else ""
    return ".".join(names)


def _constant(node: ast.expr | None) -> str:
    """Return a number or a short text as it is written; nothing for any other expression."""
    value = node.value if isinstance(node, ast.Constant) else None
    if type(value) is int:
        # Python refuses to write very long numbers.
        return str(value) if value < _LARGE else ""
    text = repr(value) if type(value) is str else ""
    return text if len(text) <= _LONGEST else ""


def _label_under(nodes: Iterable[ast.AST], label: str, found: dict[ast.Lambda, str]) -> None:
    for node in nodes:
        if isinstance(node, ast.Lambda):
            found[node] = label
            _label_under([node.args], label, found)
        else:
            for child, step in _steps(node, label):
                _label_under([child], step, found)


def _steps(node: ast.AST, label: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield what is inside an expression, with the label that a lambda there has."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                yield key, label
            text = _constant(key)
            yield value, f"{label}[{text}]" if text else label
    elif isinstance(node, ast.keyword):
        yield node.value, f"{label}.{node.arg}" if node.arg else label
    elif isinstance(node, ast.NamedExpr):
        yield node.value, node.target.id
    elif isinstance(node, ast.Call):
        inner = label or _called(node)
        yield node.func, label
        yield from ((argument, inner) for argument in (*node.args, *node.keywords))
    else:
        yield from ((child, label) for child in ast.iter_child_nodes(node))


def _called(node: ast.Call) -> str:
    """Return what names a call that binds nothing: `register('inc')`."""
    names = chain_of(node.func)
    if names is None:
        return ""
    key = next(filter(None, map(_constant, node.args)), "")
    return f"{'.'.join(names)}({key})"
