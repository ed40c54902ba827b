"""Classes by name: how a stored result says which class a part of it is of.

Owns the path of a class (`module:Qualified.Name`), and what that path leads to when it is read.
Refuses classes that a path does not lead back to, and to import on behalf of bytes that are not
trusted.
"""

import sys
from importlib import import_module
from typing import Any

from hitsave.codec.format import NotStorableError
from hitsave.errors import DamagedError
from hitsave.raw import class_name, is_class, named_in, namespace_of

_MAIN = "__main__"


def class_path(kind: type) -> str:
    """Return the path of `kind`. Raises NotStorableError where it does not lead back to `kind`."""
    module, name = class_name(kind)
    if _named(module, name) is not kind:
        raise NotStorableError
    return f"{main_name() if module == _MAIN else module}:{name}"


def main_name() -> str:
    """Return what the main module is called: there is one in every process, each another."""
    main = sys.modules.get(_MAIN)
    spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    # `os.path` would do the same; what is wanted is a name that another script does not have.
    own = spec.name if spec is not None else str(path).replace("\\", "/").rpartition("/")[2]
    return f"{_MAIN}/{own}"


def find_class(path: str, importing: bool) -> type:
    """Return the class that `path` leads to; with `importing`, its module may be imported for it.

    Raises DamagedError where there is none now.
    """
    module, _, name = path.partition(":")
    if module.startswith(_MAIN):
        module = _MAIN if module == main_name() else ""
    elif importing and module not in sys.modules:
        import_module(module)
    found = _named(module, name)
    if not is_class(found) or class_name(found) != (module, name):
        raise DamagedError(
            f"A stored result is of the class {path}, which is not there.",
            "Import the module of the class before the call; it is computed again until then.",
        )
    return found


def _named(module: str, name: str) -> Any:
    """Return what a name leads to in a module, without any code of a class running."""
    return named_in(namespace_of(sys.modules.get(module)) or {}, name)
