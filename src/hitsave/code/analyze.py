"""Analysis: one module's source → its record of definitions, bindings and effects.

Owns the cutting of a module into definitions. Refuses to know the module's name, its path, or any
other module, so that a record depends on the source alone.
"""

import ast
from collections.abc import Iterator

from hitsave.code.columns import NEXT_LINE, NO_COLUMN
from hitsave.code.conditions import Conditions, has_definitions
from hitsave.code.definition import (
    NOTHING,
    Binding,
    ClassDefinition,
    Effect,
    FunctionDefinition,
    ModuleRecord,
    Part,
    StarImport,
)
from hitsave.code.lambdas import lambda_labels
from hitsave.code.normalize import DefinitionNode, Outline, Reader, type_scope
from hitsave.code.pattern import words_in
from hitsave.code.pause import collector_paused, warnings_paused
from hitsave.code.scope import Scope, Scopes, annotations_of
from hitsave.code.touch import (
    COMPOUND,
    has_effect,
    inner_statements,
    is_literal_assignment,
    names_bound_by,
    passed_names,
    touched_by,
)
from hitsave.digest import digest_bytes
from hitsave.errors import SourceError

FunctionStatement = ast.FunctionDef | ast.AsyncFunctionDef

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NO_NOTES = b""

_HANDED = Part(b"handed", NOTHING, 0, 0)
"""Stands among the decorators of what a call at module level is handed: it sees as much."""

_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


def analyze(source: bytes) -> ModuleRecord:
    """Analyse a module's source, as bytes in any encoding that Python accepts.

    Raises `SourceError` where the source cannot be parsed.
    """
    try:
        with collector_paused(), warnings_paused():
            tree = ast.parse(source)
            return _Analyzer(source, tree).record(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError) as error:
        raise SourceError(f"the source cannot be parsed: {error}") from error


