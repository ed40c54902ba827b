"""Properties over nested values: digests agree with type and equality, encodings come back."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.codec import decode, digest_value, encode, summarize

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.binary(max_size=4) | st.complex_numbers() | st.integers(2**62, 2**66)
    | st.text(st.characters(categories=["Cs"]), max_size=2)
)  # fmt: skip
keys = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    scalars | st.binary(max_size=4).map(bytearray) | st.sets(keys, max_size=3) | keys,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


def spelled(value):
    """Return text that is equal for two values exactly when they are of one type and equal."""
    kind = type(value)
    if kind is float:
        return f"f{struct.pack('<d', value).hex()}"
    if kind is complex:
        return f"c{struct.pack('<dd', value.real, value.imag).hex()}"
    if kind in (set, frozenset):
        return f"{kind.__name__}{sorted(map(spelled, value))}"
    if kind is dict:
        return f"dict{[(spelled(key), spelled(item)) for key, item in value.items()]}"
    if kind in (list, tuple):
        return f"{kind.__name__}{list(map(spelled, value))}"
    return f"{kind.__name__}{value!r}"


def digest(value):
    return digest_value(value, name_symbol=lambda _: None).digest


def through(value):
    encoded = encode(value)
    assert not encoded.pickled
    return decode(encoded.payload, [memoryview(b) for b in encoded.buffers], allow_pickle=False)


@settings(max_examples=200, deadline=None)
@given(values, values)
def test_digests_are_equal_exactly_when_type_and_content_are(one, two):
    assert (digest(one) == digest(two)) == (spelled(one) == spelled(two))


@settings(max_examples=200, deadline=None)
@given(values)
def test_a_value_comes_back_with_its_digest(value):
    back = through(value)
    assert spelled(back) == spelled(value)
    assert digest(back) == digest(value)
    assert digest([value, back]) == digest([value, value])


@settings(max_examples=100, deadline=None)
@given(values, st.integers(0, 60))
def test_a_summary_keeps_to_its_limit(value, limit):
    assert len(summarize(value, limit)) <= max(limit, 1)
