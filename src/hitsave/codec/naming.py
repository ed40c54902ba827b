"""Names of live objects, read without running anybody's code.

Owns how a class's or function's own name is found. Refuses to decide what is project code.
"""

import sys

from hitsave.errors import NotDigestibleError
from hitsave.raw import class_name, is_class, namespace_of


def type_label(value: object) -> str:
    """Return the name of the type of `value` as people write it."""
    module, name = class_name(type(value))
    return name if module == "builtins" else f"{module}.{name}"


def module_name(value: object) -> str:
    """Return the name of the module that a class or function is of, or that a module has."""
    if is_class(value):
        return class_name(value)[0]
    names = namespace_of(value)
    found = getattr(value, "__module__", None) if names is None else names.get("__name__")
    return found if type(found) is str else ""


def is_loaded_as(module: str, name: str, value: object) -> bool:
    """Whether `value` is what the loaded module `module` calls `name`."""
    names = namespace_of(sys.modules.get(module))
    return names is not None and names.get(name) is value


def external_name(module: object, name: object) -> str:
    """Return `module:name`, the name of an object that does not belong to the project.

    Raises NotDigestibleError for what is defined inside a function: its name says too little.
    """
    text = f"{module}:{name}"
    if type(module) is not str or not module or "<" in text.replace("<frozen ", ""):
        raise NotDigestibleError(
            f"{text} is defined inside a function outside the project, so it has no lasting name.",
            "Leave it out with ignore, or pass a function of a module.",
        )
    return text
