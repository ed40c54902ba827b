"""Tracking: the code digest of a function, kept for as long as nothing it was read from changes.

Owns the closures of this process, the guard check before each use, and what an evaluation is found
to have changed: modules it loaded, globals it made state. Refuses to look results up.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from operator import call
from typing import Any, NamedTuple, TypeVar

from hitsave.code.closure import Closure, Options
from hitsave.code.dependencies import Dependency, Manifest, Via, digest_beside, digest_of
from hitsave.code.digests import Digests
from hitsave.code.facts import Outside, file_text
from hitsave.code.guard import Guard
from hitsave.code.made import Made
from hitsave.code.pause import collector_paused
from hitsave.code.project import Module, Project
from hitsave.code.reached import DependencySet, Fact, Pinned, Reached, Witness
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.values import Values
from hitsave.digest import Digest
from hitsave.lazy import lazy

KEPT = 1000
"""How many closures are kept at most."""


class Declared(NamedTuple):
    """What the user declared of a function: its version (or ""), and added dependencies."""

    version: str = ""
    depends_on: tuple[Any, ...] = ()


class TrackedCode:
    """One closure, with the manifest and the digest of the code in it."""

    def __init__(self, closure: Closure, generation: int) -> None:
        self.closure = closure
        self.generation = generation

    @lazy
    def manifest(self) -> Manifest:
        """What the closure found."""
        return self.closure.manifest()

    @lazy
    def digest(self) -> Digest:
        """The code digest where nothing outside the code counts."""
        return digest_of(self.manifest.dependencies)


class Tracked:
    """A closure, the facts outside it, and the code digest of both together.

    `key` is what the tracker keeps it by, if it does.
    """

    def __init__(
        self,
        code: TrackedCode,
        outside: Outside,
        among: DependencySet | None,
        key: object = None,
    ) -> None:
        self.key = key
        self.code = code
        self.closure = code.closure
        self.outside = outside
        self.digest = digest_beside(code.digest, outside.dependencies)
        self._among = among

    @property
    def reached(self) -> bytes:
        """The packed dependency set; empty where everything reachable counts."""
        return b"" if self._among is None else self._among.packed

    @property
    def manifest(self) -> Manifest:
        """The dependencies of both. Made anew each time, as it is large, and they are shared."""
        code, outside = self.code.manifest, self.outside.dependencies
        return code.beside(outside)._replace(reached=self.reached) if outside else code

    def explain(
        self, functions: Mapping[Symbol, Via], facts: Mapping[tuple[Symbol, Facet], Via]
    ) -> None:
        """Tell how what only observation knows of was reached."""
        self.code.manifest = self.code.manifest.explained(functions, facts)
        outside = Manifest(self.outside.dependencies).explained(functions, facts)
        self.outside.dependencies = outside.dependencies

    def subject(self, dependency: Dependency) -> Any:
        """What a dependency was taken from, where that is of use to explain a change of it."""
        if dependency.facet is Facet.FILE:
            return file_text(dependency.place.path, dependency.digest)
        return self.closure.subjects.get(dependency.key)


Moment = dict[object, Tracked | TrackedCode]
"""A time in which no code of the user's runs, and what was tracked in it."""


class Settled(NamedTuple):
    """What an evaluation depended on: its dependency set, and that witnessed by what."""

    dependency_set: DependencySet
    witness: Witness


