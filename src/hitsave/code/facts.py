"""Facts: how files, folders, environment variables and computed imports count.

Owns the digest that each has now, and noticing when it changes. Which of them count was observed.
Computed imports lead on in the code and count in a closure. Files, folders and variables lead to
nothing: they count beside it, so that all calls that read different ones share one closure.
"""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hitsave.code.dependencies import Dependency, Via, in_order
from hitsave.code.reached import ANY_MODULE, Fact, Reached
from hitsave.code.resolve import ModuleTarget
from hitsave.code.surroundings import DIGESTS, is_racy, signature
from hitsave.code.symbol import NOWHERE, OUTSIDE, Facet, Place, Symbol
from hitsave.digest import Digest, digest_bytes

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

TEXT_LIMIT = 20_000
"""Files up to this many bytes are kept as text, to explain a later change."""


def fact_name(root: str, path: str) -> str:
    """Return the name of a path in facts: relative to the workspace where it lies under that."""
    if root and path.startswith(root + os.sep):
        return path[len(root) + 1 :]
    return path


def _subject(root: str, fact: Fact) -> str:
    return fact.name if fact.facet is Facet.VARIABLE else os.path.join(root, fact.name)


class Facts:
    """The facts that a closure counts."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure

    def count(self, reached: Reached) -> None:
        """Count the facts that were observed and lead on; `functions` counts headers."""
        for fact, _, via in reached.facts():
            if fact.facet is Facet.IMPORT:
                self._count_import(fact.name, via)
            elif fact.facet is Facet.LOADED:
                self._count_loaded(fact.name, via)

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


class Outside:
    """The facts beside a closure, each with the digest that it has now, or had when asked for.

    `tests` tell of those that were taken as they are now whether they still are so.
    """

    def __init__(self, root: str, reached: Reached | None) -> None:
        self._root = root
        self.tests: list[Callable[[], bool]] = []
        self.digests: dict[Fact, Digest] = {}
        found = () if reached is None else reached.facts()
        self.dependencies = in_order(
            self._count(*each) for each in found if each[0].facet in OUTSIDE
        )

    def agrees(self, digests: Mapping[Fact, Digest]) -> bool:
        """Whether each of the facts has the digest that is given for it, if one is."""
        return all(digests.get(fact, digest) == digest for fact, digest in self.digests.items())

    def _count(self, fact: Fact, digest: Digest | None, via: Via) -> Dependency:
        subject = _subject(self._root, fact)
        place = NOWHERE if fact.facet is Facet.VARIABLE else Place(subject, 0, 0)
        if digest is None:
            digest = self._watched(fact.facet, subject)
        self.digests[fact] = digest
        return Dependency(Symbol(fact.name, ""), fact.facet, digest, place, via)

    def _watched(self, facet: Facet, subject: str) -> Digest:
        """Return the digest that a fact has now, and notice when it has another."""
        read = DIGESTS[facet]
        if facet is Facet.VARIABLE:
            value = read(subject)
            self.tests.append(lambda: read(subject) == value)
            return value
        # Before the content: one that changes in between is then not taken for what was read.
        known = signature(subject)
        if is_racy(known):
            known = None
        digest = read(subject)

        def is_as_it_was() -> bool:
            now = signature(subject)
            return (now is not None and now == known) or read(subject) == digest

        self.tests.append(is_as_it_was)
        return digest


def file_text(path: str, digest: Digest) -> str | None:
    """The text of a small file that has a digest, for explaining a change of it later."""
    try:
        if os.path.getsize(path) > TEXT_LIMIT:
            return None
        with open(path, "rb") as file:
            content = file.read()
        return content.decode() if digest_bytes(content) == digest else None
    except (OSError, ValueError):
        return None
