"""The journal: what project code has read at any time in this process, and where it stood then.

Owns what an evaluation does not show, because it was done before: a module that is imported reads
a file, a helper with a cache of its own reads another. Files are not read here for their digests:
that waits until somebody asks, unless they may change in the meantime without showing it.
"""

import os
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

from hitsave.code.surroundings import DIGESTS, Signature, is_racy, signature
from hitsave.code.symbol import Facet
from hitsave.digest import Digest, digest_parts
from hitsave.observe.places import Places, path_of

MOST = 10_000
"""How many readings are kept of one line of code, or of one import.

Nobody can tell whether the rest of them has changed, so that what depends on these never hits.
"""


class Reading(NamedTuple):
    """Of what lies outside the code; `name` is an absolute path, or that of a variable."""

    facet: Facet
    name: str


Readings = dict[Reading, None]
"""Readings, in the order in which they were done."""


class State(NamedTuple):
    """How something was when it was first read: its digest, or a signature if that is enough."""

    signature: Signature | None
    digest: Digest | None

    @property
    def token(self) -> bytes:
        """Tells this state from every other."""
        return repr(self).encode()

    def differs(self, other: "State") -> bool:
        """Whether these are surely two states."""
        is_known = self.digest is not None and other.digest is not None
        return self.signature != other.signature or (is_known and self.digest != other.digest)


class Journal:
    """Readings by the lines of project code that were under way."""

    def __init__(self) -> None:
        self.places = Places(bool)
        self.own: set[str] = set()  # paths that this process made or wrote to
        self.variables: set[str] = set()  # environment variables that it set
        self.walks: set[tuple[CodeType, int]] = set()  # where it walked through the environment
        self._states: dict[Reading, State] = {}
        self._lines: dict[str, dict[int, Readings]] = {}
        self._imports: dict[str, Readings] = {}

    def enter(self, facet: Facet, name: str, frame: FrameType | None) -> None:
        """Note that `frame` is about to read something, for all project code at or above it."""
        reading = Reading(facet, name)
        now, known = _state_of(reading), self._states.get(reading)
        if known is None:
            # Before anybody finds the reading.
            self._states[reading] = now
        elif known.differs(now):
            if known.digest is not None and known.digest == DIGESTS[facet](name):
                now = State(now.signature, known.digest)
            else:
                # What was made of it may be of either.
                now = State(now.signature, _never(known.token + now.token))
            self._states[reading] = now
        if not self._add_for_all(reading, frame) and known is None:
            # One of more than are kept.
            del self._states[reading]

    def read_again(self, path: str) -> None:
        """Read a file that was read before: its times are about to change, and nothing else."""
        reading = Reading(Facet.FILE, path)
        if reading in self._states:
            self.digest(reading)

    def _add_for_all(self, reading: Reading, frame: FrameType | None) -> bool:
        """Whether a reading is among those of any project code at or above `frame` from now on."""
        is_kept = False
        while frame is not None:
            path = path_of(frame.f_code)
            if self.places.holds(path):
                line = frame.f_lineno or frame.f_code.co_firstlineno
                readings = self._lines.setdefault(path, {}).setdefault(line, {})
                is_kept = self._add(reading, readings, f"{path}:{line}") or is_kept
                if _is_import(frame):
                    imports = self._imports.setdefault(path, {})
                    is_kept = self._add(reading, imports, path) or is_kept
            frame = frame.f_back
        return is_kept

    def _add(self, reading: Reading, readings: Readings, reader: str) -> bool:
        """Whether a reading is among `readings` from now on."""
        if len(readings) < MOST:
            readings[reading] = None
        elif len(readings) == MOST and reading not in readings:
            # It stands for all the others, in a state that nothing is ever in.
            rest = Reading(Facet.FILE, f"{reader} and more than {MOST} others")
            self._states[rest] = State(None, _never(os.urandom(16)))
            readings[rest] = None
        return reading in readings

    def readings(self, path: str, first: int, last: int) -> Iterator[Reading]:
        """Yield what was read while lines of a file were under way, at or below them."""
        lines = self._lines.get(path, {})
        found = {
            reading: None
            for line, readings in tuple(lines.items())
            if first <= line <= last
            for reading in tuple(readings)
        }
        yield from found

    def readings_on_import(self, path: str) -> list[Reading]:
        """Return what was read while a file was imported, by it or on its behalf."""
        return sorted(self._imports.get(path, ()))

    def digest(self, reading: Reading) -> Digest:
        """Return the digest that something had when it was read.

        Where it is not known any more, it is one that nothing else has.
        """
        state = self._states[reading]
        if state.digest is not None:
            return state.digest
        if signature(reading.name) == state.signature:
            digest = DIGESTS[reading.facet](reading.name)
            if signature(reading.name) == state.signature:
                self._states[reading] = state._replace(digest=digest)
                return digest
        return _never(state.token)

    def state(self, reading: Reading) -> bytes:
        """Return what tells how something was when it was read, without reading it."""
        state = self._states[reading]
        return (state if state.signature is None else state._replace(digest=None)).token


def _never(token: bytes) -> Digest:
    """Return a digest that no content has."""
    return digest_parts("changed since it was read", [token])


def _is_import(frame: FrameType) -> bool:
    """Whether `frame` executes a module, other than the main program."""
    return frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") != "__main__"


def _state_of(reading: Reading) -> State:
    if reading.facet in (Facet.FILE, Facet.LISTING):
        found = signature(reading.name)
        if found is not None and not is_racy(found):
            return State(found, None)
        return State(found, DIGESTS[reading.facet](reading.name))
    return State(None, DIGESTS[reading.facet](reading.name))


journal = Journal()
"""The one of this process."""
