"""Normalisation: a piece of syntax tree → its canonical tokens and the references in it.

Owns what counts as the same code: comments, positions, formatting, docstrings, local annotations
and the names of locals that nothing else can see leave no trace. Refuses to cut a module into
definitions; that is the analyser's, which is handed every definition met on the way.
"""

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hitsave.code.definition import (
    Chain,
    Dynamic,
    ImportReference,
    Part,
    References,
)
from hitsave.code.scope import Comprehension, Scope, comprehension_targets
from hitsave.digest import digest_bytes

DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
Define = Callable[[DefinitionNode, "Reader"], list[Part]]

REFLECTION = frozenset(
    {"__doc__", "getdoc", "__annotations__", "get_type_hints", "get_annotations", "signature"}
    | {"getsource", "getsourcelines", "findsource", "getsourcefile", "getclosurevars"}
)
"""Names through which a program reads what otherwise leaves no trace in it."""

OWN_NAMES = {"__name__": "\0name\0", "__package__": "\0package\0"}
"""What stands for a module's own name and package in a pattern: a record knows neither."""

_ATTRIBUTE_BUILTINS = frozenset({"getattr", "hasattr", "setattr", "delattr"})
_NAMESPACE_BUILTINS = frozenset({"globals", "eval", "exec"})
_GETTERS = frozenset({"attrgetter", "methodcaller"})
_IMPORTERS = frozenset({"import_module", "__import__"})
_FORMAT_ATTRIBUTES = re.compile(r"\{\w*((?:\.[A-Za-z_]\w*)+)")
_SKIPPED = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


