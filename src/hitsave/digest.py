"""Digests: BLAKE3 over labelled, delimited parts.

Owns how bytes become a digest and how a digest is written for people. Refuses to know what the
bytes mean: values are turned into bytes by `codec`, definitions by `code`.
"""

from collections.abc import Iterable

from blake3 import blake3

SIZE = 32
"""Length of a digest, in bytes."""

Digest = bytes
"""A BLAKE3 value of `SIZE` bytes."""


def digest_bytes(content: bytes | bytearray | memoryview) -> Digest:
    """Return the plain BLAKE3 digest of `content` (the digest `b3sum` prints)."""
    return blake3(content).digest()


def digest_parts(label: str, parts: Iterable[bytes]) -> Digest:
    """Return the digest of `parts` under `label`.

    Each part is preceded by its length, and the label by its own, so that no two different
    (label, parts) hash the same input.
    """
    return blake3(labelled_input(label, parts)).digest()


def digest_part(label: str, part: bytes | memoryview) -> Digest:
    """As `digest_parts` of one part, which may be large: it is not copied."""
    return blake3(labelled_input(label, ()) + b"%d:" % len(part)).update(part).digest()


def labelled_input(label: str, parts: Iterable[bytes]) -> bytes:
    """Return the exact bytes that `digest_parts` hashes, for looking at when two digests differ."""
    pieces = [b"%d:%s" % (len(label.encode()), label.encode())]
    pieces.extend(b"%d:%s" % (len(part), part) for part in parts)
    return b"".join(pieces)


def short(digest: Digest, length: int = 12) -> str:
    """Return the first `length` hexadecimal digits of `digest`, as people quote it."""
    return digest.hex()[:length]
