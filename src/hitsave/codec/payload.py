"""The layout of a payload.

Owns its version and its modes. Refuses to know how a value becomes records.

A payload is msgpack: `[VERSION, mode, ...]`. `PLAIN`: the value itself, for unshared lists and
dicts of scalars. `GRAPH`: `[names, records]`, one record for each object, children before
parents; a record is `[name, part, ...]` and a part is a scalar, `[record]`, or `[buffer, size]`.
A name is that of a format, or a list that says more: a class and its fields, a registered codec.
`PICKLE`: a pickle of the whole, so that what its parts share stays shared; beside it the name of
the main module, where that may be in it.
"""

from typing import NamedTuple

from msgpack import Packer

VERSION = 1
PLAIN, GRAPH, PICKLE = 0, 1, 2


class Encoded(NamedTuple):
    """A value as bytes: `payload`, and `buffers` of 64 KiB or more each, contiguous.

    `pickled` says whether anything in it went through pickle; `keeps` are digests of what in the
    store its registered codecs refer to.
    """

    payload: bytes
    buffers: tuple[memoryview | bytes, ...]
    pickled: bool
    keeps: tuple[bytes, ...] = ()


def pack(value: object) -> bytes:
    packed: bytes = Packer(unicode_errors="surrogatepass").pack(value)
    return packed
