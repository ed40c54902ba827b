"""Reached: which of the reachable functions count, and which facts from outside the code.

Owns dependency sets, the names by which what one evaluation depended on is found again, and
witnesses, from which they are made. Refuses to observe and to digest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import NamedTuple, Protocol

import msgpack

from hitsave.code.definition import FunctionDefinition
from hitsave.code.dependencies import BY_OBSERVATION, Via
from hitsave.code.project import Module
from hitsave.code.symbol import OUTSIDE, Facet, Place, Symbol
from hitsave.digest import Digest, digest_bytes, digest_parts
from hitsave.errors import DamagedError

MOST_SETS = 8
"""A function has this many dependency sets for all its calls; more are those of one call each."""

ANY_MODULE = "*"
"""The name of the fact that says: which modules were imported could not be seen."""

ANY_HEADER = "*"
"""The name of the fact that says: whose parameters were read could not be seen."""


class Fact(NamedTuple):
    """Something outside the code that an evaluation asked for.

    `facet` is FILE, LISTING, PRESENCE, VARIABLE, IMPORT or LOADED. `name` is a path (relative to
    the workspace root where it lies under that), an environment variable or a module. Or it is
    HEADER, and `name` the function whose parameters were read by reflection.
    """

    facet: Facet
    name: str


class Reached(Protocol):
    """What a closure asks of the observation that narrows it."""

    def counts(self, symbol: Symbol, module: Module, definition: FunctionDefinition, /) -> bool:
        """Whether the body of a reachable function counts."""
        ...

    def roots(self) -> Iterable[tuple[Symbol, Via]]:
        """The functions that count, reachable or not."""
        ...

    def facts(self) -> Iterable[tuple[Fact, Digest | None, Via]]:
        """The facts that count, with their digests where those of the present must not be taken."""
        ...

    def has_fact(self, fact: Fact) -> bool:
        """Whether a fact counts."""
        ...

    def read_at(self, place: Place, via: Via, /) -> None:
        """What some lines of code read at any time in this process counts, led to by `via`."""
        ...

    @property
    def packed(self) -> bytes:
        """The dependency set, encoded."""
        ...


class DependencySet:
    """The functions and facts that one evaluation depended on, by name.

    `outside` are the facts that lead to nothing in the code. The rest of the set, `code`, is a set
    itself: what a closure is narrowed by.
    """

    __slots__ = ("_code", "_facts", "_packed", "digest", "functions", "outside")

    def __init__(self, functions: Iterable[str], facts: Iterable[Fact] = ()) -> None:
        facts = frozenset(facts)
        outside = frozenset(fact for fact in facts if fact.facet in OUTSIDE)
        code = DependencySet(functions, facts - outside) if outside else None
        self._fill(frozenset(functions) if code is None else code.functions, facts, outside, code)

    @classmethod
    def beside(cls, code: "DependencySet", outside: Set[Fact]) -> "DependencySet":
        """Return the set of a code part, which it shares with others, and of facts outside it."""
        made = cls.__new__(cls)
        facts = code._facts.union(outside)
        made._fill(code.functions, facts, frozenset(outside), code if outside else None)
        return made

    def _fill(
        self,
        functions: frozenset[str],
        facts: frozenset[Fact],
        outside: frozenset[Fact],
        code: "DependencySet | None",
    ) -> None:
        self.functions = functions
        self._facts = facts
        self.outside = outside
        self._code = code
        self._packed = _pack(functions, facts) if code is None else None
        if self._packed is not None:
            self.digest = digest_bytes(self._packed)
        elif code is not None:
            # Not of the whole: what many sets have in common is packed and digested once.
            self.digest = digest_parts("set", [code.digest, _pack((), outside)])

    @property
    def code(self) -> "DependencySet":
        """What of the set concerns the code."""
        return self if self._code is None else self._code

    @property
    def packed(self) -> bytes:
        """See `Reached`."""
        return _pack(self.functions, self._facts) if self._packed is None else self._packed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DependencySet) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"DependencySet({sorted(self.functions)}, {sorted(self._facts)})"

    # -- as what narrows a closure --------------------------------------------------------------

    def counts(self, symbol: Symbol, _module: Module, _definition: FunctionDefinition) -> bool:
        """See `Reached`."""
        return str(symbol) in self.functions

    def roots(self) -> Iterator[tuple[Symbol, Via]]:
        """See `Reached`."""
        for name in sorted(self.functions):
            yield Symbol.parse(name), BY_OBSERVATION

    def facts(self) -> Iterator[tuple[Fact, Digest | None, Via]]:
        """See `Reached`."""
        for fact in sorted(self._facts):
            yield fact, None, BY_OBSERVATION

    def has_fact(self, fact: Fact) -> bool:
        """See `Reached`."""
        return fact in self._facts

    def read_at(self, _place: Place, _via: Via) -> None:
        """See `Reached`: what counts of it is in the set."""

    @property
    def is_wide(self) -> bool:
        """Whether not everything could be seen of the evaluation."""
        return Fact(Facet.IMPORT, ANY_MODULE) in self._facts

    def restricted(self, functions: Iterable[str]) -> "DependencySet":
        """Return the set with these functions alone, and all its facts."""
        return DependencySet(functions, self._facts)

    # -- as a set -------------------------------------------------------------------------------

    def covers(self, other: "DependencySet") -> bool:
        """Whether everything in `other` is in this set."""
        return self.functions >= other.functions and self._facts >= other._facts

    def united(self, others: "Iterable[DependencySet]") -> "DependencySet":
        """Return the set of everything in this and the others."""
        others = tuple(others)
        functions = self.functions.union(*(other.functions for other in others))
        return DependencySet(functions, self._facts.union(*(other._facts for other in others)))

    @classmethod
    def unpack(cls, data: bytes) -> "DependencySet":
        """Decode a set. Raises `DamagedError` where the bytes are none."""
        try:
            functions, rows = msgpack.unpackb(data)
            facts = [Fact(Facet(facet), name) for facet, name in rows]
            if type(functions) is not list:
                raise ValueError("no list of functions")
            if not all(type(name) is str for name in (*functions, *(fact.name for fact in facts))):
                raise ValueError("names that are no texts")
            return cls(functions, facts)
        except (ValueError, TypeError) as error:
            raise DamagedError(f"the dependency set cannot be read: {error}") from error


def _pack(functions: Iterable[str], facts: Iterable[Fact]) -> bytes:
    rows = [(str(fact.facet), fact.name) for fact in sorted(facts)]
    return bytes(msgpack.packb((sorted(functions), rows)) or b"")


ReadAt = Callable[[Place], tuple[tuple[Fact, Digest], ...]]
"""Tells what some lines of code read at any time in this process."""


def _nothing(_place: Place) -> tuple[()]:
    return ()


class Witness:
    """What one evaluation was seen to do, and what may have run in this process before it.

    `roots` are the functions that the evaluation ran, with what called them; `facts` what it asked
    for, with the digest that this had then. `has_run` says of any other function whether it ran at
    some time, or may have; `headers` whose parameters were read by then; `read_at` what some lines
    of code read. What counted is noted on the way: see `dependency_set`, and `left` for the facts
    that were read by `read_at` before the evaluation.
    """

    def __init__(
        self,
        roots: Mapping[Symbol, Via],
        facts: Mapping[Fact, tuple[Digest, Via]],
        has_run: Callable[[Module, FunctionDefinition], bool],
        headers: Set[Fact] = frozenset(),
        read_at: ReadAt = _nothing,
    ) -> None:
        self._roots = roots
        self._facts = facts
        self._headers = headers
        self._read_at = read_at
        self._places: dict[Place, tuple[tuple[Fact, Digest], ...]] = {}
        self.left: dict[Fact, tuple[Digest, Via]] = {}
        self._asked: set[Fact] = set()
        self._has_run = has_run
        self._counted = set(map(str, roots))
        self._unused: list[tuple[Module, FunctionDefinition]] = []

    @property
    def key(self) -> object:
        """What witnesses that saw the same have in common."""
        return frozenset(self._roots), frozenset(self._facts), frozenset(self._headers)

    def counts(self, symbol: Symbol, module: Module, definition: FunctionDefinition) -> bool:
        """See `Reached`."""
        if symbol in self._roots:
            return True
        if self._has_run(module, definition):
            self._counted.add(str(symbol))
            return True
        self._unused.append((module, definition))
        return False

    def roots(self) -> Iterator[tuple[Symbol, Via]]:
        """See `Reached`."""
        yield from sorted(self._roots.items())

    def facts(self) -> Iterator[tuple[Fact, Digest | None, Via]]:
        """See `Reached`."""
        for fact, (digest, via) in sorted(self._facts.items()):
            yield fact, digest, via

    def has_fact(self, fact: Fact) -> bool:
        """See `Reached`."""
        if fact in self._headers:
            self._asked.add(fact)
        return fact in self._facts or fact in self._headers

    def read_at(self, place: Place, via: Via) -> None:
        """See `Reached`."""
        found = self._places[place] = self._read_at(place)
        for fact, digest in found:
            self.left.setdefault(fact, (digest, via))

    @property
    def packed(self) -> bytes:
        """See `Reached`."""
        return self.dependency_set().packed

    def dependency_set(self) -> DependencySet:
        """What counted in the closure that this narrowed."""
        return DependencySet(self._counted, self._asked.union(self._facts, self.left))

    def still_holds(self) -> bool:
        """Whether what did not count has not run since either, and nothing more was read."""
        if any(self._has_run(module, definition) for module, definition in self._unused):
            return False
        return all(self._read_at(place) == found for place, found in self._places.items())


class Without:
    """A dependency set without some functions, and so without what only they lead to."""

    def __init__(self, among: DependencySet, without: Set[str]) -> None:
        self._functions = among.functions - without
        self.facts = among.facts
        self.has_fact = among.has_fact
        self.read_at = among.read_at
        self.packed = b""

    def counts(self, symbol: Symbol, _module: Module, _definition: FunctionDefinition) -> bool:
        """See `Reached`."""
        return str(symbol) in self._functions

    def roots(self) -> Iterator[tuple[Symbol, Via]]:
        """See `Reached`: what the source leads to, and no more."""
        return iter(())


class Pinned:
    """A dependency set some of whose facts have the digests of an earlier moment."""

    def __init__(self, among: DependencySet, digests: Mapping[Fact, Digest]) -> None:
        self._among = among
        self._digests = digests
        self.packed = among.packed
        self.counts = among.counts
        self.roots = among.roots
        self.has_fact = among.has_fact
        self.read_at = among.read_at

    def facts(self) -> Iterator[tuple[Fact, Digest | None, Via]]:
        """See `Reached`."""
        for fact, _, via in self._among.facts():
            yield fact, self._digests.get(fact), via
