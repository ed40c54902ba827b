"""Names of live objects, read without running anybody's code.

Owns how a class's or function's own name is found. Refuses to decide what is project code.
"""

import sys

from hitsave.errors import NotDigestibleError


def class_name(kind: type) -> tuple[str, str]:
    """Return module and qualified name of `kind`, past any metaclass of the user's."""
    module = type.__getattribute__(kind, "__module__")
    return (module if type(module) is str else "", type.__dict__["__qualname__"].__get__(kind))


def type_label(value: object) -> str:
    """Return the name of the type of `value` as people write it."""
    module, name = class_name(type(value))
    return name if module == "builtins" else f"{module}.{name}"


def is_loaded_as(module: str, name: str, value: object) -> bool:
    """Whether `value` is what the loaded module `module` calls `name`."""
    loaded = sys.modules.get(module)
    return loaded is not None and vars(loaded).get(name) is value


def external_name(module: object, name: object) -> str:
    """Return `module:name`, the name of an object that does not belong to the project.

    Raises NotDigestibleError for what is defined inside a function: its name says too little.
    """
    text = f"{module}:{name}"
    if "<" in text.replace("<frozen ", "") or type(module) is not str:
        raise NotDigestibleError(
            f"{text} is defined inside a function outside the project, so it has no lasting name.",
            "Leave it out with ignore, or pass a function of a module.",
        )
    return text
