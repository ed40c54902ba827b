"""Origin: which of the definitions in a source something comes from.

Owns the choice among several of one name: for a live class, and for the name in a symbol. Refuses
to follow names; that is the resolver's.
"""

from types import FunctionType

from hitsave.code.definition import ClassDefinition, FunctionDefinition
from hitsave.code.project import Module
from hitsave.raw import class_name, names_of_class


def definition_named(module: Module, label: str) -> FunctionDefinition | None:
    """Return the function that goes by `label` in the symbols of a module."""
    functions = module.record.functions if module.record else {}
    names = [label.partition("#")[0]]
    if "<lambda>" in label:
        names = [name for name in functions if "<lambda>" in name]
    for name in names:
        for definition in functions.get(name, ()):
            if definition.label == label:
                return definition
    return None


def same_class(found: tuple[ClassDefinition, ...], cls: type) -> ClassDefinition | None:
    """Choose among classes of one name: by line from Python 3.13, else by what they define."""
    if len(found) == 1:
        return found[0]
    own = names_of_class(cls)
    line = own.get("__firstlineno__")
    lines = _lines_of_methods(cls)
    for definition in found:
        if definition.first_line == line:
            return definition
    for definition in found:
        if any(definition.first_line <= line <= definition.end_line for line in lines):
            return definition
    for definition in found:
        if all(binding.name in own for binding in definition.bindings):
            return definition
    return found[-1] if found else None


def _lines_of_methods(cls: type) -> list[int]:
    """The lines of the functions that the statement of a class defined."""
    prefix = f"{class_name(cls)[1]}."
    codes = [
        value.__code__ for value in names_of_class(cls).values() if type(value) is FunctionType
    ]
    return [code.co_firstlineno for code in codes if code.co_qualname.startswith(prefix)]