class Reader:
    """Reads nodes into tokens and references; one for each part."""

    def __init__(self, scopes: tuple[Scope, ...], prefix: str, define: Define) -> None:
        self.scopes = scopes
        self.prefix = prefix
        self._define = define
        self._renameable = scopes[-1].renameable() if scopes else frozenset()
        self._renamed: dict[str, str] = {}
        self._targets: list[set[str]] = []
        self._tokens: list[str] = []
        self._chains: dict[tuple[str, ...], Chain] = {}
        self._imports: dict[tuple[int, str, tuple[str, ...]], ImportReference] = {}
        self._attributes: dict[str, int] = {}
        self._dynamics: dict[tuple[object, ...], Dynamic] = {}

    @property
    def enclosing(self) -> tuple[Scope, ...]:
        """The scopes around a definition met now, comprehensions included."""
        inner = []
        for targets in self._targets:
            scope = Scope()
            scope.parameters.update(targets)
            inner.append(scope)
        return (*self.scopes, *inner)

    # -- what comes out -------------------------------------------------------------------------

    def part(self, line: int, end_line: int) -> Part:
        """Everything read so far, as a part that stands at these lines."""
        content = "\0".join(self._tokens).encode("utf-8", "surrogatepass")
        references = References(
            tuple(self._chains.values()),
            tuple(self._imports.values()),
            tuple(self._attributes.items()),
            tuple(self._dynamics.values()),
        )
        return Part(digest_bytes(content), references, line, end_line)

    def absorb(self, parts: Iterable[Part]) -> None:
        """Count nested definitions as part of this one, by digest and references."""
        for part in parts:
            self._tokens.append(part.digest.hex())
            self._add_references(part.references)

    def _add_references(self, references: References) -> None:
        for chain in references.chains:
            self._add_chain(chain.names, chain.line, chain.opaque)
        for reference in references.imports:
            self._imports.setdefault(reference[:3], reference)
        for name, line in references.attributes:
            self._attributes.setdefault(name, line)
        for dynamic in references.dynamics:
            self._dynamics.setdefault(dynamic[:4], dynamic)

    # -- reading --------------------------------------------------------------------------------

    def read_all(self, nodes: Iterable[ast.AST | None]) -> None:
        """Read several nodes, as one delimited list."""
        self._tokens.append("[")
        for node in nodes:
            if node is None:
                self._tokens.append("-")
            else:
                self.read(node)
        self._tokens.append("]")

    def read(self, node: ast.AST) -> None:
        """Read one node and all that is under it."""
        special = _SPECIAL.get(type(node))
        if special is None:
            self._read_fields(node)
        else:
            special(self, node)

    def word(self, text: str) -> None:
        """Add a token as it is."""
        self._tokens.append(text)

    def _read_fields(self, node: ast.AST) -> None:
        tokens = self._tokens
        tokens.append("(" + type(node).__name__)
        for field in node._fields:
            if field in _SKIPPED:
                continue
            value = getattr(node, field, None)
            if isinstance(value, ast.AST):
                self.read(value)
            elif isinstance(value, list):
                self._read_list(value)
            else:
                tokens.append(repr(value))
        tokens.append(")")

    def _read_list(self, values: list[Any]) -> None:
        self._tokens.append("[")
        for value in values:
            if isinstance(value, ast.AST):
                self.read(value)
            else:
                self._tokens.append(repr(value))
        self._tokens.append("]")

    def _read_constant(self, node: ast.Constant) -> None:
        # The type is written out too: 1, True and 1.0 are different constants.
        value = node.value
        self._tokens.append(f"{type(value).__name__} {value!r}")
        if type(value) is str and "{" in value and "." in value:
            # A format string asks for attributes: "{0.name}".
            for names in _FORMAT_ATTRIBUTES.findall(value):
                for name in names[1:].split("."):
                    self._ask(name, node.lineno, None)

    def _read_name(self, node: ast.Name) -> None:
        name = node.id
        if name in self._renameable:
            self._tokens.append(self._renamed.setdefault(name, f"%{len(self._renamed)}"))
            return
        self._tokens.append("." + name)
        if isinstance(node.ctx, ast.Load):
            self._refer((name,), node.lineno, opaque=True)

    def _read_attribute(self, node: ast.Attribute) -> None:
        names = chain_of(node)
        if names is None:
            self.read(node.value)
            self._tokens.append("." + node.attr)
            self._ask(node.attr, node.lineno, node.value)
            return
        root = names[0]
        self._tokens.append("." + ".".join((self._renamed_root(root), *names[1:])))
        if not self._refer(names, node.lineno, opaque=True):
            for name in names[1:]:
                self._ask(name, node.lineno, None)
        else:
            self._note_special(names, node)

    def _note_special(self, names: tuple[str, ...], node: ast.Attribute) -> None:
        for name in names[1:]:
            if name in REFLECTION or name in ("__dict__", "__subclasses__"):
                self._ask(name, node.lineno, node.value)

    def _renamed_root(self, root: str) -> str:
        if root in self._renameable:
            return self._renamed.setdefault(root, f"%{len(self._renamed)}")
        return root

    def _ask(self, name: str, line: int, owner: ast.expr | None) -> None:
        self._attributes.setdefault(name, line)
        if name == "__subclasses__":
            self._dynamic("subclasses", None, ("", ""), line)
        elif name == "__dict__":
            self._dynamic("attribute", owner, ("", ""), line)

    # -- names ----------------------------------------------------------------------------------

    def _refer(self, names: tuple[str, ...], line: int, opaque: bool) -> bool:
        """Note a reference to a chain; False where its root is a local object."""
        root = names[0]
        if any(root in targets for targets in self._targets):
            return False
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.is_class and depth:
                continue
            if root in scope.declared_global:
                break
            if not scope.binds(root):
                continue
            if scope.is_class:
                self._attributes.setdefault(root, line)
                break
            return self._refer_imported(scope, names, line)
        self._add_chain(names, line, opaque)
        self._note_reflection(names, line)
        return True

    def _refer_imported(self, scope: Scope, names: tuple[str, ...], line: int) -> bool:
        targets = scope.import_targets(names[0])
        for target in targets:
            first = (target.attribute,) if target.attribute else ()
            attributes = first + names[1:]
            key = (target.level, target.module, attributes)
            self._imports.setdefault(key, ImportReference(*key, line))
        return bool(targets)

    def _add_chain(self, names: tuple[str, ...], line: int, opaque: bool) -> None:
        known = self._chains.get(names)
        if known is None:
            self._chains[names] = Chain(names, line, opaque)
        elif opaque and not known.opaque:
            self._chains[names] = known._replace(opaque=True)

    def _note_reflection(self, names: tuple[str, ...], line: int) -> None:
        last = names[-1]
        if last in REFLECTION:
            self._attributes.setdefault(last, line)
        elif last in _NAMESPACE_BUILTINS:
            self._dynamic("namespace", None, ("", ""), line)
        elif last in _ATTRIBUTE_BUILTINS or last in _GETTERS:
            # Only where it is not called, or called with a computed name: see `_read_call`.
            self._dynamic("attribute", None, ("", ""), line)
        elif last in _IMPORTERS:
            self._dynamic("import", None, ("", ""), line)
        elif names[-2:] == ("sys", "modules") or names == ("modules",):
            self._dynamic("modules", None, ("", ""), line)

    def _dynamic(
        self, kind: str, target: ast.expr | None, pattern: tuple[str, str], line: int
    ) -> None:
        chain = () if target is None else self._global_chain(target)
        key = (kind, chain, *pattern)
        self._dynamics.setdefault(key, Dynamic(kind, chain, *pattern, line))

    def _global_chain(self, node: ast.expr) -> tuple[str, ...]:
        """The chain of an expression rooted in a global name, or ()."""
        names = chain_of(node)
        if names is None or any(names[0] in targets for targets in self._targets):
            return ()
        bound = any(scope.binds(names[0]) for scope in self.scopes)
        return () if bound else names

    # -- calls ----------------------------------------------------------------------------------

    def _read_call(self, node: ast.Call) -> None:
        self._tokens.append("(Call")
        names = chain_of(node.func)
        last = names[-1] if names else ""
        if last == "print" and any(k.arg in ("file", None) for k in node.keywords):
            self._ask("write", node.lineno, None)
            self._ask("flush", node.lineno, None)
        if names and self._read_dynamic_call(node, last):
            self._tokens.append("." + ".".join(names))
            self._read_subject(node)
            return
        if names and is_plain_call(node) and self._is_global(names[0]):
            self._tokens.append("." + ".".join(names))
            self._refer(names, node.lineno, opaque=False)
            if isinstance(node.func, ast.Attribute):
                self._note_special(names, node.func)
        else:
            self.read(node.func)
        self.read_all(node.args)
        self.read_all(node.keywords)
        self._tokens.append(")")

    def _read_subject(self, node: ast.Call) -> None:
        """Read the arguments of an understood lookup; its first one does not escape by it."""
        subject, *others = node.args
        names = self._global_chain(subject)
        if names:
            self._tokens.append("." + ".".join(names))
        else:
            self.read(subject)
        self.read_all(others)
        self.read_all(node.keywords)
        self._tokens.append(")")

    def _is_global(self, name: str) -> bool:
        if any(name in targets for targets in self._targets):
            return False
        return not any(scope.binds(name) for scope in self.scopes)

    def _read_dynamic_call(self, node: ast.Call, last: str) -> bool:
        """Handle a call that looks a name up; False where it is not one, or not understood."""
        if last in _ATTRIBUTE_BUILTINS and len(node.args) >= 2:
            self._look_up(node.args[0], string_pattern(node.args[1]), node.lineno)
        elif last in _GETTERS and node.args:
            wanted = node.args[:1] if last == "methodcaller" else node.args
            for argument in wanted:
                self._look_up(None, string_pattern(argument), node.lineno)
        elif last in _IMPORTERS and node.args:
            self._import(string_pattern(node.args[0]), node.lineno)
        elif last in ("vars", "dir") and node.args:
            self._dynamic("attribute", node.args[0], ("", ""), node.lineno)
        else:
            return False
        self._note_root(node.func)
        return True

    def _note_root(self, func: ast.expr) -> None:
        names = chain_of(func)
        if names and self._is_global(names[0]):
            self._add_chain(names, func.lineno, opaque=True)

    def _look_up(self, owner: ast.expr | None, pattern: str | tuple[str, str], line: int) -> None:
        if isinstance(pattern, tuple):
            self._dynamic("attribute", owner, pattern, line)
            return
        names = self._global_chain(owner) if owner is not None else ()
        steps = tuple(pattern.split("."))
        if names:
            self._add_chain(names + steps, line, opaque=True)
        for step in steps:
            self._ask(step, line, owner)

    def _import(self, pattern: str | tuple[str, str], line: int) -> None:
        if isinstance(pattern, tuple):
            self._dynamic("import", None, pattern, line)
            return
        level = len(pattern) - len(pattern.lstrip("."))
        key = (level, pattern[level:], ())
        self._imports.setdefault(key, ImportReference(*key, line))

    def _read_subscript(self, node: ast.Subscript) -> None:
        names = chain_of(node.value)
        index = string_pattern(node.slice)
        known = names is not None and isinstance(index, str)
        if known and names is not None and names[-2:] == ("sys", "modules"):
            assert isinstance(index, str)
            self._import(index, node.lineno)
            self._tokens.append(f"(sys.modules {index!r})")
            return
        self._read_fields(node)

    # -- statements and scopes ------------------------------------------------------------------

    def _read_definition(self, node: DefinitionNode) -> None:
        if not isinstance(node, ast.Lambda):
            self._tokens.append("def " + node.name)
        else:
            self._tokens.append("lambda")
        self.absorb(self._define(node, self))

    def _read_comprehension(self, node: Comprehension) -> None:
        # The first iterable is evaluated outside the comprehension's own scope.
        self._tokens.append("(" + type(node).__name__)
        first, *_ = node.generators
        self.read(first.iter)
        self._targets.append(comprehension_targets(node))
        self._read_generators(node.generators)
        if isinstance(node, ast.DictComp):
            self.read_all((node.key, node.value))
        else:
            self.read(node.elt)
        self._targets.pop()
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
        if node.value is None:
            return
        self._tokens.append("(Assign")
        self.read_all((node.target,))
        self.read(node.value)
        self._tokens.append(")")

    def _read_augmented(self, node: ast.AugAssign) -> None:
        # The target is read as well as written.
        self._read_fields(node)
        if isinstance(node.target, ast.Name):
            self._refer((node.target.id,), node.lineno, opaque=True)

    def _read_import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        self._read_fields(node)
        for level, module, attribute in imported_by(node):
            attributes = (attribute,) if attribute else ()
            key = (level, module, attributes)
            self._imports.setdefault(key, ImportReference(*key, node.lineno))

    def _read_statement(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self._read_fields(node)


def imported_by(node: ast.Import | ast.ImportFrom) -> list[tuple[int, str, str]]:
    """Return (level, module, attribute) for everything that an import statement imports."""
    if isinstance(node, ast.Import):
        return [(0, alias.name, "") for alias in node.names]
    return [(node.level, node.module or "", alias.name) for alias in node.names]


def chain_of(node: ast.AST) -> tuple[str, ...] | None:
    """Return `("a", "b", "c")` for `a.b.c`, and None for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return (node.id, *reversed(attributes))


def is_plain_call(node: ast.Call) -> bool:
    """Whether a call passes nothing but constants, so that no object reaches what it calls."""
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    return all(isinstance(argument, ast.Constant) for argument in arguments)


def string_pattern(node: ast.AST) -> str | tuple[str, str]:
    """Return the string an expression gives, or the known (beginning, end) of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in OWN_NAMES:
        return OWN_NAMES[node.id]
    if isinstance(node, ast.FormattedValue):
        is_bare = node.conversion == -1 and node.format_spec is None
        return string_pattern(node.value) if is_bare else ("", "")
    if isinstance(node, ast.JoinedStr):
        pieces = [string_pattern(value) for value in node.values]
        return _joined(pieces)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([string_pattern(node.left), string_pattern(node.right)])
    return ("", "")


def _joined(pieces: list[str | tuple[str, str]]) -> str | tuple[str, str]:
    prefix = ""
    for position, piece in enumerate(pieces):
        if isinstance(piece, tuple):
            prefix += piece[0]
            return prefix, _ending(pieces[position:])
        prefix += piece
    return prefix


def _ending(pieces: list[str | tuple[str, str]]) -> str:
    suffix = ""
    for piece in reversed(pieces):
        if isinstance(piece, tuple):
            return piece[1] + suffix
        suffix = piece + suffix
    return suffix


_SPECIAL: dict[type, Callable[[Reader, Any], None]] = {
    ast.Constant: Reader._read_constant,
    ast.Name: Reader._read_name,
    ast.Attribute: Reader._read_attribute,
    ast.Call: Reader._read_call,
    ast.Subscript: Reader._read_subscript,
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
}
