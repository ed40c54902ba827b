"""Dependencies: what one call depends on, as values.

Owns dependencies, manifests and code digests. Refuses to find anything out: the closure does.
"""

import zlib
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgpack

from hitsave.code.external import PYTHON
from hitsave.code.symbol import OUTSIDE, Facet, Place, Symbol
from hitsave.digest import digest_parts
from hitsave.errors import DamagedError, OtherSchemaError

SCHEMA = 16
"""Grows whenever the same code would be given another manifest."""


class Via(NamedTuple):
    """How a dependency was reached: from which symbol, why, and at which line."""

    owner: Symbol
    reason: str
    line: int

    def __str__(self) -> str:
        where = f" at line {self.line}" if self.line else ""
        return f"{self.reason} {self.owner}{where}"


BY_OBSERVATION = Via(Symbol("", ""), "seen to run", 0)
"""How what only a dependency set knows of was reached."""


class Dependency(NamedTuple):
    """One facet of one symbol with its digest, where it stands, and how it was reached."""

    symbol: Symbol
    facet: Facet
    digest: bytes
    place: Place
    via: Via

    @property
    def key(self) -> tuple[Symbol, Facet]:
        """The member of the dependency set that this is."""
        return self.symbol, self.facet


class Manifest(NamedTuple):
    """A dependency set with the digest of each facet, sorted.

    `reached` is the packed dependency set that it was narrowed by; empty where everything reachable
    counts. `imported` is the key under which it is kept what was loaded by then; empty where that
    is not known.
    """

    dependencies: tuple[Dependency, ...]
    reached: bytes = b""
    imported: bytes = b""

    @property
    def code_digest(self) -> bytes:
        """The digest of the manifest: of symbols, facets and their digests, not of places."""
        code, outside = self.apart()
        return digest_beside(digest_of(code), outside)

    def apart(self) -> tuple[tuple[Dependency, ...], tuple[Dependency, ...]]:
        """The dependencies on code, and those on what lies outside it."""
        code = tuple(d for d in self.dependencies if d.facet not in OUTSIDE)
        return code, tuple(d for d in self.dependencies if d.facet in OUTSIDE)

    def beside(self, outside: Iterable[Dependency]) -> "Manifest":
        """Return the manifest of these dependencies, and of a few on what lies outside the code."""
        dependencies = list(self.dependencies)
        for dependency in outside:
            insort(dependencies, dependency, key=_order)
        return self._replace(dependencies=tuple(dependencies))

    def explained(
        self, functions: Mapping[Symbol, Via], facts: Mapping[tuple[Symbol, Facet], Via]
    ) -> "Manifest":
        """Return the same manifest, telling how what only observation knows of was reached."""

        def told(dependency: Dependency) -> Dependency:
            if dependency.via != BY_OBSERVATION:
                return dependency
            via = facts.get(dependency.key) or functions.get(dependency.symbol)
            return dependency if via is None else dependency._replace(via=via)

        return self._replace(dependencies=tuple(map(told, self.dependencies)))

    def by_key(self) -> dict[tuple[Symbol, Facet], Dependency]:
        """The dependencies by symbol and facet."""
        return {dependency.key: dependency for dependency in self.dependencies}


def digest_of(dependencies: Iterable[Dependency]) -> bytes:
    """Return the code digest of dependencies on code, which are sorted."""
    return digest_parts("code", [PYTHON.encode(), b"%d" % SCHEMA, *_inputs(dependencies)])


def digest_beside(code: bytes, outside: Iterable[Dependency]) -> bytes:
    """Return the code digest of what has the digest `code`, and of what lies outside."""
    inputs = _inputs(outside)
    return digest_parts("beside", [code, *inputs]) if inputs else code


def _inputs(dependencies: Iterable[Dependency]) -> list[bytes]:
    parts = []
    for dependency in dependencies:
        parts.append(f"{dependency.symbol}\0{dependency.facet}".encode())
        parts.append(dependency.digest)
    return parts


def in_order(dependencies: Iterable[Dependency]) -> tuple[Dependency, ...]:
    """Return dependencies in the order in which a manifest has them."""
    return tuple(sorted(dependencies, key=_order))


def _order(dependency: Dependency) -> tuple[Symbol, Facet]:
    return dependency.symbol, dependency.facet


def pack_manifest(manifest: Manifest, beside: bytes = b"") -> bytes:
    """Encode a manifest; where `beside` is given, that with the rest of its dependencies."""
    rows = [
        (str(d.symbol), str(d.facet), d.digest, d.place, (str(d.via.owner), *d.via[1:]))
        for d in manifest.dependencies
    ]
    packed = bytes(msgpack.packb((SCHEMA, PYTHON, rows, *manifest[1:], beside)) or b"")
    # Paths, modules and reasons come again and again: a tenth is left, for little time.
    return zlib.compress(packed, 1)


def code_part(data: bytes, own: bytes) -> bytes:
    """Return the digest of the code alone in an encoded manifest of the code digest `own`.

    Raises `DamagedError` as `unpack_manifest` does.
    """
    return _unpack(data)[-1] or own


def unpack_own(data: bytes) -> tuple[Manifest, bytes]:
    """Decode what is in an encoded manifest itself; the digest of the one with the rest, or b"".

    Raises `DamagedError` as `unpack_manifest` does.
    """
    rows, reached, imported, beside = _unpack(data)
    try:
        return Manifest(tuple(_dependency(*row) for row in rows), reached, imported), beside
    except (ValueError, TypeError) as error:
        raise DamagedError(f"the manifest cannot be read: {error}") from error


def unpack_manifest(data: bytes, load: Callable[[bytes], bytes | None]) -> Manifest:
    """Decode a manifest; `load` gives the bytes of the one with the rest of its dependencies.

    Raises `DamagedError` where the bytes are not one of this schema.
    """
    own, beside = unpack_own(data)
    if not beside:
        return own
    rest = load(beside)
    if rest is None:
        raise DamagedError("the manifest of the code in it is gone")
    code = unpack_manifest(rest, load).beside(own.dependencies)
    return code._replace(reached=own.reached, imported=own.imported)


def _unpack(data: bytes) -> tuple[Any, bytes, bytes, bytes]:
    try:
        schema, _, *content = msgpack.unpackb(zlib.decompress(data), use_list=False)
        if schema != SCHEMA:
            raise OtherSchemaError(f"the manifest is of schema {schema}, not {SCHEMA}")
        rows, reached, imported, beside = content
    except OtherSchemaError:
        raise
    except (ValueError, TypeError, zlib.error) as error:
        raise DamagedError(f"the manifest cannot be read: {error}") from error
    return rows, reached, imported, beside


def _dependency(
    symbol: str,
    facet: str,
    digest: bytes,
    place: tuple[str, int, int],
    via: tuple[str, str, int],
) -> Dependency:
    owner, reason, line = via
    return Dependency(
        Symbol.parse(symbol),
        Facet(facet),
        digest,
        Place(*place),
        Via(Symbol.parse(owner), reason, line),
    )
