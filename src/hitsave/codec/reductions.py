"""Openers of last resort: an object's own reduction, as pickle and copy use it.

Owns which objects may be asked and which are refused at once because they live in a process.
Refuses to trust the answer: the walk asks twice and compares.
"""

import copyreg
from types import FunctionType
from typing import Any

from hitsave.codec.instances import class_token, mro_lookup
from hitsave.codec.naming import external_name, type_label
from hitsave.codec.nodes import Context, Node
from hitsave.errors import NotDigestibleError
from hitsave.raw import class_name

HINT = "Leave it out with ignore, or say what stands for it with hitsave.register_digest."

# Types of these packages reduce to names and plain contents: they need no second look.
_TRUSTED = frozenset({"typing", "numpy", "operator", "string", "ipaddress", "random", "enum"})

_LIVE = frozenset(
    {
        "_thread",
        "_io",
        "threading",
        "asyncio",
        "socket",
        "_socket",
        "selectors",
        "weakref",
        "_weakref",
        "subprocess",
        "queue",
        "_queue",
        "multiprocessing",
        "contextvars",
        "sqlite3",
        "ssl",
        "mmap",
        "tempfile",
    }
)


def refuse_live(value: object) -> None:
    """Raise for what belongs to a running process: a lock, a file, an iterator, a thread."""
    kind = type(value)
    module = class_name(kind)[0].partition(".")[0]
    if module in _LIVE or class_name(kind) == ("builtins", "weakref"):
        raise NotDigestibleError(f"An object of type {type_label(value)} has no digest.", HINT)
    if mro_lookup(kind, "__next__") is not None:
        raise NotDigestibleError(
            f"An iterator ({type_label(value)}) has no digest: reading it would use it up.",
            "Pass a list or a tuple.",
        )


def open_reduction(value: object, context: Context) -> Node:
    """Open `value` by what `__reduce_ex__(4)` gives.

    Raises NotDigestibleError where the object has none, or where none may be asked for.
    """
    kind = type(value)
    trusted = class_name(kind)[0].partition(".")[0] in _TRUSTED
    if not (context.reduce or trusted):
        raise NotDigestibleError(f"The structure of {type_label(value)} is not known.", HINT)
    return _reduction_node(value, _reduce(value), context, not trusted)


def _reduce(value: object) -> object:
    kind = type(value)
    registered = copyreg.dispatch_table.get(kind)
    try:
        if registered is not None:
            return registered(value)
        reducer: Any = mro_lookup(kind, "__reduce_ex__")
        if reducer is None and (plain := mro_lookup(kind, "__reduce__")) is not None:
            return plain.__get__(value, kind)()  # type: ignore[attr-defined]
        return (reducer or object.__reduce_ex__).__get__(value, kind)(4)
    except Exception as error:
        raise NotDigestibleError(
            f"An object of type {type_label(value)} has no digest: reducing it raised "
            f"{type(error).__name__}.",
            HINT,
        ) from error


def _reduction_node(value: object, reduced: Any, context: Context, proven: bool) -> Node:
    token = class_token(type(value), context)
    if type(reduced) is str:
        module = getattr(value, "__module__", None) or class_name(type(value))[0]
        return Node("global", (token, external_name(module, reduced)))
    if type(reduced) is not tuple or not 2 <= len(reduced) <= 6:
        raise NotDigestibleError(f"{type_label(value)} reduces to no reduction.", HINT)
    parts: list[Any] = [*reduced, None, None, None, None][:6]
    function, arguments, state, elements, items, setter = parts
    children = (
        token,
        _constructor(function),
        arguments,
        state,
        None if elements is None else list(elements),
        None if items is None else list(items),
        setter,
    )
    return Node("reduction", children, _step, mutable=True, reduced=proven)


def _constructor(function: object) -> object:
    """Return the constructor; a helper of `copyreg` by its name, which is not the project's."""
    if type(function) is FunctionType and function.__module__ == "copyreg":
        return function.__qualname__
    return function


def _step(position: int) -> str:
    return f".__reduce_ex__(4)[{position - 1}]" if position else ""
