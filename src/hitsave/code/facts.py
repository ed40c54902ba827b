"""Facts: how files, folders, environment variables and computed imports count.

Owns the digest that each has now, and noticing when it changes. Which of them count was observed.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from hitsave.code.dependencies import Via
from hitsave.code.reached import ANY_MODULE, Fact, Reached
from hitsave.code.resolve import ModuleTarget
from hitsave.code.surroundings import (
    content_digest,
    is_racy,
    listing_digest,
    presence_digest,
    signature,
    variable_digest,
)
from hitsave.code.symbol import NOWHERE, Facet, Place, Symbol
from hitsave.digest import Digest, digest_bytes

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

TEXT_LIMIT = 20_000
"""Files up to this many bytes are kept as text, to explain a later change."""

_DIGESTS: dict[Facet, Callable[[str], Digest]] = {
    Facet.FILE: content_digest,
    Facet.LISTING: listing_digest,
    Facet.PRESENCE: presence_digest,
    Facet.VARIABLE: variable_digest,
}


def fact_name(root: str, path: str) -> str:
    """Return the name of a path in facts: relative to the workspace where it lies under that."""
    if root and path.startswith(root + os.sep):
        return path[len(root) + 1 :]
    return path


def fact_digest(root: str, fact: Fact) -> Digest:
    """Return the digest that a fact other than an import has now."""
    return _DIGESTS[fact.facet](_subject(root, fact))


def _subject(root: str, fact: Fact) -> str:
    return fact.name if fact.facet is Facet.VARIABLE else os.path.join(root, fact.name)


class Facts:
    """The facts that a closure counts."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._root = closure.project.boundary.root

    def count(self, reached: Reached) -> None:
        """Count the facts that were observed."""
        for fact, digest, via in reached.facts():
            if fact.facet is Facet.IMPORT:
                self._count_import(fact.name, via)
            elif fact.facet is Facet.LOADED:
                self._count_loaded(fact.name, via)
            elif fact.facet is not Facet.HEADER:  # which `functions` counts
                self.count_outside(fact, digest, via)

    def count_outside(self, fact: Fact, digest: Digest | None, via: Via) -> None:
        """Count a file, folder, path or variable as it is now, unless its digest is given."""
        subject = _subject(self._root, fact)
        place = NOWHERE if fact.facet is Facet.VARIABLE else Place(subject, 0, 0)
        text = None
        if digest is None:
            digest = fact_digest(self._root, fact)
            self._watch(fact, subject, digest)
            text = _text(subject) if fact.facet is Facet.FILE else None
        self._closure.count(Symbol(fact.name, ""), fact.facet, digest, place, via, text)

    def _watch(self, fact: Fact, subject: str, digest: Digest) -> None:
        read = _DIGESTS[fact.facet]
        if fact.facet is Facet.VARIABLE:
            self._closure.guard.watch(lambda: read(subject) == digest)
            return
        known = signature(subject)
        if is_racy(known):
            known = None

        def is_as_it_was() -> bool:
            now = signature(subject)
            return (now is not None and now == known) or read(subject) == digest

        self._closure.guard.watch(is_as_it_was)

    def _count_import(self, name: str, via: Via) -> None:
        if name == ANY_MODULE:
            return
        closure = self._closure
        closure.watch_module(name)
        target = closure.resolver.module(name)
        token = b"" if target is None else type(target).__name__.encode()
        closure.count(Symbol(name, ""), Facet.IMPORT, digest_bytes(token), NOWHERE, via)
        if isinstance(target, ModuleTarget):
            closure.members.escape(target.module, via)
        elif target is not None:
            closure.reach(target, via)

    def _count_loaded(self, name: str, via: Via) -> None:
        """Count a module that is looked up among the loaded ones, or that nothing else leads to."""
        closure = self._closure
        module = closure.resolver.project_module(name)
        if module is None:
            closure.count(Symbol(name, ""), Facet.LOADED, digest_bytes(b""), NOWHERE, via)
        elif closure.computed.looks_among_loaded or module.name not in closure.modules:
            closure.count(Symbol(name, ""), Facet.LOADED, digest_bytes(b"there"), NOWHERE, via)
            closure.watch_module(name)
            closure.members.escape(module, via)


def _text(path: str) -> str | None:
    """The text of a small file, for explaining a change of it later."""
    try:
        if os.path.getsize(path) > TEXT_LIMIT:
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return None
