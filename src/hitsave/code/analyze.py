"""Analysis: one module's source → its record of definitions, bindings and effects.

Owns the cutting of a module into definitions. Refuses to know the module's name, its path, or any
other module, so that a record depends on the source alone.
"""

import ast
from collections.abc import Iterable, Iterator

from hitsave.code.definition import (
    NOTHING,
    STORED,
    Binding,
    ClassDefinition,
    Effect,
    FunctionDefinition,
    ModuleRecord,
    Part,
    StarImport,
)
from hitsave.code.normalize import DefinitionNode, Reader, chain_of
from hitsave.code.pause import collector_paused
from hitsave.code.scope import class_scope, function_scope
from hitsave.digest import digest_bytes
from hitsave.errors import SourceError

_COMPOUND = (
    *(ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith),
    *(ast.For, ast.AsyncFor, ast.While, ast.Match),
)
_LITERALS = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp),
    *(ast.expr_context, ast.unaryop),
)

FunctionStatement = ast.FunctionDef | ast.AsyncFunctionDef


def analyze(source: bytes) -> ModuleRecord:
    """Analyse a module's source, as bytes in any encoding that Python accepts.

    Raises `SourceError` where the source cannot be parsed.
    """
    try:
        with collector_paused():
            return _Analyzer(source).record(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError) as error:
        raise SourceError(f"the source cannot be parsed: {error}") from error


