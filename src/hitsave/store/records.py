"""Call records: what is kept of one call, as a value and as bytes.

Owns the layout of a record and its version. Refuses to know what a payload or a summary means.
"""

import time
from itertools import product
from typing import Any, NamedTuple, cast

import msgpack

from hitsave.digest import Digest
from hitsave.errors import DamagedError, NotEncodableError, OtherSchemaError

LAYOUT = 3
"""The version of the layout of a packed record. One with any other is refused."""

Argument = tuple[str, Digest, str]
Context = dict[str, object]


class CallRecord(NamedTuple):
    """What is kept of one call.

    `code` is the code digest, which is also the key of the manifest. `arguments` holds a name, a
    digest and a summary for each. The result's encoding is in `payload` where it is small, or in
    the object whose digest is `object`; `pickled` says whether any of it is a pickle, and `result`
    is its summary; `known` is the digest that it has as an argument, where that is known; `keeps`
    are the digests of the snapshots in it, or taken for it, whose content stays for as long as the
    record. `started` and `expires` are seconds since the epoch, `seconds` how long it ran. `kind`
    is "memo" or "experiment"; `context` (host, Python, commit) is filled for experiments.
    """

    symbol: str
    code: Digest
    arguments: tuple[Argument, ...]
    payload: bytes | None
    object: Digest | None
    pickled: bool
    result: str
    known: Digest | None
    keeps: tuple[Digest, ...]
    started: float
    seconds: float
    kind: str
    context: Context
    expires: float | None

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires < time.time()


_NOTHING = type(None)
# Every combination of types that the layout and the fields may have once the context is packed by
# itself: one look-up checks all fifteen, where as many `isinstance` would cost as much as the
# unpacking.
_SHAPES = frozenset(
    product(
        (int,),
        (str,),
        (bytes,),
        (tuple,),
        (bytes, _NOTHING),
        (bytes, _NOTHING),
        (bool,),
        (str,),
        (bytes, _NOTHING),
        (tuple,),
        (float,),
        (float,),
        (str,),
        (bytes,),
        (float, _NOTHING),
    )
)
_ARGUMENT_SHAPE = (str, bytes, str)


def pack_call(record: CallRecord) -> bytes:
    """Return `record` as bytes. Raises NotEncodableError where a field is not plain data."""
    try:
        context = _pack(record.context) if record.context else b""
        expires = None if record.expires is None else float(record.expires)
        fields = (
            *record[:5],
            bool(record.pickled),
            record.result,
            record.known,
            tuple(record.keeps),
            float(record.started),
            float(record.seconds),
            record.kind,
            context,
            expires,
        )
        return _pack((LAYOUT, *fields))
    except (TypeError, ValueError, OverflowError) as error:
        raise NotEncodableError(f"A call record cannot be packed: {error}.") from error


def unpack_call(data: bytes) -> CallRecord:
    """Return the record that `pack_call` made `data` from. Raises DamagedError for any other."""
    fields: Any = _unpack_fields(data)
    if type(fields[0]) is int and fields[0] != LAYOUT:
        raise OtherSchemaError("A call record has a layout that this version does not read.")
    if tuple(map(type, fields)) not in _SHAPES:
        raise DamagedError("A call record is not what was written.")
    _, *most, context, expires = fields
    record = CallRecord._make((*most, _unpack_context(context) if context else {}, expires))
    # Loops, for every hit comes here: what they build would take longer than what they test.
    for argument in record.arguments:
        if type(argument) is not tuple or tuple(map(type, argument)) != _ARGUMENT_SHAPE:
            raise DamagedError("A call record has an argument that this version does not read.")
    for kept in record.keeps:
        if type(kept) is not bytes:
            raise DamagedError("A call record keeps what has no digest.")
    return record


def is_of_other_layout(data: bytes) -> bool:
    """Whether a record was made by another version, and refers to what this one cannot know."""
    try:
        layout = _unpack_fields(data)[0]
    except DamagedError:
        return False
    return type(layout) is int and layout != LAYOUT


def _pack(value: object) -> bytes:
    return cast("bytes", msgpack.packb(value, unicode_errors="surrogatepass"))


def _unpack_fields(data: bytes) -> tuple[object, ...]:
    # Tuples throughout, as the record has them; only a context may hold lists.
    fields = _unpack(data, use_list=False)
    if type(fields) is not tuple or not fields:
        raise DamagedError("A call record is not what was written.")
    return fields


def _unpack_context(data: bytes) -> Context:
    context = _unpack(data, use_list=True)
    if type(context) is not dict or not all(type(name) is str for name in context):
        raise DamagedError("The context of a call record is not what was written.")
    return cast("Context", context)


def _unpack(data: bytes, *, use_list: bool) -> object:
    try:
        unpacked: object = msgpack.unpackb(
            data, use_list=use_list, unicode_errors="surrogatepass", strict_map_key=True
        )
    except Exception as error:
        # msgpack raises a dozen unrelated types on malformed input.
        raise DamagedError(f"A call record cannot be unpacked: {error!r}.") from error
    return unpacked
