"""Scopes: which names a function, class or comprehension binds, as Python's execution model says.

Owns the gathering of every scope of a module, in one pass. Refuses to resolve a name through the
scopes around it: that is the reader's, which knows where it stands.
"""

import ast
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from hitsave.code.pattern import words_in

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

INTROSPECTION = frozenset({"locals", "vars", "eval", "exec", "dir"})
"""Builtins that let a function see the names of its own locals."""

FRAMES = frozenset({"_getframe", "_getframemodulename", "currentframe", "f_locals", "f_back"})
"""Attributes by which a function gets at its own frame, or another's."""

_PLAIN_FIELDS = frozenset(
    {"ctx", "op", "ops", "attr", "arg", "conversion", "type_comment", "kwd_attrs", "is_async"}
)


class ImportTarget(NamedTuple):
    """What an import statement inside a function binds a name to."""

    level: int
    module: str
    attribute: str


class Scope:
    """The names that one function, class or comprehension binds.

    `stored` are bound by plain assignment only; `named` by statements that write the name out, so
    that it can be seen. `mentioned` are all names in it, and in what it encloses; `captured` are
    those of them that are read by an enclosed definition.
    """

    def __init__(self, class_name: str = "") -> None:
        self.class_name = class_name
        self.parameters: set[str] = set()
        self.stored: set[str] = set()
        self.named: set[str] = set()
        self.imports: dict[str, list[ImportTarget]] = {}
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.mentioned: set[str] = set()
        self.captured: set[str] = set()
        self.texts: list[str] = []
        self.introspects = False

    @property
    def is_class(self) -> bool:
        """Whether this is the scope of a class body, which nothing inside it sees."""
        return bool(self.class_name)

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
        """The locals whose names nothing but this scope's own code can see.

        Not those that occur in a text: libraries evaluate `"a + b"` in the frame that calls them.
        """
        if self.introspects or self.is_class:
            return set()
        seen = self.parameters | self.named | self.captured | self.imports.keys()
        hidden = self.stored - seen - self.declared_global - self.declared_nonlocal
        return hidden - words_in("\n".join(self.texts)) if hidden else hidden

    def import_targets(self, name: str) -> list[ImportTarget]:
        """What imports bind `name` to here; empty where anything else binds it as well."""
        if name in self.stored or name in self.parameters or name in self.named:
            return []
        return self.imports.get(name, [])

    def enclose(self, inner: "Scope") -> None:
        """Take note of a scope inside this one, which sees this one's names."""
        self.introspects = self.introspects or inner.introspects
        self.mentioned |= inner.mentioned
        self.captured |= inner.mentioned
        self.captured |= inner.declared_nonlocal

    def enclose_comprehension(self, inner: "Scope") -> None:
        """Take note of a comprehension, which is read together with what is around it."""
        self.mentioned |= inner.mentioned
        self.captured |= inner.captured
        self.stored |= inner.stored
        self.texts += inner.texts
        self.introspects = self.introspects or inner.introspects


