"""Scopes: which names a function binds itself, as Python's execution model defines it.

Owns the gathering of a scope's bindings. Refuses to resolve anything beyond the function it is
given: enclosing scopes are a list that the analyser keeps.
"""

import ast
from typing import NamedTuple

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

INTROSPECTION = frozenset({"locals", "vars", "eval", "exec", "dir"})
"""Builtins that let a function see the names of its own locals."""


class ImportTarget(NamedTuple):
    """What an import statement inside a function binds a name to."""

    level: int
    module: str
    attribute: str


class Scope:
    """The names that one function or class body binds.

    `stored` are bound by plain assignment only and, where `renames` holds, invisible from outside:
    they may be renamed without changing what the function does.
    """

    def __init__(self, is_class: bool = False) -> None:
        self.is_class = is_class
        self.parameters: set[str] = set()
        self.stored: set[str] = set()
        self.named: set[str] = set()
        self.imports: dict[str, list[ImportTarget]] = {}
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.captured: set[str] = set()
        self.introspects = False

    def binds(self, name: str) -> bool:
        """Whether `name` is local to this scope."""
        if name in self.declared_global or name in self.declared_nonlocal:
            return False
        return (
            name in self.stored
            or name in self.parameters
            or name in self.named
            or name in self.imports
        )

    def renameable(self) -> set[str]:
        """The locals whose names nothing but this scope's own code can see."""
        if self.introspects or self.is_class:
            return set()
        seen = self.parameters | self.named | self.captured | self.imports.keys()
        return self.stored - seen - self.declared_global - self.declared_nonlocal

    def import_targets(self, name: str) -> list[ImportTarget]:
        """What imports bind `name` to here; empty where anything else binds it as well."""
        if name in self.stored or name in self.parameters or name in self.named:
            return []
        return self.imports.get(name, [])


def function_scope(node: FunctionNode) -> Scope:
    """Gather what the function `node` binds."""
    scope = Scope()
    scope.parameters.update(a.arg for a in parameters_of(node.args))
    body = [node.body] if isinstance(node, ast.Lambda) else node.body
    _gather(scope, list(body))
    return scope


def class_scope(node: ast.ClassDef) -> Scope:
    """Gather what the class body of `node` binds."""
    scope = Scope(is_class=True)
    _gather(scope, list(node.body))
    return scope


def comprehension_targets(node: Comprehension) -> set[str]:
    """Return the names that the `for` clauses of a comprehension bind."""
    names: set[str] = set()
    for generator in node.generators:
        for part in ast.walk(generator.target):
            if isinstance(part, ast.Name):
                names.add(part.id)
    return names


def parameters_of(arguments: ast.arguments) -> list[ast.arg]:
    """Return every parameter, in the order of the signature."""
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found.extend(arguments.kwonlyargs)
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found


def _gather(scope: Scope, stack: list[ast.AST]) -> None:
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            _gather_name(scope, node)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            scope.named.add(node.name)
            stack.extend(_evaluated_outside(node))
            _gather_captures(scope, node)
        elif isinstance(node, ast.Lambda):
            stack.extend(_defaults(node.args))
            _gather_captures(scope, node)
        elif isinstance(node, _COMPREHENSIONS):
            _gather_comprehension(scope, node, stack)
        else:
            _gather_statement(scope, node)
            stack.extend(ast.iter_child_nodes(node))


def _gather_name(scope: Scope, node: ast.Name) -> None:
    if not isinstance(node.ctx, ast.Load):
        scope.stored.add(node.id)
    elif node.id in INTROSPECTION:
        scope.introspects = True


def _gather_statement(scope: Scope, node: ast.AST) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            module = alias.name if alias.asname else bound
            scope.imports.setdefault(bound, []).append(ImportTarget(0, module, ""))
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            target = ImportTarget(node.level, node.module or "", alias.name)
            scope.imports.setdefault(alias.asname or alias.name, []).append(target)
    elif isinstance(node, ast.Global):
        scope.declared_global.update(node.names)
    elif isinstance(node, ast.Nonlocal):
        scope.declared_nonlocal.update(node.names)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        if node.name:
            scope.named.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        scope.named.add(node.rest)


def _gather_comprehension(scope: Scope, node: Comprehension, stack: list[ast.AST]) -> None:
    # A comprehension's own targets are its own; what a walrus inside it binds is the function's.
    targets = comprehension_targets(node)
    for part in ast.walk(node):
        if isinstance(part, ast.NamedExpr):
            scope.stored.add(part.target.id)
        elif isinstance(part, ast.Name) and part.id in INTROSPECTION:
            scope.introspects = True
        elif isinstance(part, ast.Lambda):
            _gather_captures(scope, part)
    # A name that is a local and a target of the comprehension at once keeps its name: renaming
    # it would need two names.
    scope.captured.update(targets)
    stack.extend(generator.iter for generator in node.generators)


def _evaluated_outside(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> list[ast.AST]:
    """The expressions of a definition that are evaluated in the scope around it."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    return [*node.decorator_list, *_defaults(node.args)]


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]


def _gather_captures(scope: Scope, node: ast.AST) -> None:
    # Every name mentioned inside counts as captured: precise enough, and one pass.
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            scope.captured.add(part.id)
        elif isinstance(part, ast.Nonlocal):
            scope.captured.update(part.names)