class _Analyzer:
    def __init__(self, source: bytes, tree: ast.Module) -> None:
        self.scopes = Scopes(tree)
        self._source = source
        self._conditions = Conditions(self.scopes)
        self._lambdas = lambda_labels(tree.body) if b"lambda" in source else {}
        self._labels: dict[str, int] = {}
        self._passed = passed_names(tree.body)
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
        elif not isinstance(node, (ast.Pass, ast.Global)):
            reader = Reader(self, (), "")
            reader.read(node)
            part = reader.part(*lines_of(node))
            defines = []
            for binding in self._bindings_in(node, part, driver):
                self._bindings.setdefault(binding.name, []).append(binding)
                if binding.kind in ("function", "class"):
                    defines.append(binding.name)
            self._note_effect(node, part, driver, tuple(dict.fromkeys(defines)))

    def _note_effect(
        self, node: ast.stmt, part: Part, driver: bool, defines: tuple[str, ...]
    ) -> None:
        touches = tuple(touched_by(node))
        if touches or has_effect(node):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                part = self._without_body(self._functions[node.name][-1])
            elif defines:
                part = self._conditions.skeleton(node)
            self._effects.append(Effect(part, touches, driver, defines))

    def _without_body(self, definition: FunctionDefinition) -> Part:
        """What defining a function says of it."""
        reader = Reader(self, (), "")
        reader.word(definition.name)
        for part in (definition.header, definition.annotations, *definition.decorators):
            reader.word(part.digest.hex())
            reader.found.absorb(part.references)
        return reader.part(definition.first_line, definition.end_line)

    def _bindings_in(
        self, node: ast.stmt, part: Part, driver: bool, condition: Part | None = None
    ) -> Iterator[Binding]:
        if isinstance(node, _DEFINITIONS):
            yield _bare_binding(node, driver)._replace(condition=condition)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from self._imports_in(node, part, driver, condition)
        else:
            if isinstance(node, COMPOUND):
                for inner, deeper in self._conditions.inside(node, condition):
                    yield from self._bindings_in(inner, part, driver, deeper)
            literal = "literal" if is_literal_assignment(node) else ""
            for name in names_bound_by(node):
                yield Binding(name, "value", part, literal=literal, driver=driver)

    def _imports_in(
        self,
        node: ast.Import | ast.ImportFrom,
        part: Part,
        driver: bool,
        condition: Part | None,
    ) -> Iterator[Binding]:
        bare = Part(b"", NOTHING, part.line, part.end_line)
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else name
                yield Binding(name, "import", bare, 0, module, "", "", driver, condition)
            return
        for alias in node.names:
            if alias.name == "*":
                star = StarImport(node.level, node.module or "", node.lineno, condition)
                self._stars.append(star)
            elif node.module != "__future__":
                name = alias.asname or alias.name
                where = node.level, node.module or "", alias.name
                yield Binding(name, "import", bare, *where, "", driver, condition)

    # -- definitions ----------------------------------------------------------------------------

    def define(self, node: DefinitionNode, outer: Reader) -> list[Part]:
        """Take in a definition met by `outer`; return the parts that count as `outer`'s too."""
        if isinstance(node, ast.ClassDef):
            return self._define_class(node, outer)
        return self._define_function(node, outer)

    def _define_function(self, node: FunctionStatement | ast.Lambda, outer: Reader) -> list[Part]:
        name = outer.prefix + ("<lambda>" if isinstance(node, ast.Lambda) else node.name)
        label = self._label(node, outer)
        column, end_column = columns_of(node)
        definition = FunctionDefinition(
            name=name,
            first_line=first_line_of(node),
            decorators=self._decorators(node, outer),
            header=self._header(node, outer),
            annotations=self._annotations(node, outer),
            body=self._body(node, outer, name, label),
            doc=b"" if isinstance(node, ast.Lambda) else split_docstring(node.body)[0],
            column=column,
            end_column=end_column,
            label=label,
        )
        self._functions.setdefault(name, []).append(definition)
        parts = [definition.header, *definition.decorators, definition.body]
        if definition.decorators:
            parts.append(definition.annotations)
        return parts

    def _label(self, node: FunctionStatement | ast.Lambda, outer: Reader) -> str:
        """Return what a function is to go by: its name, numbered where others have it already."""
        if isinstance(node, ast.Lambda):
            within = self._lambdas.get(node, "")
            label = f"{outer.path}{within}{'.' if within else ''}<lambda>"
        else:
            label = outer.path + node.name
        number = self._labels[label] = self._labels.get(label, 0) + 1
        return label if number == 1 else f"{label}#{number}"

    def _decorators(
        self, node: FunctionStatement | ast.Lambda | ast.ClassDef, outer: Reader
    ) -> tuple[Part, ...]:
        if isinstance(node, ast.Lambda):
            return ()
        found = [
            self._read([decorator], outer.scopes, outer, *lines_of(decorator))
            for decorator in node.decorator_list
        ]
        is_handed = not outer.prefix and node.name in self._passed
        return (*found, _HANDED) if is_handed else tuple(found)

    def _read(
        self,
        nodes: list[ast.AST],
        scopes: tuple[Scope, ...],
        outer: Reader,
        line: int,
        end_line: int,
    ) -> Part:
        """Read expressions that are evaluated where the definition stands."""
        reader = Reader(self, scopes, outer.prefix, outer.path)
        reader.read_all(nodes)
        return reader.part(line, end_line)

    def _header(self, node: FunctionStatement | ast.Lambda, outer: Reader) -> Part:
        reader = Reader(self, outer.scopes, outer.prefix, outer.path)
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
            return Part(_NO_NOTES, NOTHING, node.lineno, node.lineno)
        notes = [*_type_parameters(node), *annotations_of(node)]
        if not notes:
            return Part(_NO_NOTES, NOTHING, node.lineno, node.lineno)
        reader = Reader(self, _with_type_scope(node, outer.scopes), outer.prefix, outer.path)
        _read_annotations(notes, reader)
        return reader.part(node.lineno, node.lineno)

    def _body(
        self, node: FunctionStatement | ast.Lambda, outer: Reader, name: str, label: str
    ) -> Part:
        scope = self.scopes[node]
        scopes = (*_with_type_scope(node, outer.scopes), scope)
        # Only lambdas have labels that tell more about what is inside than their names do.
        path = (label if "<lambda>" in label else name) + ".<locals>."
        reader = Reader(self, scopes, name + ".<locals>.", path)
        if isinstance(node, ast.Lambda):
            reader.read(node.body)
        else:
            reader.read_all(split_docstring(node.body)[1])
        part = reader.part(*lines_of(node))
        self._bind_globals(scope, part)
        return part

    def _bind_globals(self, scope: Scope, part: Part) -> None:
        """Note the globals that the code of a scope binds by declaring them `global`."""
        bound = scope.stored | scope.named | scope.imports.keys()
        for written in sorted(scope.declared_global & bound):
            self._bindings.setdefault(written, []).append(Binding(written, "value", part))

    def _define_class(self, node: ast.ClassDef, outer: Reader) -> list[Part]:
        name = outer.prefix + node.name
        line, end_line = lines_of(node)
        scopes = _with_type_scope(node, outer.scopes)
        decorators = self._decorators(node, outer)
        head_nodes = [*_type_parameters(node), *node.bases, *node.keywords]
        head = self._read(head_nodes, scopes, outer, node.lineno, node.lineno)
        body = _ClassBody(self, (*scopes, self.scopes[node]), name)
        body.annotated = bool(decorators or node.bases or node.keywords)
        doc, statements = split_docstring(node.body)
        for statement in statements:
            body.statement(statement)
        for part in body.parts:
            self._bind_globals(self.scopes[node], part)
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

    def __init__(self, outline: Outline, scopes: tuple[Scope, ...], name: str) -> None:
        self._outline = outline
        self._scopes = scopes
        self._name = name
        self._notes: list[ast.AST] = []
        self.annotated = False
        self.bindings: list[Binding] = []
        self.effects: list[Effect] = []
        self.parts: list[Part] = []

    def _reader(self) -> Reader:
        return Reader(self._outline, self._scopes, self._name + ".")

    def statement(self, node: ast.stmt) -> None:
        """Read one statement of the class body."""
        if isinstance(node, ast.Pass):
            return
        reader = self._reader()
        reader.read(node)
        if isinstance(node, ast.AnnAssign):
            self._annotated(node, reader)
        if isinstance(node, ast.Assign) and "__match_args__" in names_bound_by(node):
            _ask_for_texts(node.value, reader)
        part = reader.part(*lines_of(node))
        self.parts.append(part)
        if has_definitions(node):
            # Each method counts by its own body.
            part = Conditions(self._outline.scopes, self._scopes).skeleton(node)
        found = list(self._bindings_in(node, part))
        self.bindings.extend(found)
        if isinstance(node, COMPOUND) or (not found and has_effect(node)):
            self.effects.append(Effect(part, (), False))

    def _annotated(self, node: ast.AnnAssign, reader: Reader) -> None:
        self._notes.append(node.annotation)
        if self.annotated:
            if node.simple:  # `(x): int` declares nothing
                reader.read(node.target)
            reader.read(node.annotation)

    def annotations(self, line: int) -> Part:
        """The annotations, which reflection reads, and what owns the class from outside."""
        reader = self._reader()
        _read_annotations(self._notes, reader)
        return reader.part(line, line)

    def _bindings_in(self, node: ast.stmt, part: Part) -> Iterator[Binding]:
        if isinstance(node, _DEFINITIONS):
            yield _bare_binding(node, driver=False)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield Binding((alias.asname or alias.name).partition(".")[0], "value", part)
        else:
            for inner in inner_statements(node) if isinstance(node, COMPOUND) else ():
                yield from self._bindings_in(inner, part)
            for name in names_bound_by(node):
                yield Binding(name, "value", part)


