"""Beside: what is known of objects, for as long as they live.

Owns that an object is told from others by what it is: the hash of a class, and what it is equal to,
are whatever its metaclass makes of them. Refuses to hold on to any.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import ReferenceType, ref

T = TypeVar("T")


class Beside(Generic[T]):
    """Something of each object, which `make` makes when it is first asked for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[ReferenceType[Any], T]] = {}

    def get(self, holder: Any) -> T | None:
        """Return what is known of an object; None where nothing is."""
        known = self._known.get(id(holder))
        return None if known is None else known[1]

    def of(self, holder: Any) -> T:
        """Return what is known of an object, made now where nothing was."""
        key = id(holder)
        if key not in self._known:
            self._known[key] = ref(holder, partial(self._forget, key)), self._make()
        return self._known[key][1]

    def _forget(self, key: int, _: ReferenceType[Any]) -> None:
        self._known.pop(key, None)
