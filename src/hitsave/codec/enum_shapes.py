"""Enum members by name.

Owns how a member is named and found again: it is the very object that the class holds. Refuses
members that are not found so, and values that cannot be compared without running code.
"""

from typing import Any, NamedTuple

from hitsave.codec.format import NotStorableError
from hitsave.codec.instances import instance_dict
from hitsave.codec.sharing import is_immutable
from hitsave.errors import DamagedError


class EnumShape(NamedTuple):
    """Members of one enum."""

    entry: tuple[Any, ...]
    kind: type

    @property
    def is_whole(self) -> bool:
        """Whether it is built of its parts at once."""
        return True

    def fits(self, _: Any) -> bool:
        """Whether any value of this class is of this shape."""
        return True

    def take(self, value: Any) -> list[Any]:
        """Return name and value of a member; the value as text, where it is plain."""
        fields = instance_dict(value)
        parts = [fields.get("_name_"), _text(fields.get("_value_")), None]
        members: Any = type.__getattribute__(self.kind, "_member_map_")
        if members.get(parts[0]) is not value:
            # A flag of several members, made when somebody first wanted it.
            parts[2] = fields.get("_value_")
        if _member(self.kind, parts) is not value:
            raise NotStorableError
        return parts

    def rows(self, columns: list[list[Any]]) -> list[Any]:
        """Return the members that `columns` tell of."""
        return [self._checked(parts) for parts in zip(*columns, strict=True)]

    def _checked(self, parts: tuple[Any, ...]) -> Any:
        member = _member(self.kind, parts)
        fields = instance_dict(member)
        if member is None or _text(fields.get("_value_")) != parts[1]:
            raise DamagedError(f"{self.entry[1]} has not the member that a stored result is.")
        return member


def _member(kind: Any, parts: Any) -> Any:
    name, _, value = parts
    if value is None:
        return type.__getattribute__(kind, "_member_map_").get(name)
    if type(value) is not int:
        return None
    known = type.__getattribute__(kind, "_value2member_map_").get(value)
    if known is not None:
        return known
    # Only what several flags make together is not there yet.
    import enum

    own = enum.Flag._missing_.__func__  # type: ignore[attr-defined]
    is_flag = issubclass(kind, enum.Flag) and kind._missing_.__func__ is own
    return kind(value) if is_flag else None


def _text(value: object) -> str | None:
    text = repr(value) if is_immutable(value) else None
    return None if text is None or "frozenset(" in text else text  # its order is no one's
