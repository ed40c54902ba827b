"""Shapes: how instances of one class that have the same fields are stored.

Owns the formats of dataclasses, of the instances of attrs classes and pydantic models, of
NamedTuples, of enum members, and of dicts with the same keys. Each is written by class and field
names once, and by contents for each instance. Refuses classes that say themselves how they are
pickled, or that keep state in C: those go through pickle. No code of a class runs, neither when
an instance is taken apart nor when it is built.
"""

import copyreg
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat, starmap
from operator import attrgetter, itemgetter
from types import MemberDescriptorType
from typing import Any, NamedTuple

from hitsave.codec.classes import class_path, find_class
from hitsave.codec.enum_shapes import EnumShape
from hitsave.codec.format import NotStorableError
from hitsave.codec.formats import find_format
from hitsave.codec.instances import dict_descriptor, hides_state, instance_dict, is_enum, mro_lookup
from hitsave.codec.registered_codecs import codec_of
from hitsave.errors import DamagedError
from hitsave.raw import class_name, mro_of, names_of_class

INSTANCE, NAMED_TUPLE, KEYS, ENUM = "instance.1", "NamedTuple.1", "keys.1", "enum.1"

Entry = tuple[Any, ...]
"""What stands for a shape in the table of names: the name of its format, then what it is of."""

_HEAP_TYPE = 1 << 9
_HOOKS = (
    "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__",
    "__getnewargs_ex__", "__del__",
)  # fmt: skip
_GENERATED = frozenset({"dataclasses", "attr._make", "pydantic.main"})
"""Modules whose own hooks say what fields, slots and `__dict__` say too."""

_GET_DICT: Callable[[Any], Any] = attrgetter("__dict__")  # quicker than its descriptor
_CACHED_HASH = "_attrs_cached_hash"  # another in each process


class InstanceShape(NamedTuple):
    """Instances of a class with fields: the names in their `__dict__`, and the slots.

    `is_direct` says that no name in the `__dict__` means something else in the class, and
    `is_complete` that the class has no slot besides `slots`.
    """

    entry: Entry
    kind: type
    names: tuple[str, ...]
    slots: tuple[MemberDescriptorType, ...]
    is_direct: bool
    is_complete: bool
    setter: Callable[..., object]

    @property
    def is_whole(self) -> bool:
        """Whether it is built of its parts at once."""
        return False

    def take(self, value: Any) -> list[Any]:
        """Return the contents of `value`."""
        contents = list(instance_dict(value).values())
        contents += [slot.__get__(value, self.kind) for slot in self.slots]
        return contents

    def fits(self, value: Any) -> bool:
        """Whether `value`, of this class, is of this shape."""
        if not self.is_complete or tuple(instance_dict(value)) != self.names:
            return False
        return all(_is_set(slot, value) for slot in self.slots)

    def columns(self, values: Sequence[Any]) -> list[list[Any]] | None:
        """Return the contents of `values` by field; None where not all are of this shape."""
        if not self.is_complete:
            return None
        descriptor = dict_descriptor(self.kind)
        fields: list[dict[str, Any]] = []
        if descriptor is not None:
            is_plain = mro_lookup(self.kind, "__getattribute__") is None
            fields = list(map(_GET_DICT if is_plain else descriptor.__get__, values))
        # As many names as fields altogether, none twice in one: then all have the same.
        if list(chain.from_iterable(fields)) != [*self.names] * len(fields):
            return None
        found = [list(map(itemgetter(name), fields)) for name in self.names]
        try:
            found += [list(map(slot.__get__, values)) for slot in self.slots]
        except AttributeError:  # never assigned in one of them
            return None
        return found

    def empty(self, count: int) -> list[Any]:
        """Return `count` instances without contents."""
        return list(starmap(object.__new__, repeat((self.kind,), count)))

    def fill(self, shells: list[Any], columns: Sequence[Iterable[Any]]) -> None:
        """Give `shells` their contents, field by field."""
        if len(columns) != len(self.names) + len(self.slots):
            raise DamagedError("A stored result has not the fields that it announces.")
        for name, column in zip(self.names, columns, strict=False):
            if self.is_direct:
                # Not through the `__dict__`, which need not exist for as long as nobody asks.
                _each(self.setter, shells, repeat(name), column)
            else:
                _each(dict.__setitem__, map(instance_dict, shells), repeat(name), column)
        for slot, column in zip(self.slots, columns[len(self.names) :], strict=True):
            _each(slot.__set__, shells, column)


def _each(function: Callable[..., object], *columns: Iterable[Any]) -> None:
    deque(map(function, *columns), maxlen=0)


