"""Normalisation: a piece of syntax tree → its canonical tokens and the references in it.

Owns what counts as the same code: comments, positions, formatting, docstrings, local annotations
and the names of locals that nothing else can see leave no trace. Refuses to cut a module into
definitions; that is the analyser's, which is handed every definition met on the way.
"""

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from hitsave.code.collect import Collector
from hitsave.code.definition import GET, Part
from hitsave.code.names import (
    ATTRIBUTE_BUILTINS,
    GETTERS,
    IMPORTERS,
    LISTING_BUILTINS,
    LOADED,
    REFLECTION,
    TEXT_BUILTINS,
    Names,
    format_attributes,
    is_builtin,
)
from hitsave.code.pattern import (
    chain_before,
    chain_of,
    imported_by,
    is_plain_call,
    item_of,
    module_pattern,
    string_pattern,
    words_in,
)
from hitsave.code.scope import Comprehension, Scope, Scopes
from hitsave.digest import digest_bytes

DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda

_EVALUATORS = frozenset({"query", "eval", "evaluate", "sql"})
"""Methods of libraries that evaluate a text with the names of the frame that calls them."""

_NOTABLE_CALLS = frozenset({"print"}).union(
    *(ATTRIBUTE_BUILTINS, LISTING_BUILTINS, TEXT_BUILTINS, GETTERS, IMPORTERS, _EVALUATORS)
)

_SETTING_BUILTINS = frozenset({"setattr", "delattr"})
_MAKES_FUNCTIONS = ("types", "FunctionType")
_GET_LOADED = (*LOADED, GET)

_LOAD = ast.Load()

_SKIPPED = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


class Outline(Protocol):
    """What a reader knows of the module around it: its scopes, and who takes definitions in."""

    @property
    def scopes(self) -> Scopes: ...
    def define(self, node: DefinitionNode, outer: "Reader") -> list[Part]: ...


