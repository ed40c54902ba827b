"""Names that mean more than themselves, and names in texts.

Owns what Python and its library look up by name: attributes, modules, namespaces. Refuses `ast`:
what starting a program needs stands here.
"""

from _string import formatter_field_name_split, formatter_parser  # type: ignore[import-not-found]
from collections.abc import Iterator

Names = tuple[str, ...]
"""A chain: `("a", "b", "c")` for `a.b.c`."""

Pattern = str | tuple[str, str]
"""A string that is known, or the known beginning and end of one."""

OWN_NAMES = {"__name__": "\0name\0", "__package__": "\0package\0"}
"""What stands for a module's own name and package in a pattern: a record knows neither."""

ATTRIBUTE_BUILTINS = frozenset({"getattr", "hasattr", "setattr", "delattr"})
LISTING_BUILTINS = frozenset({"vars", "dir"})
TEXT_BUILTINS = frozenset({"eval", "exec"})
NAMESPACE_BUILTINS = TEXT_BUILTINS | {"globals"}
GETTERS = frozenset({"attrgetter", "methodcaller", "getattr_static", "getmembers"})
UNSEEN_IMPORTERS = frozenset({"run_module"})
"""Those that execute a module without going through what is observed."""
LOADED_IMPORTERS = frozenset({"__import__", "resolve_name"})
"""Those that are not seen to give a module that is loaded already."""
IMPORTERS = UNSEEN_IMPORTERS | LOADED_IMPORTERS | {"import_module"}
SYS = ("sys",)
LOADED = ("sys", "modules")
"""The table of the loaded modules, and what it stands in."""
MODULE_GETTERS = frozenset({"getmodule"})
"""Functions that find a module among the loaded ones."""

ACCESSORS = frozenset().union(
    *(ATTRIBUTE_BUILTINS, LISTING_BUILTINS, NAMESPACE_BUILTINS, GETTERS, IMPORTERS, MODULE_GETTERS)
)
"""What looks something up by a computed name whenever it is called."""

REFLECTION = frozenset(
    {"__doc__", "getdoc", "__annotations__", "get_type_hints", "get_annotations", "signature"}
    | {"getsource", "getsourcelines", "findsource", "getsourcefile", "getclosurevars"}
)
"""Names through which a program reads what otherwise leaves no trace in it."""

SPECIAL_STEPS = {
    "__dict__": "attribute",
    "__getattribute__": "attribute",
    "__getattr__": "attribute",
    "__subclasses__": "subclasses",
    "__globals__": "namespace",
    "f_globals": "namespace",
}
"""Attributes that give access to more than themselves, by the kind of lookup they make."""

NOTABLE = frozenset({"modules"}).union(
    *(ACCESSORS, REFLECTION, SPECIAL_STEPS),
)
"""Every name that means more than itself; most chains have none."""


def is_encodable(text: str) -> bool:
    """Whether a text can be kept in a record: not with half a surrogate pair in it."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def is_builtin(names: Names, builtins: frozenset[str]) -> bool:
    """Whether a chain names one of `builtins`, not a method that happens to be called the same."""
    return names[-1] in builtins and names[:-1] in ((), ("builtins",), ("__builtins__",))


def format_attributes(text: str, levels: int = 2) -> Iterator[str]:
    """Yield the attributes that a format string asks for: "{0.name}", "{rows[0].name:{w.x}}".

    Python formats no deeper than `levels`.
    """
    try:
        for _, field, specification, _ in formatter_parser(text):
            if field is not None:
                _, steps = formatter_field_name_split(field)
                yield from (name for is_attribute, name in steps if is_attribute)
                if levels > 1:
                    yield from format_attributes(specification or "", levels - 1)
    except ValueError:
        return  # from here on it is no format string
