"""Tracking: the code digest of a function, kept for as long as nothing it was read from changes.

Owns the closures of this process, the guard check before each use, and what an evaluation is found
to have changed: modules it loaded, globals it made state. Refuses to look results up.
"""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from hitsave.code.closure import Closure, Options
from hitsave.code.dependencies import Manifest
from hitsave.code.pause import collector_paused
from hitsave.code.project import Project
from hitsave.code.symbol import Symbol

KEPT = 1000
"""How many closures are kept at most."""


class Declared(NamedTuple):
    """What the user declared of a function: its version (or ""), and added dependencies."""

    version: str = ""
    depends_on: tuple[Any, ...] = ()


class Tracked:
    """One closure, with its manifest and code digest."""

    def __init__(self, closure: Closure, generation: int) -> None:
        self.closure = closure
        self.manifest: Manifest = closure.manifest()
        self.digest = self.manifest.code_digest
        self.generation = generation


class Tracker:
    """Gives the code digests of functions in one project."""

    def __init__(
        self,
        project: Project,
        options: Options,
        mark_state: Callable[[Symbol, bytes], None],
        generation: Callable[[], int],
    ) -> None:
        self._project = project
        self._options = options
        self._mark_state = mark_state
        self._generation = generation
        self._known: dict[tuple[int, ...], tuple[tuple[Any, ...], Tracked]] = {}
        self._lazy: set[str] = set()
        self._loaded_values: dict[Symbol, bytes | None] = {}
        self._lock = threading.RLock()

    def track(self, roots: tuple[Any, ...], declared: Declared) -> Tracked:
        """Return the closure of `roots`: the function first, then what its arguments brought."""
        key = tuple(map(id, roots))
        known = self._known.get(key)
        if known is not None and self._still_holds(known[1]):
            return known[1]
        with self._lock, collector_paused():
            tracked = self._compute(roots, declared)
            # The roots are kept beside their ids, so that the ids cannot come to mean others.
            self._known.pop(key, None)
            self._known[key] = (roots, tracked)
            if len(self._known) > KEPT:
                # A lambda made for each call is a new root each time: let the oldest go.
                del self._known[next(iter(self._known))]
            return tracked

    def _still_holds(self, tracked: Tracked) -> bool:
        if tracked.generation != self._generation():
            if not self._sources_hold(tracked):
                return False
            tracked.generation = self._generation()
        return tracked.closure.guard.holds()

    def _sources_hold(self, tracked: Tracked) -> bool:
        """Whether the modules of a closure are those that were looked at, after an import."""
        for module in tracked.closure.modules.values():
            now = self._project.module(module.source.module)
            if now is None or now.source is not module.source:
                return False
        return True

    def _compute(self, roots: tuple[Any, ...], declared: Declared) -> Tracked:
        while True:
            tracked = self._compute_hiding(roots, declared, frozenset(self._lazy))
            changed = self._changed_since_loaded(tracked)
            if not changed:
                return tracked
            # The program has changed such a module's globals itself: they count by value now.
            self._lazy -= changed

    def _compute_hiding(
        self, roots: tuple[Any, ...], declared: Declared, hidden: frozenset[str]
    ) -> Tracked:
        options = self._options._replace(hidden=hidden)
        generation = self._generation()
        closure = Closure(self._project, options)
        if declared.version:
            closure.pin(roots[0], declared.version)
        for position, root in enumerate(roots):
            closure.add_root(root, "an argument" if position else "the call")
        for added in declared.depends_on:
            closure.add_root(added, "declared by depends_on")
        closure.finish()
        return Tracked(closure, generation)

    # -- modules loaded by an evaluation --------------------------------------------------------

    def _changed_since_loaded(self, tracked: Tracked) -> set[str]:
        """The hidden modules with a global that is no longer what loading made it."""
        changed = set()
        for symbol, value in tracked.closure.values.hidden_globals():
            digest = tracked.closure.values.digest_of(value)
            if self._loaded_values.setdefault(symbol, digest) != digest:
                changed.add(tracked.closure.modules[symbol.module].source.module)
        return changed

    # -- after an evaluation --------------------------------------------------------------------

    def settle(self, before: Tracked, roots: tuple[Any, ...], declared: Declared) -> Tracked:
        """Return the closure to record an evaluation under, which began with `before`.

        Modules that the evaluation loaded go on counting as they did before it (a later process
        looks the call up before it loads them). Globals that it changed are state from now on.
        """
        with self._lock:
            loaded = self._loaded_meanwhile(before)
            if not loaded and self._still_holds(before):
                return before
            self._lazy |= loaded
            self._project.wrappers.note_replaced()
            for module, names in before.closure.members.escaped.values():
                module.made |= module.names() - names
            for symbol in self._changed_by_evaluation(before):
                digest = before.closure.values.definition_digest(symbol)
                self._mark_state(symbol, digest)
            return self.track(roots, declared)

    def _loaded_meanwhile(self, before: Tracked) -> set[str]:
        unloaded = [m for m in before.closure.modules.values() if m.namespace is None]
        found = set()
        for module in unloaded:
            now = self._project.module(module.source.module)
            if now is not None and now.namespace is not None:
                found.add(module.source.module)
        return found - self._lazy

    def _changed_by_evaluation(self, before: Tracked) -> list[Symbol]:
        values = before.closure.values
        return [symbol for symbol in values.live if values.has_changed(symbol)]