class Tracker:
    """Gives the code digests of functions in one project."""

    def __init__(
        self,
        project: Project,
        options: Options,
        mark_state: Callable[..., None],
        generation: Callable[[], int],
    ) -> None:
        self._project = project
        self._digests = Digests(options.digest_value)
        self._options = options._replace(digest_value=self._digests)
        self._mark_state = mark_state
        self._generation = generation
        self._known: dict[object, tuple[tuple[Any, ...], Tracked]] = {}
        self._codes: dict[object, tuple[tuple[Any, ...], TrackedCode]] = {}
        self._settled: dict[object, tuple[Tracked, Settled]] = {}
        self._lazy: set[str] = set()
        self._loaded_values: dict[Symbol, bytes | None] = {}
        self._lock = threading.RLock()

    def track(
        self,
        roots: tuple[Any, ...],
        declared: Declared,
        among: DependencySet | None = None,
        moment: Moment | None = None,
    ) -> Tracked:
        """Return the closure of `roots`: the function first, then what its arguments brought.

        With a dependency set, only what is in it counts of the functions, and of the facts; else
        everything reachable. Sets that differ in what lies outside the code share one closure.
        What was tracked in a moment is not looked at again in it.
        """
        key = (*map(id, roots), among and among.digest)
        known = self._known.get(key)
        if known is not None:
            tracked = known[1]
            if moment is None:
                if self._still_holds(tracked):
                    return tracked
            elif moment.get(key) is tracked or self._still_holds(tracked, moment):
                moment[key] = tracked
                return tracked
        with self.standing_still():
            code = self._track_code(roots, declared, among, moment)
            tracked = Tracked(code, Outside(self._project.boundary.root, among), among, key)
            # The roots are kept beside their ids, so that the ids cannot come to mean others.
            _keep(self._known, key, (roots, tracked))
            if moment is not None:
                moment[key] = tracked
            return tracked

    def _track_code(
        self,
        roots: tuple[Any, ...],
        declared: Declared,
        among: DependencySet | None,
        moment: Moment | None,
    ) -> TrackedCode:
        """Return the closure for all sets that are `among` but for what lies outside the code."""
        part = None if among is None else among.code
        key = (*map(id, roots), part and part.digest)
        known = self._codes.get(key)
        if known is not None and self._code_holds(known[1], moment):
            return known[1]
        code = self.compute(roots, declared, part)
        _keep(self._codes, key, (roots, code))
        if moment is not None:
            moment[code] = code
        return code

    def still_holds(self, tracked: Tracked, moment: Moment) -> bool:
        """Whether `track` would return `tracked` again."""
        known = self._known.get(tracked.key)
        return known is not None and known[1] is tracked and self._still_holds(tracked, moment)

    def forget(self) -> None:
        """Compute every closure anew: how a global counts was decided otherwise."""
        with self._lock:
            self._known.clear()
            self._codes.clear()
            self._settled.clear()

    def _still_holds(self, tracked: Tracked, moment: Moment | None = None) -> bool:
        if not self._code_holds(tracked.code, moment):
            return False
        tests = tracked.outside.tests
        return not tests or all(map(call, tests))

    def _code_holds(self, code: TrackedCode, moment: Moment | None = None) -> bool:
        if moment and code in moment:
            return True
        if code.generation != self._generation():
            if not self._sources_hold(code):
                return False
            code.generation = self._generation()
        if not self._guard_holds(code.closure.guard):
            return False
        if moment is not None:
            moment[code] = code
        return True

    def _guard_holds(self, guard: Guard) -> bool:
        if not guard.digests_several:
            return guard.holds()
        with self.standing_still():
            return guard.holds()

    def _sources_hold(self, code: TrackedCode) -> bool:
        """Whether the modules of a closure are those that were looked at, after an import."""
        for module in code.closure.modules.values():
            now = self._project.module(module.source.module)
            if now is None or now.source is not module.source:
                return False
        return True

    def compute(
        self, roots: tuple[Any, ...], declared: Declared, reached: Reached | None
    ) -> TrackedCode:
        """Return the closure of `roots` as it is now, with no facts beside it, kept by nobody."""
        while True:
            options = self._options._replace(hidden=frozenset(self._lazy))
            code = self._compute_with(options, roots, declared, reached)
            changed = self._changed_since_loaded(code)
            if not changed:
                return code
            # The program has changed such a module's globals itself: they count by value now.
            self._lazy -= changed

    def compute_by_value(
        self,
        roots: tuple[Any, ...],
        declared: Declared,
        reached: Reached,
        symbols: Set[Symbol],
    ) -> TrackedCode:
        """As `compute`, with the globals `symbols` counting by their values even if they are state.

        So it was when they were not known to be state.
        """
        is_state = self._options.is_state
        options = self._options._replace(
            hidden=frozenset(self._lazy),
            is_state=lambda symbol, digest: symbol not in symbols and is_state(symbol, digest),
        )
        with self.standing_still():
            return self._compute_with(options, roots, declared, reached)

    def _compute_with(
        self, options: Options, roots: tuple[Any, ...], declared: Declared, reached: Reached | None
    ) -> TrackedCode:
        generation = self._generation()
        closure = Closure(self._project, options, reached)
        if declared.version:
            closure.functions.pin(roots[0], declared.version)
        for position, root in enumerate(roots):
            closure.add_root(root, "an argument" if position else "the call")
        for added in declared.depends_on:
            closure.add_declared(added)
        closure.finish()
        return TrackedCode(closure, generation)

    def is_at_work(self) -> bool:
        """Whether another thread is in the middle of its work; or was, in the child of a fork."""
        if not self._lock.acquire(blocking=False):
            return True
        self._lock.release()
        return False

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While no code of the user's runs: each value is digested at most once."""
        with self._lock, collector_paused(), self._digests.kept():
            yield

    # -- modules loaded by an evaluation --------------------------------------------------------

    def _changed_since_loaded(self, code: TrackedCode) -> set[str]:
        """The hidden modules with a global that is no longer what loading made it."""
        changed = set()
        for symbol, value in code.closure.values.hidden_globals():
            digest = code.closure.values.digest_of(value)
            if self._loaded_values.setdefault(symbol, digest) != digest:
                changed.add(code.closure.modules[symbol.module].source.module)
        return changed

    # -- after an evaluation --------------------------------------------------------------------

    def settle(
        self,
        before: Tracked,
        roots: tuple[Any, ...],
        declared: Declared,
        witness: Witness,
        executed: frozenset[str],
        moment: Moment,
    ) -> Settled:
        """Return what an evaluation depended on, which began with the closure `before`.

        `moment` is when it began, with what else was tracked then. Modules that the evaluation
        loaded (`executed`, and those of `before`) go on counting as they did before it: a later
        process looks the call up before it loads them. Globals that it changed are state from now
        on.
        """
        with self.standing_still():
            loaded = (self._loaded_meanwhile(before) | executed) - self._lazy
            key = (*map(id, roots), witness.key)
            seen = _codes_in(before, moment)
            changed: Mapping[int, Any] = {}
            if not loaded and self._still_holds(before) and all(map(self._code_holds, seen)):
                known = self._settled.get(key)
                if known is not None and known[0] is before and known[1].witness.still_holds():
                    return known[1]
            else:
                changed = self._note_changes(seen, loaded)
            while self._mark_names_of(changed, self.compute(roots, declared, witness)):
                pass
            settled = Settled(witness.dependency_set(), witness)
            _keep(self._settled, key, (before, settled))
            return settled

    def _note_changes(self, seen: Sequence[TrackedCode], loaded: Set[str]) -> dict[int, Any]:
        """Note what an evaluation changed; return the objects that it changed, by their ids."""
        self._lazy |= loaded
        self._project.wrappers.note_replaced()
        self._note_new_names(seen, loaded)
        # A closure of the functions that ran before asks for more values than what is reachable.
        changed: set[tuple[Symbol, bytes]] = set()
        objects: dict[int, Any] = {}
        for values in (code.closure.values for code in seen):
            found = dict(_changed(values))
            changed.update(found.items())
            inside = (each for symbol in found for each in values.changed_inside(symbol))
            objects.update((id(each), each) for each in inside)
            values.note_initial()
            self._note_replaced(values)
        if changed:
            self._mark_state(*changed)
        return objects

    def _note_new_names(self, seen: Sequence[TrackedCode], loaded: Set[str]) -> None:
        """Note what an evaluation put into namespaces of modules and classes."""
        for code in seen:
            values = code.closure.values
            for module, names in code.closure.members.escaped.values():
                _note_made(module, module.names() - names, values)
            for symbol, module in code.closure.absent.items():
                # What is made when it is first asked for, by a module's `__getattr__` or without.
                _note_made(module, {symbol.name}, values)
            for live, known in code.closure.members.class_names:
                self._project.made_members.note(live, known)
        for package, _, name in (each.rpartition(".") for each in loaded):
            # Importing a module puts it into the namespace of its package.
            parent = self._project.module(package) if package else None
            if parent is not None and _is_submodule(parent, name):
                _note_made(parent, {name}, seen[0].closure.values)

    def _note_replaced(self, values: Values) -> None:
        """Note where an evaluation put a definition: a function, a class, a module.

        Such a global would count by that, and in the next process by what it was at first.
        """
        for read, before, now in values.replaced():
            made = Made(now, values.digest_of(now), (before,))
            if type(read.holder) is Module:
                read.holder.made[read.name] = made
            else:
                self._project.made_members.note_replaced(read.holder, read.name, made)

    def _mark_names_of(self, objects: Mapping[int, Any], code: TrackedCode) -> bool:
        """Let changed objects be state by each name; whether any was not yet known to be.

        Once a global counts by its definition, that leads to where it was imported from.
        """
        if not objects:  # or all that any global holds would be looked through for nothing
            return False
        values = code.closure.values
        names = {symbol: values.definition_digest(symbol) for symbol in values.leading_to(objects)}
        new = {pair for pair in names.items() if not self._options.is_state(*pair)}
        if new:
            self._mark_state(*new)
        return bool(new)

    def track_as_of(
        self,
        roots: tuple[Any, ...],
        declared: Declared,
        among: DependencySet,
        digests: Mapping[Fact, Digest],
    ) -> Tracked:
        """As `track`, with the digests that some facts had when they were asked for."""
        now = self.track(roots, declared, among)
        if now.outside.agrees(digests):
            return now
        then = Outside(self._project.boundary.root, Pinned(among, digests))
        return Tracked(now.code, then, among)

    def _loaded_meanwhile(self, before: Tracked) -> frozenset[str]:
        unloaded = [m for m in before.closure.modules.values() if m.namespace is None]
        found = set()
        for module in unloaded:
            now = self._project.module(module.source.module)
            if now is not None and now.namespace is not None:
                found.add(module.source.module)
        return frozenset(found)


def _is_submodule(package: Module, name: str) -> bool:
    live = sys.modules.get(f"{package.source.module}.{name}")
    return live is not None and (package.namespace or {}).get(name) is live


def _note_made(module: Module, names: Set[str], values: Values) -> None:
    """Note which of some names an evaluation has put into a module's namespace."""
    namespace = module.namespace or {}
    for name in names:
        if name in namespace:
            module.made[name] = Made(namespace[name], values.digest_of(namespace[name]))


def _codes_in(before: Tracked, moment: Moment) -> list[TrackedCode]:
    """What was tracked when an evaluation began: all that is reachable, and among known sets."""
    found = [before.code, *(each for each in moment.values() if isinstance(each, TrackedCode))]
    return list({id(code): code for code in found}.values())


def _changed(values: Values) -> Iterator[tuple[Symbol, bytes]]:
    """Yield the globals that an evaluation has changed, with their definitions."""
    for symbol in values.live:
        if values.has_changed(symbol):
            yield symbol, values.definition_digest(symbol)


K = TypeVar("K")
V = TypeVar("V")


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """Keep the latest; a lambda made for each call is a new root each time: let the oldest go."""
    known.pop(key, None)
    known[key] = value
    if len(known) > KEPT:
        del known[next(iter(known))]
