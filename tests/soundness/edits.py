"""Edits: ways to change one definition, as replacements in the text of its file.

Owns what can be done to a function, a value, a class or a module, and which of it cannot matter.
Refuses to choose among it, and to know whether what is edited ever runs.

An edit of a kind in `INERT` cannot change what a program does, unless the program reads its own
source, docstrings or names; whether it does is seen by running it.
"""

import ast
import builtins
import importlib
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from tests.soundness.definitions import FUNCTIONS, Definition, Parsed

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Replacement(NamedTuple):
    """New text in place of the bytes from `start` to `end` of a file."""

    start: int
    end: int
    new: str


class Edit(NamedTuple):
    """One way to edit a definition."""

    kind: str
    replacements: tuple[Replacement, ...]


INERT = frozenset(
    {"comment", "docstring", "new function", "new import", "new constant", "new method", "reorder"}
)
"""The kinds of edits that cannot matter."""


def apply(text: str, edit: Edit) -> str:
    """Return the text with the edit made."""
    content = text.encode()
    for start, end, new in sorted(edit.replacements, reverse=True):
        content = content[:start] + new.encode() + content[end:]
    return content.decode()


# -- inside a function or a value ------------------------------------------------------------------


def edits_inside(definition: Definition) -> Iterator[Edit]:
    """Yield edits of a function's body and header, or of the value of an assignment."""
    node = definition.node
    if not isinstance(node, FUNCTIONS):
        yield from _expressions(definition.file, [node], "value")
        return
    yield from _expressions(definition.file, node.body, "body")
    defaults = [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
    yield from _expressions(definition.file, defaults, "default")
    yield from _expressions(definition.file, node.decorator_list, "decorator")
    yield from _statements(definition.file, node)


def _expressions(file: Parsed, roots: Iterable[ast.AST], where: str) -> Iterator[Edit]:
    untouched = set[int]()
    for root in roots:
        untouched |= _not_evaluated(root)
        for node in ast.walk(root):
            if id(node) not in untouched:
                for what, place, new in _changed(node):
                    yield Edit(f"{where}: {what}", (_replaced(file, place, new),))


def _not_evaluated(root: ast.AST) -> set[int]:
    """The nodes below that are docstrings, annotations, or parts of f-strings."""
    found = set[int]()
    for node in ast.walk(root):
        annotations = [getattr(node, name, None) for name in ("annotation", "returns")]
        within = [node] if isinstance(node, ast.JoinedStr) else filter(None, annotations)
        found.update(id(inner) for tree in within for inner in ast.walk(tree))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))
    return found


_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


_OTHERS = {
    "abs": "int",
    "all": "any",
    "any": "all",
    "float": "int",
    "int": "float",
    "list": "tuple",
    "max": "min",
    "min": "max",
    "repr": "str",
    "sorted": "list",
    "str": "repr",
    "tuple": "list",
}
"""Builtins, and another one that takes the same."""


def _changed(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """Yield what can be done to one node: a name for it, what is replaced, and the new text."""
    if isinstance(node, ast.Constant):
        new = _other_constant(node)
        if new:
            yield "constant", node, new
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _OTHERS:
        yield "another builtin", node, _OTHERS[node.id]
    elif isinstance(node, (ast.If, ast.IfExp)):
        yield "condition", node.test, f"(not ({ast.unparse(node.test)}))"
    elif isinstance(node, ast.Return) and ast.unparse(node) not in ("return", "return None"):
        yield "return None", node, "return None"
    elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in _SWAPS:
        fields = {**dict(ast.iter_fields(node)), "op": _SWAPS[type(node.op)]()}
        yield "operator", node, f"({ast.unparse(type(node)(**fields))})"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
        ops = [_SWAPS[type(node.ops[0])](), *node.ops[1:]]
        new = ast.unparse(ast.Compare(node.left, ops, node.comparators))
        yield "comparison", node, f"({new})"


def _other_constant(node: ast.Constant) -> str:
    if isinstance(node.value, bool):
        return repr(not node.value)
    if isinstance(node.value, (int, float)):
        return f"({node.value!r} + 1)"
    if node.lineno == node.end_lineno and isinstance(node.value, str):
        return repr(node.value + "q")
    if node.lineno == node.end_lineno and isinstance(node.value, bytes):
        return repr(node.value + b"q")
    return ""


def _statements(file: Parsed, function: Function) -> Iterator[Edit]:
    """Yield edits of whole statements of a function."""
    simple = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.Delete)
    for node in ast.walk(function):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, simple) and not is_docstring:
            yield Edit("body: statement removed", (_replaced(file, node, "pass"),))
    first = function.body[0]
    if first.lineno > function.lineno:
        start = file.offset(first.lineno, first.col_offset)
        raising = Replacement(
            start, start, "raise RuntimeError('edited')\n" + " " * first.col_offset
        )
        yield Edit("body: raises", (raising,))


