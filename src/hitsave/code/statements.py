"""Statements: what a module executes for its effect, and how far it has come.

Owns which statements of a module these are, and which of them has been executed. Refuses to say
which of them count; `effects` does.
"""

import sys
import threading
from collections.abc import Iterator
from typing import NamedTuple

from hitsave.code.definition import ClassDefinition, Effect
from hitsave.code.pause import frames_of_threads
from hitsave.code.project import Module, Namespace
from hitsave.digest import digest_parts


class Statement(NamedTuple):
    """A statement executed for its effect, or one of a class."""

    module: Module
    effect: Effect
    is_class: bool = False

    @property
    def line(self) -> int:
        """Its first line."""
        return self.effect.part.line


def statements_of(module: Module) -> list[Statement]:
    """Return the statements of a module that may do more than bind names to new values."""
    if module.record is None:
        return []
    # What stands under `if __name__ == "__main__"` no module but the program's own executes.
    is_main = module.source.module == "__main__"
    effects = (effect for effect in module.record.effects if is_main or not effect.driver)
    found = [Statement(module, effect) for effect in effects]
    for name, definitions in module.record.classes.items():
        if "." not in name:
            found += [
                Statement(module, effect, is_class=True)
                for definition in definitions
                for effect in _making(name, definition)
            ]
    return found


def _making(name: str, definition: ClassDefinition) -> Iterator[Effect]:
    """Yield what making a class executes, where it has bases or keywords.

    That sees the names and the values of the class, but not what its methods do.
    """
    head = definition.head
    if head.references.chains:
        parts = [head, *(b.part for b in definition.bindings if b.kind == "value")]
        names = [name.encode(), *(binding.name.encode() for binding in definition.bindings)]
        digest = digest_parts("class", [*names, *(part.digest for part in parts)])
        touches = tuple(chain.names for part in parts for chain in part.references.chains)
        yield Effect(head._replace(digest=digest), touches, driver=False)


def running_lines() -> dict[int, int]:
    """Return the lines at which modules are being executed, by the identities of their namespaces.

    Looks at this thread and at the main one, which executes the program's own module.
    """
    found: dict[int, int] = {}
    main = frames_of_threads().get(threading.main_thread().ident or 0)
    for innermost in (sys._getframe(1), main):
        frame = innermost
        while frame is not None:
            if frame.f_code.co_name == "<module>":
                found.setdefault(id(frame.f_globals), frame.f_lineno)
            frame = frame.f_back
    return found


def running_line(namespace: Namespace | None) -> int | None:
    """Return the line at which a module is being executed; None where it is not, or is done."""
    return None if namespace is None else running_lines().get(id(namespace))
