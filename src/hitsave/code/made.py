"""Made: what evaluations put into modules, classes and wrappers, and what they took from classes.

A later process lacks the first, and has the second. Owns what stands for both there. Refuses to
find out what an evaluation did: the tracker does.
"""

from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from hitsave.code.beside import Beside
from hitsave.digest import Digest
from hitsave.raw import names_of_class


class Made(NamedTuple):
    """What an evaluation put into a namespace, and its digest then; None where it has none.

    `before` holds what was there at first, if anything was.
    """

    value: Any
    digest: Digest | None
    before: tuple[Any, ...] = ()


class Wrappers:
    """Wrappers whose code an evaluation replaced: they go on counting by the code they had.

    Some compile themselves when they are first called. A later process looks the call up before.
    """

    def __init__(self) -> None:
        self._first: WeakKeyDictionary[FunctionType, CodeType] = WeakKeyDictionary()
        self._replaced: WeakKeyDictionary[FunctionType, CodeType] = WeakKeyDictionary()

    def code_of(self, function: FunctionType) -> CodeType:
        """Return the code that a function counts by."""
        code = function.__code__
        if "__wrapped__" not in vars(function):
            return code
        first = self._first.setdefault(function, code)
        return first if self._replaced.get(function) is code else code

    def note_replaced(self) -> None:
        """Note what an evaluation that has just ended has replaced."""
        for function, code in tuple(self._first.items()):
            if function.__code__ is not code:
                self._replaced[function] = function.__code__


class MadeMembers:
    """What evaluations put into classes, and took from them; a later process begins otherwise."""

    def __init__(self) -> None:
        self._made: Beside[set[str]] = Beside(set)
        self._taken: Beside[dict[str, Any]] = Beside(dict)
        self._replaced: Beside[dict[str, Made]] = Beside(dict)

    def of(self, live: type) -> set[str]:
        """Return the names that evaluations put into a class."""
        return self._made.get(live) or set()

    def unmade(self, live: type, name: str, value: Any) -> Any:
        """Return what a later process finds where this one finds `value` in a class."""
        made = (self._replaced.get(live) or {}).get(name)
        return made.before[0] if made is not None and made.value is value else value

    def note_replaced(self, live: type, name: str, made: Made) -> None:
        """Note what an evaluation has just put into a class in place of something else."""
        self._replaced.of(live)[name] = made

    def note(self, live: type, before: Mapping[str, Any]) -> None:
        """Note what an evaluation has just put into a class, and taken from what was in it."""
        now = names_of_class(live)
        if made := now.keys() - before.keys():
            self._made.of(live).update(made)
        for name in before.keys() - now.keys():
            self._taken.of(live)[name] = before[name]

    def taken(self, live: type) -> dict[str, Any]:
        """Return what evaluations took from a class, by the names that it has no more."""
        taken, now = self._taken.get(live) or {}, names_of_class(live)
        return {name: value for name, value in taken.items() if name not in now}
