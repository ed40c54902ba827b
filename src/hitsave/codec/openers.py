"""Which opener takes which object.

Owns the order of the rules: what the program registered, a known type, the class's own
`__hitsave_digest__`, a class, an enum member, an exception, an instance of a project class or of
one that declares its fields, a wrapper of a function, and last the object's own reduction. Refuses
to load a library: its types exist only where it is loaded.
"""

from collections.abc import Callable
from typing import Any

from hitsave.codec.builtin import BUILTIN
from hitsave.codec.declared import declares_fields
from hitsave.codec.instances import (
    class_token,
    hides_state,
    is_enum,
    mro_lookup,
    open_class,
    open_enum,
    open_exception,
    open_instance,
    open_own_digest,
    open_wrapper,
    wrapped_function,
)
from hitsave.codec.library_digests import library_opener
from hitsave.codec.naming import is_loaded_as
from hitsave.codec.nodes import Context, Node, Opener
from hitsave.codec.reductions import open_reduction, refuse_live
from hitsave.codec.registered_digests import registered_opener
from hitsave.codec.standard import STANDARD
from hitsave.raw import class_name, mro_of


def open_value(value: object, context: Context) -> Node:
    """Return the node of `value`. Raises NotDigestibleError, and whatever the value raises."""
    kind = type(value)
    if kind is Node:
        return value  # type: ignore[return-value]
    opener = registered_opener(kind) or _known_opener(kind)
    return opener(value, context) if opener is not None else _open_object(value, kind, context)


def _known_opener(kind: type) -> Opener | None:
    if (opener := BUILTIN.get(kind)) is not None:
        return opener
    module, name = class_name(kind)
    found: Opener | None = STANDARD.get(module, {}).get(name)
    if found is not None and is_loaded_as(module, name, kind):
        return found
    return library_opener(kind)


def _open_object(value: Any, kind: type, context: Context) -> Node:
    if issubclass(kind, type):
        return open_class(value, context)
    if (method := mro_lookup(kind, "__hitsave_digest__")) is not None:
        return open_own_digest(value, method, context)
    if is_enum(kind):
        return open_enum(value, context)
    if issubclass(kind, BaseException):
        return open_exception(value, context)
    if context.name(kind) is not None or declares_fields(kind):
        return _open_by_fields(value, kind, context)
    if (wrapped := wrapped_function(value)) is not None:
        return open_wrapper(value, wrapped, context)
    refuse_live(value)
    return open_reduction(value, context)


def _open_by_fields(value: object, kind: type, context: Context) -> Node:
    base = _open_base(value, kind, context)
    if base is None and hides_state(kind):
        refuse_live(value)
        base = open_reduction(value, context)
    return open_instance(value, class_token(kind, context), base)


def _open_base(value: object, kind: type, context: Context) -> Node | None:
    """Return the node of what `value` is by the nearest base of a known type."""
    for base in mro_of(kind)[1:-1]:
        if (plain := _SCALAR_BASES.get(base)) is not None:
            return Node(base.__name__, (plain(value),))
        if (opener := _known_opener(base)) is not None:
            return opener(value, context)
    return None


# Each returns the exact scalar that an instance of a subclass is, by the base's own method.
_SCALAR_BASES: dict[type, Callable[[Any], object]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda value: bytes.__add__(value, b""),
}
