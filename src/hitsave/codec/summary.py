"""Short descriptions of values, for people.

Owns a `repr` that cannot hang, raise or grow: it never calls a class of the user's. Refuses to
be exact: two different values may read the same.
"""

import sys
from collections.abc import Callable, Iterable
from itertools import islice
from types import BuiltinFunctionType, EllipsisType, FunctionType, ModuleType, NoneType

from hitsave.codec.naming import module_name, type_label
from hitsave.raw import class_name

_MAX_DEPTH = 4
_MAX_ELEMENTS = 12
_MAX_INT_BITS = 1024  # beyond, decimal digits are slow to make and, past 4,300, refused

_BY_REPR = frozenset({NoneType, bool, float, complex, EllipsisType, range})
_REPR_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "pathlib._local"})


def summarize(value: object, limit: int = 200) -> str:
    """Return a description of `value` of at most `limit` characters. Never raises."""
    # The value may be changing under us in another thread, or be a half-made extension object;
    # a description is for people and must not end the call that it describes.
    try:
        text = _describe(value, limit, _MAX_DEPTH)
    except Exception:
        text = "<?>"
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def _describe(value: object, limit: int, depth: int) -> str:
    kind = type(value)
    if kind in _BY_REPR:
        return repr(value)
    if (describe := _DESCRIBERS.get(kind)) is not None:
        return describe(value, limit, depth)
    if issubclass(kind, type):
        return f"<class {'.'.join(class_name(value))}>"  # type: ignore[arg-type]
    module, name = class_name(kind)
    if module in _REPR_MODULES and getattr(sys.modules.get(module), name, None) is kind:
        return repr(value)
    if module == "numpy" and name == "ndarray":
        return f"<array {value.dtype} {value.shape}>"  # type: ignore[attr-defined]
    return f"<{type_label(value)}>"


def _describe_int(value: int, _: int, __: int) -> str:
    bits = value.bit_length()
    return repr(value) if bits <= _MAX_INT_BITS else f"<int of {bits} bits>"


def _describe_text(value: str | bytes, limit: int, _: int) -> str:
    whole = len(value) <= limit
    return repr(value) if whole else f"{value[:limit]!r}… ({len(value)} long)"


def _describe_buffer(value: bytearray | memoryview, limit: int, _: int) -> str:
    return f"{type(value).__name__}({_describe_text(bytes(value[:limit]), limit, 0)})"


def _describe_function(value: FunctionType, _: int, __: int) -> str:
    return f"<function {value.__module__}.{value.__qualname__}>"


def _describe_module(value: ModuleType, _: int, __: int) -> str:
    return f"<module {module_name(value)}>"


def _elements(values: Iterable[object], size: int, limit: int, depth: int) -> str:
    if depth == 0:
        return "…" if size else ""
    parts: list[str] = []
    for value in islice(values, _MAX_ELEMENTS):
        parts.append(_describe(value, limit, depth - 1))
        limit -= len(parts[-1]) + 2
        if limit <= 0:
            break
    return ", ".join(parts) + (", …" if len(parts) < size else "")


def _brackets(opening: str, closing: str) -> Callable[..., str]:
    def describe(value: list[object], limit: int, depth: int) -> str:
        return opening + _elements(value, len(value), limit, depth) + closing

    return describe


def _describe_tuple(value: tuple[object, ...], limit: int, depth: int) -> str:
    comma = "," if len(value) == 1 else ""
    return f"({_elements(value, len(value), limit, depth)}{comma})"


def _describe_dict(value: dict[object, object], limit: int, depth: int) -> str:
    if depth == 0:
        return "{…}" if value else "{}"
    parts: list[str] = []
    for key, content in islice(value.items(), _MAX_ELEMENTS):
        key_text = _describe(key, limit, depth - 1)
        parts.append(f"{key_text}: {_describe(content, limit, depth - 1)}")
        limit -= len(parts[-1]) + 2
        if limit <= 0:
            break
    return "{" + ", ".join(parts) + (", …}" if len(parts) < len(value) else "}")


def _describe_set(value: set[object] | frozenset[object], limit: int, depth: int) -> str:
    if not value:
        return f"{type(value).__name__}()"
    text = "{" + _elements(value, len(value), limit, depth) + "}"
    return text if type(value) is set else f"frozenset({text})"


_DESCRIBERS: dict[type, Callable[..., str]] = {
    int: _describe_int,
    str: _describe_text,
    bytes: _describe_text,
    bytearray: _describe_buffer,
    memoryview: _describe_buffer,
    list: _brackets("[", "]"),
    tuple: _describe_tuple,
    dict: _describe_dict,
    set: _describe_set,
    frozenset: _describe_set,
    FunctionType: _describe_function,
    BuiltinFunctionType: lambda value, *_: f"<built-in function {value.__name__}>",
    ModuleType: _describe_module,
}