class Scopes:
    """Every scope of one module, by the node that makes it.

    `aliases` are names that an import gives to something it names differently, whatever the scope:
    what each stands for, as a chain.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.aliases: dict[str, tuple[str, ...]] = {}
        self._found: dict[ast.AST, Scope] = {}
        self._gather(Scope(), tree.body)

    def __getitem__(self, node: FunctionNode | ast.ClassDef | Comprehension) -> Scope:
        return self._found[node]

    def _gather(self, scope: Scope, nodes: Iterable[ast.AST]) -> None:
        stack: list[Any] = list(nodes)
        while stack:
            node = stack.pop()
            kind = type(node)
            special = _SPECIAL.get(kind)
            if special is not None:
                special(self, scope, node)
            for field in _fields.get(kind, ()):
                value = getattr(node, field, None)
                if type(value) is list:
                    stack.extend(value)
                elif value is not None:
                    stack.append(value)

    # -- scopes inside --------------------------------------------------------------------------

    def _definition(
        self, scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> None:
        scope.named.add(node.name)
        if isinstance(node, ast.ClassDef):
            outside: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
            inner = Scope(node.name)
        else:
            outside = [*node.decorator_list, *_defaults(node.args), *annotations_of(node)]
            inner = Scope()
            inner.parameters.update(a.arg for a in parameters_of(node.args))
        self._outside(scope, [*outside, *getattr(node, "type_params", ())])  # from Python 3.12
        self._inside(scope, inner, node, node.body)

    def _lambda(self, scope: Scope, node: ast.Lambda) -> None:
        inner = Scope()
        inner.parameters.update(a.arg for a in parameters_of(node.args))
        self._outside(scope, _defaults(node.args))
        self._inside(scope, inner, node, [node.body])

    def _outside(self, scope: Scope, nodes: list[ast.AST]) -> None:
        """Gather what a definition has evaluated in the scope around it."""
        around = Scope()
        self._gather(around, nodes)
        scope.stored |= around.stored
        # The reader of a header does not know how the reader around it renames.
        scope.enclose(around)

    def _inside(
        self, scope: Scope, inner: Scope, node: FunctionNode | ast.ClassDef, body: Iterable[ast.AST]
    ) -> None:
        self._found[node] = inner
        self._gather(inner, body)
        scope.enclose(inner)

    def _comprehension(self, scope: Scope, node: Comprehension) -> None:
        first, *others = node.generators
        self._gather(scope, [first.iter])
        inner = self._found[node] = Scope()
        for generator in node.generators:
            # Only names that are stored: `for a[i] in xs` binds none.
            inner.parameters |= set(_stored_names(generator.target))
        rest: list[ast.AST] = [generator.iter for generator in others]
        for generator in node.generators:
            rest += [generator.target, *generator.ifs]
        rest += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._gather(inner, rest)
        # What a walrus binds is the function's; the targets are the comprehension's own.
        inner.stored -= inner.parameters
        scope.enclose_comprehension(inner)
        inner.stored = set()

    # -- names and statements -------------------------------------------------------------------

    def _name(self, scope: Scope, node: ast.Name) -> None:
        name = node.id
        scope.mentioned.add(name)
        if type(node.ctx) is not ast.Load:
            scope.stored.add(name)
        elif name in INTROSPECTION:
            scope.introspects = True

    def _constant(self, scope: Scope, node: ast.Constant) -> None:
        if type(node.value) is str:
            scope.texts.append(node.value)

    def _attribute(self, scope: Scope, node: ast.Attribute) -> None:
        if node.attr in FRAMES:
            scope.introspects = True

    def _import(self, scope: Scope, node: ast.Import) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            target = ImportTarget(0, alias.name if alias.asname else bound, "")
            scope.imports.setdefault(bound, []).append(target)
            if alias.asname:
                self.aliases[bound] = tuple(alias.name.split("."))

    def _import_from(self, scope: Scope, node: ast.ImportFrom) -> None:
        for alias in node.names:
            target = ImportTarget(node.level, node.module or "", alias.name)
            bound = alias.asname or alias.name
            scope.imports.setdefault(bound, []).append(target)
            if alias.asname or node.module == "sys":
                self.aliases[bound] = (*(node.module or "").split("."), alias.name)

    def _global(self, scope: Scope, node: ast.Global) -> None:
        scope.declared_global.update(node.names)

    def _nonlocal(self, scope: Scope, node: ast.Nonlocal) -> None:
        scope.declared_nonlocal.update(node.names)

    def _binder(self, scope: Scope, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            scope.named.add(node.name)

    def _match_mapping(self, scope: Scope, node: ast.MatchMapping) -> None:
        if node.rest:
            scope.named.add(node.rest)

    def _annotated(self, scope: Scope, node: ast.AnnAssign) -> None:
        # `(x): int` declares nothing, `x: int` does; the annotation of a local is not evaluated.
        parts: list[ast.AST] = [node.annotation]
        if node.value is not None:
            parts.append(node.value)
        if node.simple or node.value is not None or not isinstance(node.target, ast.Name):
            parts.append(node.target)
        self._gather(scope, parts)

    def _statement(self, scope: Scope, node: ast.Expr) -> None:
        # A docstring is not a text that anything evaluates.
        if not isinstance(node.value, ast.Constant):
            self._gather(scope, [node.value])


def _stored_names(target: ast.AST) -> Iterable[str]:
    for part in ast.walk(target):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def parameters_of(arguments: ast.arguments) -> list[ast.arg]:
    """Return every parameter, in the order of the signature."""
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found.extend(arguments.kwonlyargs)
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST]:
    """Return the annotations of a function's parameters and of what it returns."""
    found = [a.annotation for a in parameters_of(node.args)]
    return [note for note in (*found, node.returns) if note is not None]


_CLOSED = frozenset(
    {ast.Name, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Constant}
    | {ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.AnnAssign, ast.Expr}
    | {ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal}
)
"""Nodes of which everything inside is gathered by their own step."""

_fields: dict[type, tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN_FIELDS)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind not in _CLOSED
}
"""The fields that can hold nodes, of every node that is not closed."""

_SPECIAL: dict[type, Callable[[Scopes, Scope, Any], None]] = {
    ast.Name: Scopes._name,
    ast.Constant: Scopes._constant,
    ast.Attribute: Scopes._attribute,
    ast.FunctionDef: Scopes._definition,
    ast.AsyncFunctionDef: Scopes._definition,
    ast.ClassDef: Scopes._definition,
    ast.Lambda: Scopes._lambda,
    ast.ListComp: Scopes._comprehension,
    ast.SetComp: Scopes._comprehension,
    ast.DictComp: Scopes._comprehension,
    ast.GeneratorExp: Scopes._comprehension,
    ast.Import: Scopes._import,
    ast.ImportFrom: Scopes._import_from,
    ast.Global: Scopes._global,
    ast.Nonlocal: Scopes._nonlocal,
    ast.ExceptHandler: Scopes._binder,
    ast.MatchAs: Scopes._binder,
    ast.MatchStar: Scopes._binder,
    ast.MatchMapping: Scopes._match_mapping,
    ast.AnnAssign: Scopes._annotated,
    ast.Expr: Scopes._statement,
}
