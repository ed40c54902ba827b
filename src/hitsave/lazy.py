"""Lazy attributes: computed when they are first asked for, and kept in the instance.

Owns that no lock is involved: `functools.cached_property` has one before Python 3.12 that all
instances share, and that the child of a fork may find taken for ever.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):
    """A method without arguments as an attribute. Threads that ask at once may all compute it."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> "lazy[T]": ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> "lazy[T] | T":
        """Return the value. Once it is kept, Python finds that and does not come here."""
        if instance is None:
            return self
        value: T = vars(instance).setdefault(self._name, self._compute(instance))
        return value

    if TYPE_CHECKING:
        # At run time an assignment goes past this, to where the value is kept.
        def __set__(self, instance: object, value: T) -> None: ...
