"""Patterns: what can be told from an expression about the name it stands for.

Owns chains (`a.b.c`), and strings that are known in whole or in part. Refuses to know scopes.
"""

import ast
import re

from hitsave.code.definition import GET, Key
from hitsave.code.names import OWN_NAMES, Names, Pattern, is_encodable

UNKNOWN = ("", "")

_LARGE = 1 << 63
_WORDS = re.compile(r"[^\W\d]\w*")


def chain_of(node: ast.AST) -> tuple[str, ...] | None:
    """Return `("a", "b", "c")` for `a.b.c`, and None for anything else."""
    if type(node) is ast.Name:
        return (node.id,)
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return (node.id, *reversed(attributes))


def chain_at_root(node: ast.AST) -> tuple[str, ...] | None:
    """Return the longest chain that an expression begins with: `("a", "b")` for `a.b[0].c`."""
    while True:
        names = chain_of(node)
        if names is not None:
            return names
        if not isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
            return None
        node = node.value


def chain_before(node: ast.expr) -> Names | None:
    """Return the chain that an expression begins with, through items and calls: that of `a.b().c`.

    None where it begins with anything else.
    """
    while (names := chain_at_root(node)) is None:
        if not isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
            return None
        node = node.func if isinstance(node, ast.Call) else node.value
    return names


def is_plain_call(node: ast.Call) -> bool:
    """Whether a call passes nothing but constants, so that no object reaches what it calls."""
    if any(not isinstance(argument, ast.Constant) for argument in node.args):
        return False
    return all(isinstance(keyword.value, ast.Constant) for keyword in node.keywords)


def item_of(node: ast.AST) -> tuple[Names, tuple[Key, ...]] | None:
    """Return the chain and the keys of an expression that reads one item of what a chain gives.

    `("a", "b"), ("k", 0)` for `a.b["k"][0]`, and `("a", "get"), ("k",)` for `a.get("k")`, which
    reads an item only where `a` is a mapping. None for anything else.
    """
    keys: list[Key] = []
    is_get = False
    while (step := _step_of(node)) is not None:
        is_get = isinstance(node, ast.Call)
        node, key = step
        if key is None:
            return None
        keys.append(key)
    names = chain_of(node) if keys else None
    if names is None or (names[-1] == GET and not is_get):
        return None
    return (*names, GET) if is_get else names, tuple(reversed(keys))


def _step_of(node: ast.AST) -> tuple[ast.expr, Key | None] | None:
    """Return what `x[key]` or `x.get(key)` reads of, and the key; None for anything else."""
    if isinstance(node, ast.Subscript):
        return node.value, _key_of(node.slice)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr != GET or node.keywords or len(node.args) not in (1, 2):
        return None
    # A default that is no constant is an object that may be handed to something else than `dict`.
    return (node.func.value, _key_of(node.args[0])) if is_plain_call(node) else None


def _key_of(node: ast.expr) -> Key | None:
    """Return a key that can be told, and kept in a record; None for any other."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _key_of(node.operand)
        return -number if isinstance(number, int) else None
    if not isinstance(node, ast.Constant):
        return None
    value = node.value
    if type(value) is int:
        return value if value < _LARGE else None
    return value if type(value) is str and is_encodable(value) else None


def imported_by(node: ast.Import | ast.ImportFrom) -> list[tuple[int, str, str]]:
    """Return (level, module, attribute) for everything that an import statement imports."""
    if isinstance(node, ast.Import):
        return [(0, alias.name, "") for alias in node.names]
    return [(node.level, node.module or "", alias.name) for alias in node.names]


def words_in(text: str) -> set[str]:
    """Return everything in a text that could be a name."""
    return set(_WORDS.findall(text))


def string_pattern(node: ast.AST) -> Pattern:
    """Return the string an expression gives, or the known (beginning, end) of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if is_encodable(node.value) else UNKNOWN
    if isinstance(node, ast.Name) and node.id in OWN_NAMES:
        return OWN_NAMES[node.id]
    if isinstance(node, ast.FormattedValue):
        is_bare = node.conversion == -1 and node.format_spec is None
        return string_pattern(node.value) if is_bare else UNKNOWN
    if isinstance(node, ast.JoinedStr):
        return _joined([string_pattern(value) for value in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([string_pattern(node.left), string_pattern(node.right)])
    return UNKNOWN


def module_pattern(node: ast.Call) -> Pattern:
    """Return the name of the module that `import_module(name, package)` imports."""
    name = string_pattern(node.args[0])
    is_relative = (name if isinstance(name, str) else name[0]).startswith(".")
    package = _package_of(node)
    if not is_relative or package is None:
        return name
    base = string_pattern(package)
    if base == OWN_NAMES["__package__"]:
        return name
    return _joined([base, name]) if _is_one_level(name) else (UNKNOWN[0], _joined(["", name])[1])


def _is_one_level(name: Pattern) -> bool:
    text = name if isinstance(name, str) else name[0]
    return len(text) > 1 and text[1] != "."


def _package_of(node: ast.Call) -> ast.expr | None:
    if len(node.args) > 1:
        return node.args[1]
    return next((k.value for k in node.keywords if k.arg == "package"), None)


def _joined(pieces: list[Pattern]) -> Pattern:
    prefix = ""
    for position, piece in enumerate(pieces):
        if isinstance(piece, tuple):
            prefix += piece[0]
            return prefix, _ending(pieces[position:])
        prefix += piece
    return prefix


def _ending(pieces: list[Pattern]) -> str:
    suffix = ""
    for piece in reversed(pieces):
        if isinstance(piece, tuple):
            return piece[1] + suffix
        suffix = piece + suffix
    return suffix