# -- classes ---------------------------------------------------------------------------------------


_PROTOCOL = {
    "__len__": "0",
    "__bool__": "False",
    "__eq__": "True",
    "__iter__": "iter(())",
    "__getattr__": "None",
    "__getattribute__": "None",
}


def edits_of_class(definition: Definition) -> Iterator[Edit]:
    """Yield edits of a class as a whole."""
    node, file = definition.node, definition.file
    assert isinstance(node, ast.ClassDef)
    if _is_on_one_line(node):
        return
    for method in node.body:
        if isinstance(method, FUNCTIONS) and len(node.body) > 1:
            yield Edit("class: method removed", (_replaced(file, method, "pass", whole=True),))
    for name in _inherited(definition):
        for new in (f"return super().{name}(*args, **kwargs)", "return None"):
            override = f"def {name}(self, *args, **kwargs): {new}"
            yield Edit("class: method overridden", (_first_in_class(file, node, override),))
    for name, value in _PROTOCOL.items():
        added = f"def {name}(self, *args): return {value}"
        yield Edit("class: protocol method added", (_first_in_class(file, node, added),))
    for base in node.bases:
        if isinstance(base, (ast.Name, ast.Attribute)):
            yield Edit("class: base replaced", (_replaced(file, base, "object"),))
    yield from _swapped_values(file, node)


def _inherited(definition: Definition) -> list[str]:
    """The methods of bases in the same file that a class does not define."""
    node = definition.node
    assert isinstance(node, ast.ClassDef)
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    own = {each.name for each in node.body if isinstance(each, FUNCTIONS)}
    found = [
        method.name
        for other in definition.file.tree.body
        if isinstance(other, ast.ClassDef) and other.name in bases
        for method in other.body
        if isinstance(method, FUNCTIONS) and not method.decorator_list
    ]
    return [name for name in found if name not in own and not name.startswith("__init_")]


def _swapped_values(file: Parsed, node: ast.ClassDef) -> Iterator[Edit]:
    for one, other in pairwise(node.body):
        if isinstance(one, ast.Assign) and isinstance(other, ast.Assign):
            first = _replaced(file, one, ast.unparse(other))
            yield Edit("class: values swapped", (first, _replaced(file, other, ast.unparse(one))))


# -- modules ---------------------------------------------------------------------------------------


def edits_of_module(file: Parsed) -> Iterator[Edit]:
    """Yield edits of a module as a whole: what it binds, imports and says."""
    yield from _shadowed(file)
    yield from _imports(file)
    yield from _removed(file)


def _shadowed(file: Parsed) -> Iterator[Edit]:
    """Yield modules with a new binding that shadows a builtin function that they call."""
    used = {
        node.func.id
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    for name in sorted(used):
        known = getattr(builtins, name, None)
        if callable(known) and not isinstance(known, type):
            new = f"\n\ndef {name}(*args, **kwargs): return None\n"
            yield Edit("module: builtin shadowed", (_appended(file, new),))


def _imports(file: Parsed) -> Iterator[Edit]:
    for node in file.tree.body:
        if not isinstance(node, ast.ImportFrom) or node.module == "__future__":
            continue
        names = node.names
        for one, other in pairwise(names):
            if one.name != "*":
                swapped = [ast.alias(one.name, other.asname or other.name)]
                swapped += [ast.alias(other.name, one.asname or one.name)]
                kept = [each for each in names if each not in (one, other)]
                new = ast.unparse(ast.ImportFrom(node.module, [*swapped, *kept], node.level))
                yield Edit("module: imports swapped", (_replaced(file, node, new),))
        bound = names[0].asname or names[0].name
        if other_name := _other_of_library(node.module or "", names[0].name):
            changed = [ast.alias(other_name, bound), *names[1:]]
            new = ast.unparse(ast.ImportFrom(node.module, changed, node.level))
            yield Edit("module: another import", (_replaced(file, node, new),))
        if bound != "*":
            new = f"{ast.unparse(node)}\n{bound} = None"
            yield Edit("module: import rebound", (_replaced(file, node, new),))


def _other_of_library(module: str, name: str) -> str:
    """Another function of a module of the standard library; nothing where there is none."""
    if module.partition(".")[0] not in sys.stdlib_module_names:
        return ""
    try:
        found = vars(importlib.import_module(module))
    except ImportError:  # one of another platform
        return ""
    kind = type(found.get(name))
    public = [each for each in sorted(found) if each[0] != "_" and type(found[each]) is kind]
    return public[(public.index(name) + 1) % len(public)] if name in public else ""


def _removed(file: Parsed) -> Iterator[Edit]:
    for node in file.tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, (ast.Expr, ast.AugAssign, ast.For)) and not is_docstring:
            yield Edit("module: statement removed", (_replaced(file, node, "pass"),))
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            removed = _replaced(file, node, "pass", whole=True)
            yield Edit("module: definition removed", (removed,))