def _read_annotations(notes: list[ast.AST], reader: Reader) -> None:
    """Read annotations; those that are texts are evaluated by whoever reads them."""
    reader.read_all(notes)
    for note in notes:
        for text, line in _texts_in(note):
            reader.found.mention(words_in(text), line)


def _ask_for_texts(node: ast.AST, reader: Reader) -> None:
    """Matching by position asks for the attributes that `__match_args__` names."""
    for text, line in _texts_in(node):
        reader.found.ask(text, line)


def _texts_in(node: ast.AST) -> Iterator[tuple[str, int]]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value, part.lineno


def _type_parameters(node: FunctionStatement | ast.ClassDef) -> list[ast.AST]:
    return list(getattr(node, "type_params", ()))  # from Python 3.12


def _with_type_scope(node: DefinitionNode, scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    parameters = [] if isinstance(node, ast.Lambda) else _type_parameters(node)
    return (*scopes, type_scope(parameters)) if parameters else scopes


def _bare_binding(node: FunctionStatement | ast.ClassDef, driver: bool) -> Binding:
    line, end_line = lines_of(node)
    kind = "class" if isinstance(node, ast.ClassDef) else "function"
    return Binding(node.name, kind, Part(b"", NOTHING, line, end_line), driver=driver)


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
    if isinstance(node, _DEFINITIONS):
        line = first_line_of(node)
    return line, node.end_lineno or node.lineno


def columns_of(node: FunctionStatement | ast.Lambda) -> tuple[int, int]:
    """Return where the body of a lambda begins and ends, counted as `lambda_column` counts."""
    if not isinstance(node, ast.Lambda):
        return NO_COLUMN, NO_COLUMN
    body = node.body
    # The parser always says where an expression ends.
    end_line, end_column = body.end_lineno or 0, body.end_col_offset or 0
    return (
        (body.lineno - node.lineno) * NEXT_LINE + body.col_offset,
        (end_line - node.lineno) * NEXT_LINE + end_column,
    )


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