class Reader:
    """Reads nodes into tokens and references; one for each part.

    `prefix` begins the qualified names of what is defined here, `path` their labels.
    """

    def __init__(
        self, outline: Outline, scopes: tuple[Scope, ...], prefix: str, path: str = ""
    ) -> None:
        self.found = Collector(scopes, outline.scopes.aliases)
        self.prefix = prefix
        self.path = path or prefix
        self._outline = outline
        self._renameable = scopes[-1].renameable() if scopes else frozenset()
        self._renamed: dict[str, str] = {}
        self._tokens: list[str] = []
        self._reads_items = True

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes around what is read now, comprehensions included."""
        return self.found.scopes

    def part(self, line: int, end_line: int) -> Part:
        """Everything read so far, as a part that stands at these lines."""
        content = "\0".join(self._tokens).encode("utf-8", "surrogatepass")
        return Part(digest_bytes(content), self.found.references(), line, end_line)

    # -- reading --------------------------------------------------------------------------------

    def read(self, node: ast.AST) -> None:
        """Read one node and all that is under it."""
        _READ[type(node)](self, node)

    def read_all(self, nodes: Sequence[object]) -> None:
        """Read nodes and plain values, as one delimited list."""
        tokens = self._tokens
        tokens.append("[")
        for node in nodes:
            read = _READ.get(type(node))
            if read is None:
                tokens.append(repr(node))
            else:
                read(self, node)
        tokens.append("]")

    def word(self, text: str) -> None:
        """Add a token as it is."""
        self._tokens.append(text)

    def _read_fields(self, node: ast.AST) -> None:
        tokens = self._tokens
        name, fields = _SHAPES[type(node)]
        tokens.append(name)
        for field in fields:
            value = getattr(node, field, None)
            read = _READ.get(type(value))
            if read is not None:
                read(self, value)
            elif type(value) is list:
                self.read_all(value)
            else:
                tokens.append(repr(value))
        tokens.append(")")

    def _read_constant(self, node: ast.Constant) -> None:
        # The type is written out too: 1, True and 1.0 are different constants.
        value: Any = node.value
        kind = type(value)
        # Not in decimal: Python refuses to write very long numbers so.
        text = hex(value) if kind is int else repr(value)
        self._tokens.append(f"{kind.__name__} {text}")
        if kind is str and "{" in value:
            self._ask_all(format_attributes(value), node.lineno)
        elif kind is str and value.startswith("__") and value in REFLECTION:
            self.found.ask(value, node.lineno)  # `vars(kind)["__annotations__"]`

    def _read_name(self, node: ast.Name) -> None:
        self._tokens.append(self._name_token(node.id))
        if type(node.ctx) is ast.Load:
            self.found.refer((node.id,), node.lineno)

    def _name_token(self, name: str) -> str:
        if name in self._renameable:
            return self._renamed.setdefault(name, f"%{len(self._renamed)}")
        return "." + name

    def _chain_token(self, names: Names) -> str:
        return ".".join((self._name_token(names[0]), *names[1:]))

    def _read_attribute(self, node: ast.Attribute) -> None:
        if type(node.ctx) is not ast.Load:
            self._note_store(node.value, node.attr)
        names = chain_of(node)
        if names is None:
            self._tokens.append("(Attribute")
            self._read_owner(node)
            self._tokens.append(node.attr + ")")
            self._ask_all(() if _is_written_only(node) else (node.attr,), node.lineno)
            return
        self._tokens.append(self._chain_token(names))
        if not self.found.refer(names, node.lineno):
            self._ask_all(names[1:-1] if _is_written_only(node) else names[1:], node.lineno)

    def _ask_all(self, names: Iterable[str], line: int) -> None:
        for name in names:
            self.found.ask(name, line)

    def _note_store(self, owner: ast.expr, attribute: str) -> None:
        """Note that an attribute or item is set, or deleted."""
        names = chain_before(owner)
        if names is not None:
            self.found.store(names, attribute if chain_of(owner) == names else "")

    def _read_subscript(self, node: ast.Subscript) -> None:
        if type(node.ctx) is not ast.Load:
            self._note_store(node.value, "")
        names, index = chain_of(node.value), string_pattern(node.slice)
        is_table = names is not None and self.found.meaning(names)[-2:] == LOADED
        if names is not None and is_table and isinstance(index, str):
            self.found.look_up_module(index, node.lineno)
            self._tokens.append(f"({'.'.join(names)} {index!r})")
        elif not self._refers_to_item(node):
            self._tokens.append("(Subscript")
            self._read_owner(node)
            self._read_with(node.slice, items=True)
            self._tokens.append(")")

    def _read_compare(self, node: ast.Compare) -> None:
        """Read a comparison; `name in sys.modules` gets at no module that is in the table."""
        self._hand_on((node.left, *node.comparators))
        names = chain_of(node.comparators[0])
        is_asked = len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn)
        if names is None or not is_asked or self.found.meaning(names) != LOADED:
            self._read_fields(node)
            return
        self._tokens.append(f"(Compare {type(node.ops[0]).__name__}")
        self.read(node.left)
        self._read_called(names, node.lineno, quiet=True, opaque=False)
        self._tokens.append(")")
        pattern = string_pattern(node.left)
        known = (pattern, "") if isinstance(pattern, str) else pattern
        self.found.look_up("loaded", (), known, node.lineno)

    def _read_owner(self, node: ast.Attribute | ast.Subscript) -> None:
        """Read what a step starts from: as a whole, where the step is stored or deleted."""
        self._read_with(node.value, items=self._reads_items and type(node.ctx) is ast.Load)

    def _read_with(self, node: ast.expr, items: bool) -> None:
        before, self._reads_items = self._reads_items, items
        self.read(node)
        self._reads_items = before

    # -- items of globals -----------------------------------------------------------------------

    def _refers_to_item(self, node: ast.Subscript | ast.Call) -> bool:
        """Read a node that reads one item of a global; False where it does anything else."""
        if not self._reads_items or not isinstance(getattr(node, "ctx", _LOAD), ast.Load):
            return False
        item = item_of(node)
        if item is None:
            return False
        names, keys = item
        # Asking for an item by a constant hands no object to what is asked.
        if not self.found.refer_item(names, keys, node.lineno, opaque=names[-1] != GET):
            return False
        self._read_step(node)
        return True

    def _read_step(self, node: ast.expr) -> None:
        """Read the tokens of an item whose reference is noted."""
        names = chain_of(node)
        if names is not None:
            self._tokens.append(self._chain_token(names))
        elif isinstance(node, ast.Call):
            self._tokens.append("(Call")
            self._read_step(node.func)
            self._read_arguments(node, node.args)
        elif isinstance(node, ast.Attribute):
            self._tokens.append("(Attribute")
            self._read_step(node.value)
            self._tokens.append(node.attr + ")")
            self.found.ask(node.attr, node.lineno)
        elif isinstance(node, ast.Subscript):
            self._tokens.append("(Subscript")
            self._read_step(node.value)
            self.read(node.slice)
            self._tokens.append(")")

    # -- calls ----------------------------------------------------------------------------------

    def _read_call(self, node: ast.Call) -> None:
        if self._refers_to_item(node):
            return
        self._tokens.append("(Call")
        names = chain_of(node.func)
        if names is None:
            self.read(node.func)
            self._read_arguments(node, node.args)
            return
        meaning = self.found.meaning(names)
        if meaning[-1] in _NOTABLE_CALLS or meaning[-3:] == _GET_LOADED:
            self._read_notable_call(node, names, meaning)
            return
        self._read_called(names, node.lineno, quiet=False, opaque=not is_plain_call(node))
        self._read_arguments(node, node.args)

    def _read_notable_call(self, node: ast.Call, names: Names, meaning: Names) -> None:
        self._note_call(node, meaning)
        if self._looks_up(node, names, meaning):
            self._read_called(names, node.lineno, quiet=True)
            self._read_subject(node.args[0])
            self._read_arguments(node, node.args[1:])
        else:
            understood = self._selects(node, meaning)
            self._read_called(names, node.lineno, understood, opaque=not is_plain_call(node))
            self._read_arguments(node, node.args)

    def _read_called(self, names: Names, line: int, quiet: bool, opaque: bool = True) -> None:
        self._tokens.append(self._chain_token(names))
        if not self.found.refer(names, line, opaque, quiet):
            self._ask_all(names[1:], line)

    def _read_arguments(self, node: ast.Call, arguments: Sequence[ast.expr]) -> None:
        names = chain_of(node.func)
        # What makes a function of a code object lets nobody see it.
        if names is None or self.found.meaning(names) != _MAKES_FUNCTIONS:
            self._hand_on([*arguments, *(keyword.value for keyword in node.keywords)])
        self.read_all(arguments)
        self.read_all(node.keywords)
        self._tokens.append(")")

    def _hand_on(self, nodes: Iterable[ast.expr]) -> None:
        """Note that whoever is given a function's code object may read all of it."""
        for node in nodes:
            if isinstance(node, ast.Attribute) and node.attr == "__code__":
                self.found.ask("co_code", node.lineno)

    def _note_call(self, node: ast.Call, meaning: Names) -> None:
        """Note what a call of this name asks for, whatever else it does."""
        last = meaning[-1]
        if is_builtin(meaning, _SETTING_BUILTINS) and len(node.args) > 1:
            name = string_pattern(node.args[1])
            self._note_store(node.args[0], name if isinstance(name, str) else "")
        if last == "print" and any(k.arg in ("file", None) for k in node.keywords):
            self._ask_all(("write", "flush"), node.lineno)
        elif last in _EVALUATORS:
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    self.found.mention(words_in(argument.value), node.lineno)

    def _looks_up(self, node: ast.Call, names: Names, meaning: Names) -> bool:
        """Handle a call that looks into its first argument, which does not escape by it."""
        arguments = node.args
        if not arguments or not self.found.leads_out(names[0]):
            return False
        by_name = is_builtin(meaning, ATTRIBUTE_BUILTINS) or meaning[-1] == "getattr_static"
        if by_name and len(arguments) > 1:
            owner = self._global_chain(arguments[0])
            self.found.look_up_attribute(owner, string_pattern(arguments[1]), node.lineno)
        elif is_builtin(meaning, LISTING_BUILTINS) or meaning[-1] == "getmembers":
            owner = self._global_chain(arguments[0])
            self.found.look_up("attribute", owner, ("", ""), node.lineno)
        else:
            return False
        return True

    def _selects(self, node: ast.Call, meaning: Names) -> bool:
        """Handle a call with the name of something to find later, or somewhere else."""
        last = meaning[-1]
        if not node.args:
            return is_builtin(meaning, LISTING_BUILTINS)  # of the locals
        if last in IMPORTERS:
            self.found.look_up_module(module_pattern(node), node.lineno, last)
        elif last in GETTERS:
            for argument in node.args[:1] if last == "methodcaller" else node.args:
                self.found.look_up_attribute((), string_pattern(argument), node.lineno)
            self.found.ask(last, node.lineno)
        elif is_builtin(meaning, TEXT_BUILTINS) and isinstance(node.args[0], ast.Constant):
            self.found.look_up("namespace", (), ("", ""), node.lineno)
            self._ask_all(sorted(words_in(str(node.args[0].value))), node.lineno)
        elif meaning[-3:] == _GET_LOADED and isinstance(name := string_pattern(node.args[0]), str):
            self.found.look_up_module(name, node.lineno)
        else:
            return False
        return True

    def _read_subject(self, subject: ast.expr) -> None:
        names = self._global_chain(subject)
        if names:
            self._tokens.append(self._chain_token(names))
        else:
            self.read(subject)

    def _global_chain(self, node: ast.expr) -> Names:
        """The chain of an expression rooted in a global name, or ()."""
        names = chain_of(node)
        return names if names is not None and self.found.is_global(names[0]) else ()

    # -- statements and scopes ------------------------------------------------------------------

    def _read_definition(self, node: DefinitionNode) -> None:
        name = "lambda" if isinstance(node, ast.Lambda) else "def " + node.name
        self._tokens.append("(" + name)
        for part in self._outline.define(node, self):
            self._tokens.append(part.digest.hex())
            self.found.absorb(part.references)
        self._tokens.append(")")

    def _read_comprehension(self, node: Comprehension) -> None:
        # The first iterable is evaluated outside the comprehension's own scope.
        self._tokens.append("(" + type(node).__name__)
        first, *_ = node.generators
        self.read(first.iter)
        self.found.enter(self._outline.scopes[node])
        self._read_generators(node.generators)
        if isinstance(node, ast.DictComp):
            self.read(node.key)
            self.read(node.value)
        else:
            self.read(node.elt)
        self.found.leave()
        self._tokens.append(")")

    def _read_generators(self, generators: Sequence[ast.comprehension]) -> None:
        for position, generator in enumerate(generators):
            self._tokens.append(f"for {generator.is_async}")
            self.read(generator.target)
            if position:
                self.read(generator.iter)
            self.read_all(generator.ifs)

    def _read_annotated(self, node: ast.AnnAssign) -> None:
        # An annotation of a local is never evaluated, and one of a global counts for nothing.
        if node.value is not None:
            self._tokens.append("(Assign")
            self.read_all((node.target,))
            self.read(node.value)
            self._tokens.append(")")
        elif not isinstance(node.target, ast.Name):
            self.read(node.target)  # evaluated, all but its last step
        elif node.simple and self.scopes and not self.scopes[-1].is_class:
            # Even so it says that the name is a local.
            self._tokens.append(f"(local {self._name_token(node.target.id)})")

    def _read_augmented(self, node: ast.AugAssign) -> None:
        # The target is read as well as written.
        self._read_fields(node)
        if isinstance(node.target, ast.Name):
            self.found.refer((node.target.id,), node.lineno)
        elif isinstance(node.target, ast.Attribute):
            self.found.ask(node.target.attr, node.lineno)

    def _read_import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        self._read_fields(node)
        for level, module, attribute in imported_by(node):
            attributes = (attribute,) if attribute else ()
            self.found.add_import(level, module, attributes, node.lineno)

    def _read_statement(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self._read_fields(node)

    def _read_match_class(self, node: ast.MatchClass) -> None:
        self._read_fields(node)
        self._ask_all(node.kwd_attrs, node.lineno)
        if node.patterns:
            self.found.ask("__match_args__", node.lineno)

    def _read_type_alias(self, node: Any) -> None:  # ast.TypeAlias
        self._tokens.append("(TypeAlias")
        self.read(node.name)
        self.found.enter(type_scope(node.type_params))
        self.read_all(node.type_params)
        self.read(node.value)
        self.found.leave()
        self._tokens.append(")")


def _is_written_only(node: ast.Attribute) -> bool:
    """Whether a docstring or annotations are given to an object, rather than read."""
    return node.attr in REFLECTION and not isinstance(node.ctx, ast.Load)


def type_scope(parameters: Iterable[Any]) -> Scope:
    """Return the scope in which a definition's type parameters are visible."""
    scope = Scope()
    scope.parameters.update(parameter.name for parameter in parameters)
    return scope


_KINDS: list[type[ast.AST]] = [
    kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)
]

