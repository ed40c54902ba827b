"""Damaged, truncated and hostile payloads: DamagedError, or a value; never anything else."""

import datetime
import re

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.codec import decode, encode
from hitsave.errors import DamagedError

ORIGINAL = {
    "t": (1, [2], {3}), "when": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), "big": 2**80,
    "p": re.compile("a+"), "b": b"x" * 70_000, "f": frozenset({("a", 1.0)}),
}  # fmt: skip
ENCODED = encode(ORIGINAL)
BUFFERS = [memoryview(buffer) for buffer in ENCODED.buffers]


def outcome(payload, buffers=BUFFERS):
    try:
        return decode(payload, buffers, allow_pickle=False)
    except DamagedError:
        return DamagedError


def packed(*content):
    return msgpack.packb(list(content))


def test_every_truncation_is_damage():
    for length in range(len(ENCODED.payload)):
        assert outcome(ENCODED.payload[:length]) is DamagedError
    assert outcome(ENCODED.payload + b"\0") is DamagedError


def test_every_flipped_bit_ends_in_damage_or_a_value():
    for position in range(len(ENCODED.payload)):
        for bit in range(8):
            changed = bytearray(ENCODED.payload)
            changed[position] ^= 1 << bit
            outcome(bytes(changed))


def test_missing_and_shortened_buffers_are_damage():
    assert outcome(ENCODED.payload, []) is DamagedError
    assert outcome(ENCODED.payload, [BUFFERS[0][:-1]]) is DamagedError


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"\x00", packed(), packed(1), packed(2, 0, 1), packed(1, 9, 1), packed(1, 0, 1, 1),
        packed(1, 1, [], []), packed(1, 1, ["os.system.1"], [[0, "true"]]), packed(1, 1, [], [[0]]),
        packed(1, 1, ["tuple.1"], [[0, [0]]]), packed(1, 1, ["tuple.1"], [[0, [1]], [0, [0]]]),
        packed(1, 1, ["tuple.1"], [[0, [-1]]]), packed(1, 1, ["tuple.1"], [[5]]),
        packed(1, 1, ["bytes.1"], [[0, [-1, 0]]]), packed(1, 1, ["bytes.1"], [[0, [0, 1, 2]]]),
        packed(1, 1, ["set.1", "list.1"], [[1], [0, [0]]]), packed(1, 1, ["dict.1"], [[0, 1]]),
        packed(1, 1, ["pathlib.Popen.1"], [[0]]), packed(1, 1, "tuple.1", [[0]]),
        packed(1, 1, ["datetime.date.1"], [[0, 0, 0, 0]]), packed(1, 1, ["tree.1"], [[0]]),
        packed(1, 1, ["rows.1"], [[0]]), packed(1, 1, ["rows.1"], [[0, [1]]]),
        packed(1, 1, ["defaultdict.1"], [[0, "eval"]]), packed(1, 1, ["re.Pattern.1"], [[0, "("]]),
        packed(1, 1, ["numpy.ndarray.1"], [[0, "'<f8'", "C", 1, 5, b"x"]]),
        packed(1, 1, ["numpy.ndarray.1"], [[0, "'|O'", "C", 1, 1, b"x" * 8]]),
        packed(1, 1, ["numpy.ndarray.1"], [[0, "__import__('os')", "C", 1, 1, b""]]),
        packed(1, 1, ["numpy.ndarray.1"], [[0, None, "C", 1, 2**60]]),
        packed(1, 1, ["numpy.ndarray.1"], [[0, "'<f8'", "C", 2, 2**32, 2**32, b""]]),
        packed(1, 1, ["numpy.ndarray.1"], [[0, "'<f8'", "C", 2, -1, -1, b"x" * 8]]),
        packed(1, 2, [], b"cos\nsystem\n(S'false'\ntR."), packed(1, 0, msgpack.ExtType(5, b"x")),
        b"\x93\x01\x00" + b"\x91" * 100_000 + b"\x01", b"\x93\x01\x00\xdd\xff\xff\xff\xff",
        b"\x93\x01\x00\xc6\xff\xff\xff\xff", b"\x93\x01\x00\xdf\xff\xff\xff\xff", b"\xc1" * 50,
    ],
)  # fmt: skip
def test_a_hostile_payload_is_damage(payload):
    assert outcome(payload) is DamagedError


parts = st.recursive(
    st.none() | st.integers(-3, 5) | st.text(max_size=3) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["tuple.1", "list.1", "dict.1", "set.1", "frozenset.1", "tree.1", "int.1", "bytes.1",
     "array.array.1", "numpy.ndarray.1", "numpy.scalar.1", "uuid.UUID.1", "deque.1"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(names, max_size=3), st.lists(st.lists(parts, max_size=5), max_size=5))
def test_any_records_end_in_damage_or_a_value(names, records):
    outcome(packed(1, 1, names, records))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 2))
def test_any_bytes_end_in_damage_or_a_value(content, mode):
    outcome(b"\x93\x01" + bytes([mode]) + content)