class TupleShape(NamedTuple):
    """Instances of a NamedTuple."""

    entry: Entry
    kind: type

    @property
    def is_whole(self) -> bool:
        """Whether it is built of its parts at once."""
        return True

    def fits(self, _: Any) -> bool:
        """Whether any value of this class is of this shape."""
        return True

    def take(self, value: Any) -> list[Any]:
        """Return the contents of `value`."""
        if instance_dict(value) or len(value) != len(self.entry[2]):
            raise NotStorableError
        return list(tuple.__iter__(value))

    def columns(self, values: Sequence[Any]) -> list[list[Any]] | None:
        """Return the contents of `values` by field."""
        if dict_descriptor(self.kind) is not None and any(map(instance_dict, values)):
            return None
        if set(map(len, values)) != {len(self.entry[2])}:
            return None
        return list(map(list, zip(*values, strict=True)))

    def rows(self, columns: Sequence[Iterable[Any]]) -> list[Any]:
        """Return instances with the contents that `columns` hold."""
        if len(columns) != len(self.entry[2]):
            raise DamagedError("A stored result has not the fields that it announces.")
        rows = zip(*columns, strict=True)
        return list(map(tuple.__new__, repeat(self.kind), rows))


class KeysShape(NamedTuple):
    """Dicts with the same keys, in the same order."""

    entry: Entry

    @property
    def is_whole(self) -> bool:
        """Whether it is built of its parts at once."""
        return False

    def columns(self, values: Sequence[Any]) -> list[list[Any]] | None:
        """Return the contents of `values` by key; None where not all have these keys."""
        if set(map(tuple, values)) != {self.entry[1:]}:
            return None
        return list(map(list, zip(*map(dict.values, values), strict=True)))

    def empty(self, count: int) -> list[Any]:
        """Return `count` empty dicts."""
        return [{} for _ in range(count)]

    def fill(self, shells: list[Any], columns: Sequence[Iterable[Any]]) -> None:
        """Give `shells` their contents."""
        keys = self.entry[1:]
        if len(columns) != len(keys):
            raise DamagedError("A stored result has not the keys that it announces.")
        for shell, row in zip(shells, zip(*columns, strict=True), strict=True):
            shell.update(zip(keys, row, strict=True))


Shape = InstanceShape | TupleShape | EnumShape


def shape_of(value: object) -> Shape:
    """Return the shape of `value`. Raises NotStorableError for what has none."""
    kind = type(value)
    if is_enum(kind):
        return EnumShape((ENUM, class_path(kind)), kind)
    if issubclass(kind, tuple):
        _refuse_hooks(kind)
        return TupleShape((NAMED_TUPLE, class_path(kind), _tuple_fields(kind)), kind)
    fields = declared_fields(kind)
    if fields is None:
        raise NotStorableError
    _refuse_hooks(kind)
    slots = {name: slot for name, slot in _slots(kind).items() if _is_set(slot, value)}
    names = tuple(instance_dict(value))
    if _CACHED_HASH in names or not all(type(name) is str for name in names):
        raise NotStorableError
    entry = (INSTANCE, class_path(kind), fields, names, tuple(slots))
    return _instance_shape(entry, kind, names, tuple(slots.values()))


def _instance_shape(
    entry: Entry, kind: type, names: tuple[str, ...], slots: tuple[MemberDescriptorType, ...]
) -> InstanceShape:
    is_direct = not any(hasattr(type(mro_lookup(kind, name)), "__set__") for name in names)
    is_complete = len(slots) == len(_slots(kind))
    # `setattr` is quicker, and means the same where the class has no say in it.
    setter = setattr if mro_lookup(kind, "__setattr__") is None else object.__setattr__
    return InstanceShape(entry, kind, names, slots, is_direct, is_complete, setter)


def columns_of(values: list[Any]) -> tuple[Shape | KeysShape, list[list[Any]]] | None:
    """Return the shape of `values`, of one type, and their contents by field.

    None where they are not of one shape, or too few for it to matter.
    """
    kind = type(values[0])
    if len(values) < 2:
        return None
    if kind is dict:
        shape: Shape | KeysShape | None = keys_of(values)
    elif codec_of(kind) is None and find_format(kind) is None:
        try:
            shape = shape_of(values[0])
        except NotStorableError:
            return None
    else:
        return None
    if shape is None or type(shape) is EnumShape:
        return None
    columns = shape.columns(values)  # type: ignore[union-attr]
    return (shape, columns) if columns else None


def keys_of(values: Sequence[dict[Any, Any]]) -> KeysShape | None:
    """Return the shape of the dicts `values`; None where they have none in common."""
    keys = tuple(values[0])
    if not keys or not all(type(key) is str for key in keys):
        return None
    return KeysShape((KEYS, *keys))


