"""Call records as bytes."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave.errors import DamagedError, NotEncodableError, OtherSchemaError
from hitsave.store import CallRecord, is_of_other_layout, pack_call, unpack_call

RECORD = CallRecord(
    symbol="pkg.mod:Class.method",
    code=b"c" * 32,
    arguments=(("x", b"a" * 32, "3"), ("y", b"b" * 32, "'text'")),
    payload=b"payload",
    object=None,
    pickled=False,
    result="9",
    known=None,
    keeps=(b"k" * 32,),
    started=1_700_000_000.25,
    seconds=0.5,
    kind="memo",
    context={},
    expires=None,
)

digests = st.binary(min_size=32, max_size=32)
# Summaries of odd strings hold lone surrogates.
texts = st.text(st.characters(), max_size=20)
moments = st.floats(0, 1e12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
records = st.builds(
    CallRecord,
    symbol=texts,
    code=digests,
    arguments=st.lists(st.tuples(texts, digests, texts), max_size=4).map(tuple),
    payload=st.none() | st.binary(max_size=100),
    object=st.none() | digests,
    pickled=st.booleans(),
    result=texts,
    known=st.none() | digests,
    keeps=st.lists(digests, max_size=3).map(tuple),
    started=moments,
    seconds=moments,
    kind=st.sampled_from(["memo", "experiment"]),
    context=st.dictionaries(texts, plain, max_size=4),
    expires=st.none() | moments,
)


@given(records)
def test_a_record_comes_back_equal_and_of_the_same_types(record: CallRecord) -> None:
    back = unpack_call(pack_call(record))
    assert back == record
    assert [type(field) for field in back] == [type(field) for field in record]


def test_whole_numbers_of_seconds_come_back_as_floats() -> None:
    back = unpack_call(pack_call(RECORD._replace(started=5, seconds=0, expires=7)))
    assert [type(x) for x in (back.started, back.seconds, back.expires)] == [float] * 3


@pytest.mark.parametrize("value", [object(), 2**64, {1, 2}, {"deep": [object()]}])
def test_a_context_that_is_no_plain_data_is_refused(value: object) -> None:
    with pytest.raises(NotEncodableError):
        pack_call(RECORD._replace(context={"name": value}))


@given(st.binary(max_size=200))
def test_any_other_bytes_are_damaged(data: bytes) -> None:
    with pytest.raises(DamagedError):
        unpack_call(data)


@given(st.integers(0, len(pack_call(RECORD)) - 1))
def test_a_shortened_record_is_damaged(length: int) -> None:
    with pytest.raises(DamagedError):
        unpack_call(pack_call(RECORD)[:length])


@given(st.integers(0, 8 * len(pack_call(RECORD)) - 1))
def test_a_flipped_bit_gives_a_record_or_damage_and_nothing_else(bit: int) -> None:
    data = bytearray(pack_call(RECORD))
    data[bit // 8] ^= 1 << bit % 8
    try:
        back = unpack_call(bytes(data))
    except DamagedError:
        return
    assert len(back) == len(RECORD)
    assert all(type(name) is str and type(digest) is bytes for name, digest, _ in back.arguments)


@pytest.mark.parametrize("position", range(1, 15))
def test_a_field_of_another_type_is_damaged(position: int) -> None:
    fields = list(msgpack.unpackb(pack_call(RECORD)))
    fields[position] = 7
    with pytest.raises(DamagedError):
        unpack_call(msgpack.packb(fields))


@pytest.mark.parametrize(
    "fields",
    [[2], [], 7, {}, None, {"layout": 1}],
)
def test_a_record_of_another_layout_is_damaged(fields: object) -> None:
    with pytest.raises(DamagedError):
        unpack_call(msgpack.packb(fields))


@pytest.mark.parametrize("later", [1, -1])
def test_a_record_of_another_version_is_told_from_a_damaged_one(later: int) -> None:
    layout, *fields = msgpack.unpackb(pack_call(RECORD))
    other = msgpack.packb([layout + later, *fields])
    assert is_of_other_layout(other)
    assert not is_of_other_layout(pack_call(RECORD))
    assert not is_of_other_layout(b"damaged")
    with pytest.raises(OtherSchemaError, match="layout"):
        unpack_call(other)


@pytest.mark.parametrize("keeps", [[7], ["text"], 7, None])
def test_a_record_that_keeps_what_is_no_digest_is_damaged(keeps: object) -> None:
    fields = list(msgpack.unpackb(pack_call(RECORD)))
    fields[9] = keeps
    with pytest.raises(DamagedError):
        unpack_call(msgpack.packb(fields))


@pytest.mark.parametrize("context", [b"\x01", b"\x81\x01\x02", b"\xc1", b"\x90"])
def test_a_context_that_is_no_mapping_by_name_is_damaged(context: bytes) -> None:
    fields = list(msgpack.unpackb(pack_call(RECORD)))
    fields[13] = context
    with pytest.raises(DamagedError):
        unpack_call(msgpack.packb(fields))