# -- what cannot matter ----------------------------------------------------------------------------


def inert_edits(file: Parsed) -> Iterator[Edit]:
    """Yield edits that cannot change what the program does."""
    at = _after_imports(file)
    inserted = {
        "comment": "# a comment of an edit\n\n",
        "new function": "def unused_function_of_an_edit(x):\n    return x + 1\n\n\n",
        "new import": "import colorsys as unused_import_of_an_edit\n",
        "new constant": "UNUSED_CONSTANT_OF_AN_EDIT = 7\n",
    }
    for kind, text in inserted.items():
        yield Edit(kind, (Replacement(at, at, text),))
        yield Edit(kind, (_appended(file, f"\n{text}"),))
    for node in ast.walk(file.tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield from _said(file, node)
        if isinstance(node, ast.ClassDef) and not _is_on_one_line(node):
            unused = "def unused_method_of_an_edit(self): return 1"
            yield Edit("new method", (_first_in_class(file, node, unused),))
    yield from _reordered(file)


def _said(file: Parsed, node: Function | ast.ClassDef) -> Iterator[Edit]:
    """Yield edits of comments and docstrings."""
    first = node.body[0]
    if _is_on_one_line(node):
        return
    start = file.offset(first.lineno, first.col_offset)
    indent = " " * first.col_offset
    yield Edit("comment", (Replacement(start, start, f"# a comment of an edit\n\n{indent}"),))
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        if len(node.body) > 1 and isinstance(first.value.value, str):
            yield Edit("docstring", (_replaced(file, first, repr("An edited docstring.")),))
    else:
        added = f'"""A docstring of an edit."""\n{indent}'
        yield Edit("docstring", (Replacement(start, start, added),))


def _reordered(file: Parsed) -> Iterator[Edit]:
    """Yield modules in which two neighbouring functions, which evaluate nothing, change places."""
    for one, other in pairwise(file.tree.body):
        names = [getattr(each, "name", "") for each in (one, other)]
        if _evaluates_nothing(one) and _evaluates_nothing(other) and names[0] != names[1]:
            first, second = _span(file, one), _span(file, other)
            texts = [file.text.encode()[slice(*span)].decode() for span in (first, second)]
            swap = (Replacement(*first, texts[1]), Replacement(*second, texts[0]))
            yield Edit("reorder", swap)


def _evaluates_nothing(node: ast.stmt) -> bool:
    if not isinstance(node, FUNCTIONS) or node.decorator_list or node.returns:
        return False
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    parameters += [each for each in (arguments.vararg, arguments.kwarg) if each]
    annotated = any(each.annotation for each in parameters)
    return not (annotated or arguments.defaults or any(arguments.kw_defaults))


def _after_imports(file: Parsed) -> int:
    """The offset of the first statement that is neither a docstring nor an import."""
    for node in file.tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (is_docstring or isinstance(node, (ast.Import, ast.ImportFrom))):
            decorators = getattr(node, "decorator_list", [])
            first = min([node, *decorators], key=lambda each: each.lineno)
            return file.offset(first.lineno, 0)
    return len(file.text.encode())


# -- places ----------------------------------------------------------------------------------------


def _span(file: Parsed, node: ast.AST, *, whole: bool = False) -> tuple[int, int]:
    """From where to where a node stands; `whole` includes the decorators."""
    line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
    decorators = getattr(node, "decorator_list", []) if whole else []
    if decorators:
        line = min(each.lineno for each in decorators)
    end: tuple[int, int] = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
    return file.offset(line, column), file.offset(*end)


def _replaced(file: Parsed, node: ast.AST, new: str, *, whole: bool = False) -> Replacement:
    if "\n" in new and isinstance(node, ast.stmt):
        new = new.replace("\n", "\n" + " " * node.col_offset)
    return Replacement(*_span(file, node, whole=whole), new)


def _appended(file: Parsed, new: str) -> Replacement:
    end = len(file.text.encode())
    return Replacement(end, end, new if file.text.endswith("\n") else f"\n{new}")


def _is_on_one_line(node: Function | ast.ClassDef) -> bool:
    return node.body[0].lineno == node.lineno


def _first_in_class(file: Parsed, node: ast.ClassDef, line: str) -> Replacement:
    """A line in front of what a class says after its docstring."""
    body = node.body
    has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    after = body[1] if has_docstring and len(body) > 1 else body[0]
    decorators = getattr(after, "decorator_list", [])
    first = min([after, *decorators], key=lambda each: each.lineno)
    start = file.offset(first.lineno, 0)
    return Replacement(start, start, f"{' ' * after.col_offset}{line}\n")
