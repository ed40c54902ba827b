"""The closed registry of formats: which types are stored, under which name and version.

Owns, for each type, how it is taken apart and built again. Refuses anything by name that is not
listed here: decoding can make nothing else. A format's meaning never changes; a new meaning gets
a new version, and the old one stays readable.
"""

import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from importlib import import_module
from itertools import chain
from types import EllipsisType, MappingProxyType, NotImplementedType, SimpleNamespace
from typing import Any

from hitsave.codec.array_formats import ARRAY_FORMATS, array_format
from hitsave.codec.exception_formats import EXCEPTION, EXCEPTIONS
from hitsave.codec.format import Blob, Format, NotStorableError
from hitsave.codec.naming import is_loaded_as
from hitsave.raw import class_name


def _pairs(value: Any) -> list[Any]:
    return list(chain.from_iterable(dict.items(value)))


def _fill_pairs(shell: Any, parts: list[Any]) -> None:
    shell.update(zip(parts[::2], parts[1::2], strict=True))


def _int_bytes(value: int) -> list[Any]:
    return [value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)]


def _take_ordered(value: Any) -> list[Any]:
    _refuse_attributes(value)
    return list(chain.from_iterable(value.items()))


def _refuse_attributes(value: Any) -> None:
    if vars(value):
        raise NotStorableError


def _take_namespace(value: Any) -> list[Any]:
    return _pairs(vars(value))


def _take_defaultdict(value: Any) -> list[Any]:
    factory = value.default_factory
    name = None if factory is None else _FACTORY_NAMES.get(factory)
    if factory is not None and name is None:
        raise NotStorableError
    return [name, *_pairs(value)]


_FACTORIES: dict[str | None, type | None] = {
    kind.__name__: kind for kind in (int, float, str, bytes, list, dict, set, tuple, bool, complex)
}
_FACTORY_NAMES = {kind: name for name, kind in _FACTORIES.items()}
_FACTORIES[None] = None


def _fill_ordered(shell: Any, parts: list[Any]) -> None:
    for key, content in zip(parts[::2], parts[1::2], strict=True):
        shell[key] = content


BUILTIN_FORMATS: dict[type, Format] = {
    tuple: Format("tuple.1", list, tuple),
    list: Format("list.1", list, lambda _: [], list.extend),
    dict: Format("dict.1", _pairs, lambda _: {}, _fill_pairs),
    set: Format("set.1", list, lambda _: set(), set.update),
    frozenset: Format("frozenset.1", list, frozenset),
    int: Format("int.1", _int_bytes, lambda p: int.from_bytes(p[0], "little", signed=True)),
    complex: Format("complex.1", lambda v: [v.real, v.imag], lambda p: complex(*p)),
    bytes: Format("bytes.1", lambda v: [Blob(v)], lambda p: bytes(memoryview(p[0]))),
    bytearray: Format("bytearray.1", lambda v: [Blob(v)], lambda p: bytearray(memoryview(p[0]))),
    range: Format("range.1", lambda v: [v.start, v.stop, v.step], lambda p: range(*p)),
    slice: Format("slice.1", lambda v: [v.start, v.stop, v.step], lambda p: slice(*p)),
    EllipsisType: Format("Ellipsis.1", lambda _: [], lambda _: ...),
    NotImplementedType: Format("NotImplemented.1", lambda _: [], lambda _: NotImplemented),
    MappingProxyType: Format(
        "mappingproxy.1", lambda v: [_proxied(v)], lambda p: MappingProxyType(p[0])
    ),
    SimpleNamespace: Format(
        "SimpleNamespace.1",
        _take_namespace,
        lambda _: SimpleNamespace(),
        lambda s, p: _fill_pairs(vars(s), p),
    ),
    deque: Format(
        "deque.1",
        lambda v: [v.maxlen, *v],
        lambda p: deque(maxlen=p[0]),
        lambda s, p: s.extend(p[1:]),
    ),
    OrderedDict: Format("OrderedDict.1", _take_ordered, lambda _: OrderedDict(), _fill_ordered),
    defaultdict: Format(
        "defaultdict.1",
        _take_defaultdict,
        lambda p: defaultdict(_FACTORIES[p[0]]),
        lambda s, p: _fill_pairs(s, p[1:]),
    ),
}


def _proxied(value: Any) -> Any:
    inner = value | {}
    if type(inner) is not dict:
        raise NotStorableError
    return inner


def _known(module: str, name: str) -> Any:
    """Return a type of the standard library; loaded on the first use of its format only."""
    return getattr(import_module(module), name)