_SHAPES: dict[type, tuple[str, tuple[str, ...]]] = {
    kind: ("(" + kind.__name__, tuple(field for field in kind._fields if field not in _SKIPPED))
    for kind in _KINDS
}
"""The first token of every kind of node, and the fields that count."""

_READ: dict[type, Callable[[Reader, Any], None]] = {
    **dict.fromkeys(_KINDS, Reader._read_fields),
    ast.Constant: Reader._read_constant,
    ast.Name: Reader._read_name,
    ast.Attribute: Reader._read_attribute,
    ast.Call: Reader._read_call,
    ast.Subscript: Reader._read_subscript,
    ast.Compare: Reader._read_compare,
    ast.FunctionDef: Reader._read_definition,
    ast.AsyncFunctionDef: Reader._read_definition,
    ast.ClassDef: Reader._read_definition,
    ast.Lambda: Reader._read_definition,
    ast.ListComp: Reader._read_comprehension,
    ast.SetComp: Reader._read_comprehension,
    ast.DictComp: Reader._read_comprehension,
    ast.GeneratorExp: Reader._read_comprehension,
    ast.AnnAssign: Reader._read_annotated,
    ast.AugAssign: Reader._read_augmented,
    ast.Import: Reader._read_import,
    ast.ImportFrom: Reader._read_import,
    ast.Expr: Reader._read_statement,
    ast.MatchClass: Reader._read_match_class,
}
_TYPE_ALIAS = getattr(ast, "TypeAlias", None)  # from Python 3.12
if _TYPE_ALIAS is not None:
    _READ[_TYPE_ALIAS] = Reader._read_type_alias