class _Analyzer:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._functions: dict[str, list[FunctionDefinition]] = {}
        self._classes: dict[str, list[ClassDefinition]] = {}
        self._bindings: dict[str, list[Binding]] = {}
        self._effects: list[Effect] = []
        self._stars: list[StarImport] = []

    def record(self, tree: ast.Module) -> ModuleRecord:
        """Analyse the whole module."""
        doc, body = split_docstring(tree.body)
        for statement in body:
            self._statement(statement, driver=False)
        return ModuleRecord(
            source=digest_bytes(self._source),
            functions={name: tuple(found) for name, found in self._functions.items()},
            classes={name: tuple(found) for name, found in self._classes.items()},
            bindings={name: tuple(found) for name, found in self._bindings.items()},
            effects=tuple(self._effects),
            stars=tuple(self._stars),
            doc=doc,
            lines=self._source.count(b"\n") + 1,
        )

    # -- module level ---------------------------------------------------------------------------

    def _statement(self, node: ast.stmt, driver: bool) -> None:
        if isinstance(node, ast.If) and is_main_guard(node.test):
            for inner in node.body:
                self._statement(inner, driver=True)
            for inner in node.orelse:
                self._statement(inner, driver)
        elif isinstance(node, (ast.Pass, ast.Global)):
            return
        else:
            reader = self._reader()
            reader.read(node)
            part = reader.part(*lines_of(node))
            for binding in self._bindings_in(node, part, driver):
                self._bindings.setdefault(binding.name, []).append(binding)
            self._note_effect(node, part, driver)

    def _reader(self) -> Reader:
        return Reader((), "", self._define)

    def _note_effect(self, node: ast.stmt, part: Part, driver: bool) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            touches = tuple(_decorators_of(node))
            if not touches:
                return
        elif not has_effect(node):
            touches = tuple(_passed_in(node))
            if not touches:
                return
        else:
            touches = tuple(touched_by(node))
        self._effects.append(Effect(part, touches, driver))

    def _bindings_in(self, node: ast.stmt, part: Part, driver: bool) -> Iterator[Binding]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _bare_binding(node, "function", driver)
        elif isinstance(node, ast.ClassDef):
            yield _bare_binding(node, "class", driver)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from self._imports_in(node, part, driver)
        elif isinstance(node, _COMPOUND):
            for inner in _inner_statements(node):
                yield from self._bindings_in(inner, part, driver)
            yield from _value_bindings(_own_targets(node), part, driver)
        else:
            literal = is_literal_assignment(node)
            for binding in _value_bindings([node], part, driver):
                yield binding._replace(literal=literal)

    def _imports_in(
        self, node: ast.Import | ast.ImportFrom, part: Part, driver: bool
    ) -> Iterator[Binding]:
        bare = Part(b"", NOTHING, part.line, part.end_line)
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else name
                yield Binding(name, "import", bare, 0, module, "", "", driver)
            return
        for alias in node.names:
            if alias.name == "*":
                self._stars.append(StarImport(node.level, node.module or "", node.lineno))
            elif node.module != "__future__":
                name = alias.asname or alias.name
                source = node.module or ""
                yield Binding(name, "import", bare, node.level, source, alias.name, "", driver)

    # -- definitions ----------------------------------------------------------------------------

    def _define(self, node: DefinitionNode, outer: Reader) -> list[Part]:
        if isinstance(node, ast.ClassDef):
            return self._define_class(node, outer)
        return self._define_function(node, outer)

    def _define_function(self, node: FunctionStatement | ast.Lambda, outer: Reader) -> list[Part]:
        name = outer.prefix + ("<lambda>" if isinstance(node, ast.Lambda) else node.name)
        definition = FunctionDefinition(
            name=name,
            first_line=first_line_of(node),
            decorators=self._decorators(node, outer),
            header=self._header(node, outer),
            annotations=self._annotations(node, outer),
            body=self._body(node, outer, name),
            doc=b"" if isinstance(node, ast.Lambda) else split_docstring(node.body)[0],
        )
        self._functions.setdefault(name, []).append(definition)
        parts = [definition.header, *definition.decorators, definition.body]
        if definition.decorators:
            parts.append(definition.annotations)
        return parts

    def _decorators(
        self, node: FunctionStatement | ast.Lambda | ast.ClassDef, outer: Reader
    ) -> tuple[Part, ...]:
        if isinstance(node, ast.Lambda):
            return ()
        return tuple(
            self._read([decorator], outer, *lines_of(decorator))
            for decorator in node.decorator_list
        )

    def _read(
        self, nodes: Iterable[ast.AST | None], outer: Reader, line: int, end_line: int
    ) -> Part:
        """Read expressions that are evaluated where the definition stands."""
        reader = Reader(outer.enclosing, outer.prefix, self._define)
        reader.read_all(nodes)
        return reader.part(line, end_line)

    def _header(self, node: FunctionStatement | ast.Lambda, outer: Reader) -> Part:
        reader = Reader(outer.enclosing, outer.prefix, self._define)
        arguments = node.args
        reader.word(type(node).__name__)
        reader.word("/".join(a.arg for a in arguments.posonlyargs))
        reader.word(",".join(a.arg for a in arguments.args))
        reader.word("*" + (arguments.vararg.arg if arguments.vararg else ""))
        reader.word(",".join(a.arg for a in arguments.kwonlyargs))
        reader.word("**" + (arguments.kwarg.arg if arguments.kwarg else ""))
        reader.read_all(arguments.defaults)
        reader.read_all(arguments.kw_defaults)
        return reader.part(node.lineno, node.lineno)

    def _annotations(self, node: FunctionStatement | ast.Lambda, outer: Reader) -> Part:
        if isinstance(node, ast.Lambda):
            return Part(b"", NOTHING, node.lineno, node.lineno)
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every.extend(a for a in (arguments.vararg, arguments.kwarg) if a is not None)
        notes = [argument.annotation for argument in every]
        return self._read([*notes, node.returns], outer, node.lineno, node.lineno)

    def _body(self, node: FunctionStatement | ast.Lambda, outer: Reader, name: str) -> Part:
        scope = function_scope(node)
        reader = Reader((*outer.enclosing, scope), name + ".<locals>.", self._define)
        if isinstance(node, ast.Lambda):
            reader.read(node.body)
        else:
            reader.read_all(split_docstring(node.body)[1])
        part = reader.part(*lines_of(node))
        bound = scope.stored | scope.named | scope.imports.keys()
        for written in sorted(scope.declared_global & bound):
            self._bindings.setdefault(written, []).append(Binding(written, "value", part))
        return part

    def _define_class(self, node: ast.ClassDef, outer: Reader) -> list[Part]:
        name = outer.prefix + node.name
        decorators = self._decorators(node, outer)
        head = self._read([*node.bases, *node.keywords], outer, node.lineno, node.lineno)
        body = _ClassBody(self._define, (*outer.enclosing, class_scope(node)), name)
        body.annotated = bool(node.decorator_list or node.bases or node.keywords)
        doc, statements = split_docstring(node.body)
        for statement in statements:
            body.statement(statement)
        line, end_line = lines_of(node)
        definition = ClassDefinition(
            name=name,
            first_line=first_line_of(node),
            decorators=decorators,
            head=head,
            annotations=body.annotations(line),
            bindings=tuple(body.bindings),
            effects=tuple(body.effects),
            doc=doc,
            line=line,
            end_line=end_line,
        )
        self._classes.setdefault(name, []).append(definition)
        return [*decorators, head, *body.parts]


class _ClassBody:
    """Reads the statements of one class body."""

    def __init__(self, define: object, scopes: tuple[object, ...], name: str) -> None:
        self._define = define
        self._scopes = scopes
        self._name = name
        self._notes: list[ast.AST] = []
        self.annotated = False
        self.bindings: list[Binding] = []
        self.effects: list[Effect] = []
        self.parts: list[Part] = []

    def _reader(self) -> Reader:
        return Reader(self._scopes, self._name + ".", self._define)  # type: ignore[arg-type]

    def statement(self, node: ast.stmt) -> None:
        """Read one statement of the class body."""
        if isinstance(node, ast.Pass):
            return
        reader = self._reader()
        reader.read(node)
        if isinstance(node, ast.AnnAssign):
            self._annotated(node, reader)
        part = reader.part(*lines_of(node))
        self.parts.append(part)
        found = list(self._bindings_in(node, part))
        self.bindings.extend(found)
        if isinstance(node, _COMPOUND) or (not found and has_effect(node)):
            self.effects.append(Effect(part, (), False))

    def _annotated(self, node: ast.AnnAssign, reader: Reader) -> None:
        if self.annotated:
            reader.read(node.target)
            reader.read(node.annotation)
        else:
            self._notes.append(node.annotation)

    def annotations(self, line: int) -> Part:
        """The annotations that only reflection reads."""
        reader = self._reader()
        reader.read_all(self._notes)
        return reader.part(line, line)

    def _bindings_in(self, node: ast.stmt, part: Part) -> Iterator[Binding]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _bare_binding(node, "function", False)
        elif isinstance(node, ast.ClassDef):
            yield _bare_binding(node, "class", False)
        elif isinstance(node, _COMPOUND):
            for inner in _inner_statements(node):
                yield from self._bindings_in(inner, part)
            yield from _value_bindings(_own_targets(node), part, False)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield Binding((alias.asname or alias.name).partition(".")[0], "value", part)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield Binding(node.target.id, "value", part)
        else:
            yield from _value_bindings([node], part, False)


