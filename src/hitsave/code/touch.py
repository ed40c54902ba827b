"""Touching: which names a statement binds, and which objects it may change.

Owns these questions about one statement, from its syntax alone. Refuses to say which answers
count: the closure does, once it knows what the names lead to.
"""

import ast
from collections.abc import Iterable, Iterator

from hitsave.code.definition import UNKNOWN
from hitsave.code.names import Names
from hitsave.code.pattern import chain_at_root, chain_of

COMPOUND = (
    *(ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith),
    *(ast.For, ast.AsyncFor, ast.While, ast.Match),
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_IMMUTABLE = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.expr_context, ast.unaryop)

_TRANSPARENT = frozenset({("property",), ("staticmethod",), ("classmethod",)})
"""Decorators that change nothing but what they decorate."""

_BLIND = frozenset(
    "memo experiment inert map filter sorted partial reduce print len repr isinstance issubclass "
    "type cast append add extend insert update setdefault Thread Process submit".split()
)
"""What may be handed a function or class without looking into it."""


def inner_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements directly inside a compound one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from child.body


def has_effect(node: ast.stmt) -> bool:
    """Whether a module-level statement does more than bind names to new values."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return not all(_only_names(target) for target in node.targets)
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return not isinstance(node.target, ast.Name)
    if isinstance(node, COMPOUND):
        return any(has_effect(inner) for inner in inner_statements(node))
    return isinstance(node, (ast.Delete, ast.Assert, ast.Raise))


def _only_names(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_only_names(element) for element in target.elts)
    if isinstance(target, ast.Starred):
        return _only_names(target.value)
    return isinstance(target, ast.Name)


# -- what is touched ----------------------------------------------------------------------------


def touched_by(node: ast.stmt) -> Iterator[Names]:
    """Yield the chains whose object a statement may change: stored into, called on, passed.

    Of what is executed with the statement: the bodies of the functions it defines are not. A method
    of an object that no chain leads to is one of UNKNOWN.
    """
    if isinstance(node, ast.Expr):
        yield from _chains(_operands(node.value))
    elif isinstance(node, ast.AugAssign):
        yield from _chains((node.target,))
    for part in _executed_in(node):
        if isinstance(part, _DEFINITIONS):
            decorators = _chains(part.decorator_list)
            yield from (names for names in decorators if names not in _TRANSPARENT)
        elif isinstance(part, ast.Call):
            yield from _touched_by_call(part)
        elif isinstance(part, (ast.Attribute, ast.Subscript)):
            if not isinstance(part.ctx, ast.Load):
                # The attribute may be a global of another module.
                yield from _chains((part.value, part))
        elif isinstance(part, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield from _chains((part.iter,))  # what it yields goes by another name inside
        elif isinstance(part, ast.withitem):
            yield from _chains((part.context_expr,))


def _touched_by_call(node: ast.Call) -> Iterator[Names]:
    func = node.func
    if isinstance(func, ast.Attribute) and chain_of(func) is None and not _is_text(func.value):
        yield (UNKNOWN, func.attr)
    yield from _chains((node.func, *node.args, *(keyword.value for keyword in node.keywords)))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, (ast.Constant, ast.JoinedStr))


def _executed_in(node: ast.AST) -> Iterator[ast.AST]:
    stack = [node]
    while stack:
        part = stack.pop()
        yield part
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stack += [*part.decorator_list, part.args]
        elif isinstance(part, ast.Lambda):
            stack.append(part.args)
        else:
            stack.extend(ast.iter_child_nodes(part))


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an operator that stands for itself may change: both tasks of `one >> other`."""
    if isinstance(node, ast.BinOp):
        yield from (*_operands(node.left), *_operands(node.right))
    elif isinstance(node, ast.Compare):
        yield from (node.left, *node.comparators)
    else:
        yield node


def _chains(nodes: Iterable[ast.AST | None]) -> Iterator[Names]:
    """Yield the chains of what expressions may give, or call."""
    for node in nodes:
        names = None if node is None else chain_at_root(node)
        if names is not None:
            yield names
        elif isinstance(node, ast.Lambda):
            yield from _free_in(node)
        elif node is not None:
            yield from _chains(_given_by(node))


def _given_by(node: ast.AST) -> Iterable[ast.AST | None]:
    """Return what an expression may give as it is, or hold, or take from it."""
    match node:
        case ast.Dict():
            return node.values
        case ast.Tuple() | ast.List() | ast.Set():
            return node.elts
        case ast.BoolOp():
            return node.values
        case ast.IfExp():
            return (node.body, node.orelse)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return (node.elt,)
        case ast.DictComp() | ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
            return (node.value,)
        case ast.Attribute() | ast.Subscript() | ast.Starred():
            return (node.value,)
    return ()


def _free_in(node: ast.Lambda) -> Iterator[Names]:
    """Yield the chains in the body of a lambda, which may be called here."""
    arguments = node.args
    own = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    for part in ast.walk(node.body):
        names = chain_of(part)
        if names is not None and names[0] not in own:
            yield names


def passed_names(body: Iterable[ast.stmt]) -> set[str]:
    """Return the names handed to calls at module level, as to a decorator: `register(f)`.

    What they are handed to can see the annotations of a function or class of that name.
    """
    calls = (
        part
        for node in body
        if not isinstance(node, _DEFINITIONS)
        for part in _executed_in(node)
        if isinstance(part, ast.Call) and _called_name(part) not in _BLIND
    )
    values = (v for c in calls for v in (*c.args, *(keyword.value for keyword in c.keywords)))
    return {value.id for value in values if isinstance(value, ast.Name)}


def _called_name(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


# -- what is bound ------------------------------------------------------------------------------


def names_bound_by(node: ast.stmt) -> list[str]:
    """Return the names that a statement gives values, those inside a compound one excepted."""
    heads: Iterable[ast.AST] = [node]
    if isinstance(node, COMPOUND):
        heads = (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt))
    return list(dict.fromkeys(name for head in heads for name in _stored_in(head)))


def _stored_in(root: ast.AST) -> Iterator[str]:
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                yield node.id
        elif isinstance(node, _COMPREHENSIONS):
            yield from (n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        elif not isinstance(node, (ast.Lambda, ast.stmt)) or node is root:
            yield from _pattern_names(node)
            stack.extend(ast.iter_child_nodes(node))


def _pattern_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def is_literal_assignment(node: ast.stmt) -> bool:
    """Whether a statement gives one name an immutable value written out in full.

    Not a mutable one: the rest of the module may add to it.
    """
    if isinstance(node, ast.Assign):
        simple = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        value: ast.expr | None = node.value
    elif isinstance(node, ast.AnnAssign):
        simple, value = isinstance(node.target, ast.Name), node.value
    else:
        return False
    if not simple or value is None:
        return False
    return all(isinstance(part, _IMMUTABLE) for part in ast.walk(value))
