"""Digests that the program registered: functions that say what stands for an object.

Owns which function takes which type, by the type or by its name, so that no library is loaded to
be registered for. Refuses the types of plain data, which are hashed without being asked about, and
subclasses: what they add would be left out unseen.
"""

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from hitsave.codec.instances import class_token, refuse_itself
from hitsave.codec.nodes import Context, Node, Opener, field_steps
from hitsave.codec.plain import PLAIN, SCALARS
from hitsave.errors import OptionError
from hitsave.raw import class_name

_by_type: dict[type, Callable[[Any], object]] = {}
_by_name: dict[tuple[str, str], Callable[[Any], object]] = {}


def register_digest(type_or_name: type | str, function: Callable[[Any], object]) -> None:
    """Let `function(object)` say what stands for objects of one type in the keys of calls.

    The type is given itself or as `"module:Qualified.Name"`, by which the module that defines it
    or any other calls it: then nothing is imported. `function` returns what counts of an object,
    as plain data or as anything else that has a digest. The name of the type counts beside it, and
    so does the code of `function`: when that is edited, calls with such arguments are computed
    again. It must say the same of the same object every time.

    Objects of exactly this type are meant, and not those of a subclass, which may hold more. What
    is registered goes before everything else that is known of the type; registering again replaces
    it. Plain data (numbers, text, bytes, `None`, lists, dicts and tuples) always counts by itself.

    Raises `OptionError` where this cannot be done.
    """
    if not callable(function):
        raise OptionError(
            f"{function!r} cannot give a digest.", "register a function of one object"
        )
    if isinstance(type_or_name, str):
        _by_name[_parsed(type_or_name)] = function
    elif not isinstance(type_or_name, type):
        raise OptionError(f"{type_or_name!r} is no type.", _HINT)
    elif type_or_name in PLAIN or type_or_name in SCALARS:
        raise OptionError(
            f"{type_or_name.__name__} is plain data, which always counts by itself.",
            "register a class of your own, or use key= on the function",
        )
    else:
        _by_type[type_or_name] = function


_HINT = "give a class, or its name as 'module:Name'"


def _parsed(name: str) -> tuple[str, str]:
    module, colon, qualified = name.partition(":")
    if not (colon and all(part.isidentifier() for part in f"{module}.{qualified}".split("."))):
        raise OptionError(f"{name!r} is no name of a type.", _HINT)
    if module == "builtins":
        raise OptionError(f"{name!r} is one of Python's own types.", "give the type itself")
    return module, qualified


def registered_opener(kind: type) -> Opener | None:
    """Return the opener of the function registered for exactly `kind`; None where there is none."""
    if not (_by_type or _by_name):
        return None
    function = _by_type.get(kind) or _by_name.get(class_name(kind)) or _under_another_name(kind)
    return None if function is None else _opener(function)


def _under_another_name(kind: type) -> Callable[[Any], object] | None:
    """Return what is registered for `kind` by a name that is not the one it was defined under."""
    for (module, qualified), function in _by_name.items():
        found: Any = sys.modules.get(module)
        for part in qualified.split("."):
            found = getattr(found, "__dict__", {}).get(part)
        if found is kind:
            return function
    return None


def _opener(function: Callable[[Any], object]) -> Opener:
    def open_registered(value: object, context: Context) -> Node:
        token = class_token(type(value), context)
        content = function(value)
        refuse_itself(value, content)
        children = (token, _code(function, context), content)
        return Node("registered", children, _STEPS, mutable=True, reduced=True)

    return open_registered


_STEPS = field_steps(("", "", "<register_digest>"))


def _code(function: Callable[[Any], object], context: Context) -> object:
    """Return what counts of `function` itself: of a library's, that it is a library's."""
    if type(function) is FunctionType and context.name(function) is None:
        return "function"
    return function