def _simple(
    module: str, name: str, take: Callable[[Any], list[Any]], keywords: tuple[str, ...] = ()
) -> Format:
    """Return the format of a type that is built by calling it with its parts."""

    def build(parts: list[Any]) -> Any:
        count = len(parts) - len(keywords)
        named = dict(zip(keywords, parts[count:], strict=True))
        return _known(module, name)(*parts[:count], **named)

    return Format(f"{module}.{name}.1", take, build)


def _attributes(*names: str) -> Callable[[Any], list[Any]]:
    return lambda value: [getattr(value, name) for name in names]


def _take_zone(value: Any) -> list[Any]:
    if value.key is None:
        raise NotStorableError
    return [value.key]


def _take_array(value: Any) -> list[Any]:
    if value.typecode == "u":
        raise NotStorableError
    return [value.typecode, sys.byteorder, Blob(memoryview(value).cast("B") if value else b"")]


def _build_array(parts: list[Any]) -> Any:
    typecode, order, content = parts
    array = _known("array", "array")(typecode)
    array.frombytes(content)
    if order != sys.byteorder:
        array.byteswap()
    return array


def _take_counter(value: Any) -> list[Any]:
    _refuse_attributes(value)
    return _pairs(value)


def _fill_counter(shell: Any, parts: list[Any]) -> None:
    dict.update(shell, zip(parts[::2], parts[1::2], strict=True))  # Counter's own adds


def _take_uuid(value: Any) -> list[Any]:
    if value.is_safe.value is not None:
        raise NotStorableError
    return [value.bytes]


def _take_pattern(value: Any) -> list[Any]:
    if value.flags & _known("re", "DEBUG"):
        raise NotStorableError  # building it again would print
    return [value.pattern, value.flags]


def _fraction(numerator: int, denominator: int) -> Any:
    # Two numbers and no text, of which a few characters can mean billions of digits.
    return _known("fractions", "Fraction")(numerator, denominator)


def _build_pattern(parts: list[Any]) -> Any:
    pattern, flags = parts
    if flags & _known("re", "DEBUG"):
        raise ValueError("building it would print")
    return _known("re", "compile")(pattern, flags)


_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond", "tzinfo", "fold")
_FOLD = ("fold",)
_PATHS = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")

_STANDARD = (
    _simple("datetime", "date", _attributes(*_DATE)),
    _simple("datetime", "time", _attributes(*_TIME), _FOLD),
    _simple("datetime", "datetime", _attributes(*_DATE, *_TIME), _FOLD),
    _simple("datetime", "timedelta", _attributes("days", "seconds", "microseconds")),
    _simple("datetime", "timezone", lambda v: list(v.__getinitargs__())),
    _simple("zoneinfo", "ZoneInfo", _take_zone),
    _simple("decimal", "Decimal", lambda v: [str(v)]),
    Format(
        "fractions.Fraction.1", _attributes("numerator", "denominator"), lambda p: _fraction(*p)
    ),
    *(_simple("pathlib", name, lambda v: [str(v)]) for name in _PATHS),
    Format("uuid.UUID.1", _take_uuid, lambda p: _known("uuid", "UUID")(bytes=p[0])),
    Format("re.Pattern.1", _take_pattern, _build_pattern),
    Format("array.array.1", _take_array, _build_array),
    Format(
        "collections.Counter.1",
        _take_counter,
        lambda _: _known("collections", "Counter")(),
        _fill_counter,
    ),
)

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (*BUILTIN_FORMATS.values(), *_STANDARD, *ARRAY_FORMATS, EXCEPTION)
}
"""Every format, by name and version: all that decoding can make."""


def find_format(kind: type) -> Format | None:
    """Return the format in which values of exactly the type `kind` are written today."""
    if (entry := BUILTIN_FORMATS.get(kind)) is not None:
        return entry
    if kind in EXCEPTIONS:
        return EXCEPTION
    module, name = class_name(kind)
    library = module.partition(".")[0]
    if library == "numpy":
        return array_format(kind)
    if library in LIBRARIES:
        found: Format | None = _library_formats(library).find_format(kind)
        return found
    home = "pathlib" if module == "pathlib._local" else module
    return FORMATS.get(f"{home}.{name}.1") if is_loaded_as(home, name, kind) else None


def format_named(name: str) -> Format:
    """Return the format of that name and version. Raises KeyError where there is none."""
    if (entry := FORMATS.get(name)) is not None:
        return entry
    library = name.partition(".")[0]
    if library not in LIBRARIES:
        raise KeyError(name)
    named: dict[str, Format] = _library_formats(library).FORMATS
    return named[name]


LIBRARIES = frozenset({"pandas", "polars", "pyarrow", "scipy", "torch", "PIL"})
"""Libraries that have a file in `library_formats`, loaded with the first of their values."""


def _library_formats(library: str) -> Any:
    return import_module(f"hitsave.codec.library_formats.{library.lower()}")