def read_shape(entry: Sequence[Any], importing: bool) -> Shape | KeysShape:
    """Return the shape that `entry` stands for, if its class still has the fields that it had.

    Raises DamagedError for any other.
    """
    name, *parts = entry
    if name == KEYS and set(map(type, parts)) == {str}:
        return KeysShape((KEYS, *parts))
    kind = find_class(parts[0], importing)
    if name == ENUM and len(parts) == 1 and is_enum(kind):
        return EnumShape((ENUM, *parts), kind)
    if name == NAMED_TUPLE and issubclass(kind, tuple):
        return TupleShape(_agreeing(entry, kind, _tuple_fields(kind)), kind)
    if name == INSTANCE and not is_enum(kind):
        return _read_instance(entry, kind)
    raise DamagedError("A stored result is of a shape that this version does not read.")


def _read_instance(entry: Sequence[Any], kind: type) -> InstanceShape:
    known = _agreeing(entry, kind, declared_fields(kind))
    names, slots, found = tuple(entry[3]), entry[4], _slots(kind)
    if not set(slots) <= set(found) or set(map(type, names)) - {str} or len({*names}) < len(names):
        raise _other_fields(entry)
    if names and dict_descriptor(kind) is None:
        raise _other_fields(entry)
    return _instance_shape(known, kind, names, tuple(found[name] for name in slots))


def _agreeing(entry: Sequence[Any], kind: type, fields: tuple[str, ...] | None) -> Entry:
    """Return `entry`, if `fields`, which the class has now, are those that it had."""
    if fields is None or list(fields) != list(entry[2]):
        raise _other_fields(entry)
    try:
        _refuse_hooks(kind)
    except NotStorableError:
        raise _other_fields(entry) from None
    return tuple(entry)


def _other_fields(entry: Sequence[Any]) -> DamagedError:
    return DamagedError(f"The class {entry[1]} has other fields than when a result was stored.")


# -- what a class has ---------------------------------------------------------------------------


def declared_fields(kind: type) -> tuple[str, ...] | None:
    """Return the fields that a class declares; None where it is of no kind that declares any."""
    found: Any = mro_lookup(kind, "__dataclass_fields__")
    if type(found) is dict:
        return tuple(found)
    found = mro_lookup(kind, "__attrs_attrs__")
    if isinstance(found, tuple):
        return tuple(field.name for field in found)
    if any(class_name(base) == ("pydantic.main", "BaseModel") for base in _bases(kind)):
        found = mro_lookup(kind, "__pydantic_fields__") or mro_lookup(kind, "model_fields")
        return tuple(found) if type(found) is dict else None
    return None


def _tuple_fields(kind: type) -> tuple[str, ...]:
    fields = mro_lookup(kind, "_fields")
    if type(fields) is not tuple or not all(type(name) is str for name in fields):
        raise NotStorableError
    return fields


def _bases(kind: type) -> tuple[type, ...]:
    bases: tuple[type, ...] = mro_of(kind)[:-1]
    return bases


def _refuse_hooks(kind: type) -> None:
    """Raise for a class that says itself how it is pickled, or whose state is out of sight."""
    if kind in copyreg.dispatch_table or any(_is_own(mro_lookup(kind, name)) for name in _HOOKS):
        raise NotStorableError
    is_tuple = issubclass(kind, tuple)
    bases = [base for base in _bases(kind) if not (is_tuple and base is tuple)]
    if not all(base.__flags__ & _HEAP_TYPE for base in bases):
        raise NotStorableError
    if not is_tuple and hides_state(kind):
        raise NotStorableError


def _is_own(hook: object) -> bool:
    """Whether a hook of pickle's was written by somebody, and not generated."""
    if hook is None:
        return False
    space = getattr(hook, "__globals__", None)
    if space is None:
        return True
    if getattr(hook, "__name__", "") == "__getnewargs__":
        return space is not vars(sys.modules["collections"])
    known = (sys.modules.get(module) for module in _GENERATED)
    return not any(module is not None and space is vars(module) for module in known)


def _slots(kind: type) -> dict[str, MemberDescriptorType]:
    """Return the slots of `kind` by the name of their class and their own."""
    found: dict[str, MemberDescriptorType] = {}
    for base in reversed(_bases(kind)):
        for name, slot in names_of_class(base).items():
            if type(slot) is not MemberDescriptorType:
                continue
            path = f"{class_name(base)[1]}.{name}"
            if path in found or name == _CACHED_HASH:
                raise NotStorableError
            found[path] = slot
    return found


def _is_set(slot: MemberDescriptorType, value: object) -> bool:
    try:
        slot.__get__(value, type(value))
    except AttributeError:
        return False
    return True