def split_docstring(body: list[ast.stmt]) -> tuple[bytes, list[ast.stmt]]:
    """Return the digest of a body's docstring (empty where it has none) and the rest."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        value = first.value.value
        if isinstance(value, str):
            return digest_bytes(value.encode("utf-8", "surrogatepass")), body[1:]
    return b"", body


def first_line_of(node: FunctionStatement | ast.Lambda | ast.ClassDef) -> int:
    """Return the line of the first decorator, or of the definition: `co_firstlineno`."""
    if isinstance(node, ast.Lambda) or not node.decorator_list:
        return node.lineno
    return min(node.lineno, node.decorator_list[0].lineno)


def lines_of(node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Return the first and last line of a node, decorators included."""
    line = node.lineno
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        line = first_line_of(node)
    return line, node.end_lineno or node.lineno


def is_main_guard(test: ast.expr) -> bool:
    """Whether `test` is `__name__ == "__main__"`, either way round."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    if not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, test.comparators[0]]
    names = [side for side in sides if isinstance(side, ast.Name) and side.id == "__name__"]
    texts = [side for side in sides if isinstance(side, ast.Constant) and side.value == "__main__"]
    return bool(names and texts)


def is_literal_assignment(node: ast.stmt) -> str:
    """Return "literal" where a statement gives one name a value written out in full, else ""."""
    if isinstance(node, ast.Assign):
        simple = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        value: ast.expr | None = node.value
    elif isinstance(node, ast.AnnAssign):
        simple, value = isinstance(node.target, ast.Name), node.value
    else:
        return ""
    if not simple or value is None:
        return ""
    return "literal" if all(isinstance(part, _LITERALS) for part in ast.walk(value)) else ""


def has_effect(node: ast.stmt) -> bool:
    """Whether a module-level statement does more than bind names to new values."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return False
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return not all(_only_names(target) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return not isinstance(node.target, ast.Name)
    if isinstance(node, ast.AugAssign):
        return not isinstance(node.target, ast.Name)
    if isinstance(node, _COMPOUND):
        return any(has_effect(inner) for inner in _inner_statements(node))
    return not isinstance(
        node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass, ast.Global)
    )


def touched_by(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """Yield the chains whose object a statement may change: stored into, called on, passed."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            yield from _chains((part.func, *part.args, *(k.value for k in part.keywords)))
        elif isinstance(part, (ast.Attribute, ast.Subscript)) and not isinstance(
            part.ctx, ast.Load
        ):
            # Marked, because storing changes what merely being passed somewhere may not.
            yield from ((*names, STORED) for names in _chains((part.value,)))


def _passed_in(node: ast.stmt) -> Iterator[tuple[str, ...]]:
    """Yield the chains that the value of a plain assignment calls or passes."""
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from touched_by(node)


def _decorators_of(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> Iterator[tuple[str, ...]]:
    for decorator in node.decorator_list:
        callee = decorator.func if isinstance(decorator, ast.Call) else decorator
        yield from _chains((callee,))


def _chains(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ...]]:
    for node in nodes:
        inner = node.value if isinstance(node, (ast.Starred, ast.Subscript)) else node
        names = chain_of(inner)
        if names is not None:
            yield names


def _only_names(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_only_names(element) for element in target.elts)
    if isinstance(target, ast.Starred):
        return _only_names(target.value)
    return isinstance(target, ast.Name)


def _inner_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from child.body


def _own_targets(node: ast.stmt) -> list[ast.AST]:
    """The expressions of a compound statement's own head, which may bind names."""
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]


def _bare_binding(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, kind: str, driver: bool
) -> Binding:
    line, end_line = lines_of(node)
    return Binding(node.name, kind, Part(b"", NOTHING, line, end_line), driver=driver)


def _value_bindings(nodes: Iterable[ast.AST], part: Part, driver: bool) -> Iterator[Binding]:
    names: dict[str, None] = {}
    for node in nodes:
        for name in _stored_in(node):
            names[name] = None
    for name in names:
        yield Binding(name, "value", part, driver=driver)


def _stored_in(root: ast.AST) -> Iterator[str]:
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (ast.ExceptHandler, ast.match_case)):
            stack.extend(child for child in ast.iter_child_nodes(node) if not _is_statement(child))
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp)):
            stack.extend(ast.iter_child_nodes(node))


def _is_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt)
