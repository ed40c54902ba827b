"""Openers of the standard library's value types.

Owns their structure, looked up by name so that no module is loaded for its types. Refuses what
belongs to a running process: locks, files, sockets, threads.
"""

import sys
from typing import Any

from hitsave.codec.builtin import pairs_node, sorted_fields
from hitsave.codec.nodes import Context, Node, field_steps
from hitsave.errors import NotDigestibleError


def _fields(tag: str, *names: str) -> Any:
    """Return the opener of an immutable type that is what its attributes `names` say."""
    steps = field_steps(names)

    def open_fields(value: object, _: Context) -> Node:
        return Node(tag, [getattr(value, name) for name in names], steps)

    return open_fields


def _text(tag: str) -> Any:
    """Return the opener of an immutable type that is what its own text says."""
    module, name = tag.split(".")

    def open_text(value: object, _: Context) -> Node:
        return Node(tag, (getattr(sys.modules[module], name).__str__(value),))

    return open_text


_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond", "fold", "tzinfo")


def _open_timezone(value: Any, _: Context) -> Node:
    return Node("datetime.timezone", value.__getinitargs__())


def _open_zone(value: Any, _: Context) -> Node:
    if value.key is None:
        raise NotDigestibleError(
            "A time zone read from a file has no name.", "Use zoneinfo.ZoneInfo with a key."
        )
    return Node("zoneinfo.ZoneInfo", (value.key,))


def _open_path(value: Any, _: Context) -> Node:
    text = sys.modules["pathlib"].PurePath.__str__(value)
    return Node("path", (type(value).__name__, text))


def _open_array(value: Any, _: Context) -> Node:
    flat = memoryview(value).cast("B") if len(value) else b""
    size = value.itemsize * len(value)
    return Node("array", (value.typecode, size), mutable=True, buffers=(flat,), size=size)


def _open_counter(value: Any, _: Context) -> Node:
    names, contents = sorted_fields(value.__dict__)
    return pairs_node("Counter", list(dict.items(value)), names, *contents)


def _open_chain_map(value: Any, _: Context) -> Node:
    return Node("ChainMap", value.maps, lambda position: f".maps[{position}]", mutable=True)


def _open_getter(value: Any, _: Context) -> Node:
    return Node(f"operator.{type(value).__name__}", value.__reduce__()[1:])


def _open_type_variable(value: Any, _: Context) -> Node:
    names = _VARIABLE + (("__default__",) if getattr(value, "has_default", bool)() else ())
    children = (names, *(getattr(value, name) for name in names))
    return Node("typing.TypeVar", children, field_steps(names, 1))


_VARIABLE = (
    *("__module__", "__name__", "__bound__", "__constraints__"),
    *("__covariant__", "__contravariant__"),
)
_ALIAS = ("__module__", "__name__", "__value__", "__type_params__")
_FORWARD = ("__forward_arg__", "__forward_module__", "__forward_is_class__")

_KNOWN: dict[str, dict[str, Any]] = {
    "datetime": {
        "date": _fields("datetime.date", *_DATE),
        "time": _fields("datetime.time", *_TIME),
        "datetime": _fields("datetime.datetime", *_DATE, *_TIME),
        "timedelta": _fields("datetime.timedelta", "days", "seconds", "microseconds"),
        "timezone": _open_timezone,
    },
    "zoneinfo": {"ZoneInfo": _open_zone},
    "decimal": {"Decimal": _text("decimal.Decimal")},
    "fractions": {"Fraction": _fields("fractions.Fraction", "numerator", "denominator")},
    "uuid": {"UUID": _fields("uuid.UUID", "int")},
    "re": {
        "Pattern": _fields("re.Pattern", "pattern", "flags"),
        "Match": _fields("re.Match", "re", "string", "pos", "endpos", "regs"),
    },
    "_struct": {"Struct": _fields("struct.Struct", "format")},
    "typing": {
        "TypeVar": _open_type_variable,
        "NewType": _fields("typing.NewType", "__module__", "__qualname__", "__supertype__"),
        "TypeAliasType": _fields("typing.TypeAliasType", *_ALIAS),
        "ForwardRef": _fields("typing.ForwardRef", *_FORWARD),
    },
    "array": {"array": _open_array},
    "collections": {"Counter": _open_counter, "ChainMap": _open_chain_map},
    "operator": dict.fromkeys(("itemgetter", "attrgetter", "methodcaller"), _open_getter),
    "pathlib": dict.fromkeys(
        ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"), _open_path
    ),
}
STANDARD: dict[str, dict[str, Any]] = {**_KNOWN, "pathlib._local": _KNOWN["pathlib"]}
"""Openers by the module that defines the type, then by its name there."""
