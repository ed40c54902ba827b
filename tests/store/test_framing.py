"""The layout of objects."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave.digest import digest_bytes
from hitsave.errors import DamagedError
from hitsave.store import Store, split_parts
from hitsave.store.framing import ALIGNMENT, THREADS_FROM, digest_frame, digest_framed, frame


def framed(parts: list[bytes]) -> bytes:
    return b"".join(frame(parts))


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_the_digest_of_parts_is_that_of_their_bytes(parts: list[bytes]) -> None:
    content = framed(parts)
    assert digest_frame(parts) == digest_bytes(content) == digest_framed(memoryview(content))


def test_a_large_object_has_the_same_digest_as_by_one_thread() -> None:
    part = bytes(range(256)) * (THREADS_FROM // 256)
    assert digest_frame([part]) == digest_bytes(framed([part]))


@given(st.lists(st.binary(max_size=200), max_size=8), st.data())
def test_an_object_of_another_length_is_damaged(parts: list[bytes], data: st.DataObject) -> None:
    content = framed(parts)
    length = data.draw(st.integers(0, len(content) - 1))
    for other in (content[:length], content + b"\0"):
        with pytest.raises(DamagedError):
            split_parts(memoryview(other))


@given(st.binary(max_size=200))
def test_any_other_bytes_are_damaged(content: bytes) -> None:
    with pytest.raises(DamagedError):
        split_parts(memoryview(content))


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**32])
def test_a_length_beyond_the_object_is_damaged(length: int) -> None:
    content = bytearray(framed([b"part"]))
    content[16:24] = length.to_bytes(8, "little")
    with pytest.raises(DamagedError):
        split_parts(memoryview(content))


def test_a_count_beyond_the_object_is_damaged() -> None:
    content = bytearray(framed([b"part"]))
    content[8:16] = (2**61).to_bytes(8, "little")
    with pytest.raises(DamagedError):
        split_parts(memoryview(content))


def test_parts_of_any_shape_count_by_their_bytes() -> None:
    flat = memoryview(bytes(range(12)))
    assert framed([flat.cast("B", (3, 4))]) == framed([flat.cast("I")]) == framed([bytes(flat)])


def test_parts_lie_aligned_in_what_is_read(store: Store) -> None:
    view = store.read_object(store.write_object([b"payload", b"x" * 3, bytes(500)]))
    assert view is not None
    starts = [ctypes.addressof(ctypes.c_char.from_buffer(part)) for part in split_parts(view)]
    assert [start % ALIGNMENT for start in starts] == [0, 0, 0]
