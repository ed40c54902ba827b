"""numpy: digests by dtype, shape and elements; arrays that come back as they were."""

import numpy as np
import pytest

from hitsave.codec import decode, digest_value, encode


def digest(value):
    return digest_value(value, name_symbol=lambda _: None).digest


def through(value, allow_pickle=False):
    encoded = encode(value)
    buffers = [memoryview(bytes(buffer)) for buffer in encoded.buffers]
    return decode(encoded.payload, buffers, allow_pickle=allow_pickle)


RECORDS = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")])
ARRAYS = [
    np.arange(6), np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2), np.arange(6.0),
    np.arange(6, dtype="f4"), np.array(5), np.zeros(0), np.zeros((0, 3)), np.zeros((3, 0)),
    np.array([True]), np.array([1], dtype="u1"), np.array([1], dtype="i1"), np.array(["a", "bc"]),
    np.array([b"a"]), np.array(["2020-01-01"], "M8[D]"), np.array(["2020-01-01"], "M8[s]"),
    np.array([1], "m8[D]"), np.array([1 + 2j]), RECORDS, RECORDS[["a"]], np.array([-0.0]),
    np.array([0.0]), np.array([None, [1]], dtype=object), np.array([None, [2]], dtype=object),
    np.arange(100_000.0).reshape(100, 1000), np.float64(1), np.float32(1), np.int64(1), 1, 1.0,
    np.bool_(True), np.datetime64("2020-01-01"), np.str_("a"), np.dtype("f8"), np.dtype("<i4"),
    np.dtype(">i4"), np.ma.masked_array([1, 2], [False, True]), np.array([1, 2]), np.add, np.mean,
    np.array([1], dtype=np.longdouble), np.rec.array([(1,)], dtype=[("a", "i4")]),
]  # fmt: skip


def test_arrays_that_differ_in_dtype_shape_or_elements_have_different_digests():
    assert len(set(map(digest, ARRAYS))) == len(ARRAYS)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (300, 700)])
def test_layout_and_byte_order_do_not_count(shape):
    array = np.arange(np.prod(shape), dtype="i4").reshape(shape)
    padded = np.zeros([2 * size for size in shape], dtype="i4")
    padded[tuple(slice(None, None, 2) for _ in shape)] = array
    alike = [
        np.asfortranarray(array), array.astype(">i4"), array[::-1].copy()[::-1],
        padded[tuple(slice(None, None, 2) for _ in shape)], np.ascontiguousarray(array.T).T,
    ]  # fmt: skip
    assert {digest(other) for other in alike} == {digest(array)}


def test_padding_in_records_and_long_doubles_does_not_count():
    aligned = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    one, two = np.zeros(2, aligned), np.zeros(2, aligned)
    two.view("u1")[1] = 7
    assert digest(one) == digest(two)
    raw = np.ones(2, dtype=np.longdouble)
    noisy = raw.copy()
    noisy.view("u1").reshape(2, 16)[:, 10:] = 9
    assert digest(raw) == digest(noisy)


def test_a_memmap_counts_as_the_array_it_is(tmp_path):
    mapped = np.memmap(tmp_path / "file", dtype="f8", mode="w+", shape=(3,))
    mapped[:] = [1, 2, 3]
    assert digest(mapped) == digest(np.array([1.0, 2.0, 3.0]))


def test_an_array_that_holds_itself_has_a_digest():
    def knot():
        array = np.empty(1, dtype=object)
        array[0] = [array]
        return array

    assert digest(knot()) == digest(knot())


def test_arrays_are_mutable_and_their_scalars_are_not():
    assert digest_value(np.arange(3), name_symbol=lambda _: None).mutable
    assert not digest_value(np.float64(3), name_symbol=lambda _: None).mutable
    assert digest_value(RECORDS[0], name_symbol=lambda _: None).mutable


@pytest.mark.parametrize(
    "array",
    [item for item in ARRAYS if type(item) is np.ndarray]
    + [np.arange(6, dtype=">i4"), np.asfortranarray(np.ones((300, 300))), np.arange(9)[::2]],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_comes_back_writable_with_dtype_shape_and_order(array):
    for back in (through(array), through({"k": [array]})["k"][0]):
        assert type(back) is np.ndarray
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.flags.f_contiguous == array.flags.f_contiguous or not array.flags.forc
        assert back.flags.writeable
        assert digest(back) == digest(array)


def test_scalars_and_dtypes_come_back():
    for value in (np.float32(1.5), np.datetime64("2020-01-01", "s"), np.str_("a"), np.bool_(True)):
        back = through((value,))[0]
        assert type(back) is type(value)
        assert back == value
        assert back.dtype == value.dtype
    assert through(np.dtype(">f4")) == np.dtype(">f4")


def test_a_large_array_lies_in_a_writable_buffer_and_is_copied_from_another():
    encoded = encode([np.arange(100_000.0)])
    own = bytearray(encoded.buffers[0])
    back = decode(encoded.payload, [memoryview(own)], allow_pickle=False)[0]
    back[0] = 7
    assert np.frombuffer(own)[0] == 7
    kept = bytes(encoded.buffers[0])
    copy = decode(encoded.payload, [memoryview(kept)], allow_pickle=False)[0]
    copy[0] = 7
    assert np.frombuffer(kept)[0] == 0


def test_encoding_does_not_copy_a_contiguous_array():
    array = np.arange(100_000.0)
    array_bytes = np.frombuffer(encode(array).buffers[0])
    assert np.shares_memory(array_bytes, array)


def test_one_array_met_twice_comes_back_as_one():
    array = np.arange(3)
    back = through([array, {"a": array}])
    assert back[0] is back[1]["a"]


def test_what_has_no_header_goes_through_pickle_with_its_bytes_out_of_line():
    masked = np.ma.masked_array(np.arange(100_000.0), mask=np.arange(100_000) % 2)
    encoded = encode(masked)
    assert encoded.pickled
    back = through(masked, allow_pickle=True)
    assert type(back) is np.ma.MaskedArray
    assert digest(back) == digest(masked)
