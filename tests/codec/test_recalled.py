"""Recalled digests: of what nobody can have changed, and of nothing else."""

import gc
import sys
from typing import Any

import pytest

from hitsave.codec import Recalled, decode, encode

np = pytest.importorskip("numpy")

DIGEST = b"d" * 32


def back(value: Any) -> Any:
    """Return a value as a hit gives it."""
    encoded = encode(value)
    return decode(encoded.payload, encoded.buffers, allow_pickle=False)


def fixed(*shape: int, order: Any = "C") -> Any:
    array = np.arange(float(np.prod(shape))).reshape(shape, order=order)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "value", [b"x" * 100, "x" * 100, (1, (2, "3")), frozenset({1, 2}), back(fixed(3)), 10**40]
)
def test_what_cannot_be_changed_is_recalled(value: Any) -> None:
    recalled = Recalled()
    recalled.note(value, DIGEST)
    assert recalled.digest(value) == DIGEST
    assert recalled.has_any([None, value])


@pytest.mark.parametrize(
    "value",
    [
        [1],
        {},
        (1, []),
        bytearray(b"x"),
        np.zeros(3),
        back(np.zeros(3)),
        fixed(3),
        fixed(6)[:3],
        np.frombuffer(bytearray(8)),
        np.frombuffer(memoryview(bytearray(8)).toreadonly())[:].view(np.recarray),
        back(fixed(3)).astype(object),
    ],
)
def test_what_can_be_changed_is_not(value: Any) -> None:
    recalled = Recalled()
    recalled.note(value, DIGEST)
    assert recalled.digest(value) is None
    assert not recalled.has_any([value])


def test_an_equal_value_is_another_one() -> None:
    recalled = Recalled()
    value, equal = (1, "x" * 100), (1, "".join(["x"] * 100))
    recalled.note(value, DIGEST)
    assert recalled.digest(equal) is None
    array = back(fixed(3))
    recalled.note(array, DIGEST)
    assert recalled.digest(array[:]) is None


def test_what_nobody_else_holds_is_let_go() -> None:
    recalled = Recalled()
    first = bytes([1]) * 1000
    counted = sys.getrefcount(first)
    recalled.note(first, DIGEST)
    recalled.note(bytes([2]) * 1001, DIGEST)
    assert sys.getrefcount(first) == counted + 1
    recalled.note(bytes([3]) * 1002, DIGEST)
    held = [each for each in gc.get_referents(recalled._known) if isinstance(each, tuple)]
    assert sorted(len(value) for value, _ in held) == [1000, 1002]


def test_no_more_than_a_few_are_held() -> None:
    recalled = Recalled()
    values = [b"%d" % number * 100 for number in range(20)]
    for value in values:
        recalled.note(value, DIGEST)
    assert [value for value in values if recalled.has_any([value])] == values[-8:]


# -- arrays that may not be written to ----------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_fixed_array_comes_back_fixed_for_good(shape: tuple[int, ...], order: str) -> None:
    array = back(fixed(*shape, order=order))
    assert not array.flags.writeable
    assert (array == fixed(*shape)).all() or order == "F"
    if array.size:
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_a_fixed_array_of_objects_comes_back_fixed() -> None:
    array = np.array([1, "a", None], dtype=object)
    array.flags.writeable = False
    again = back(array)
    assert not again.flags.writeable
    assert again.tolist() == [1, "a", None]


def test_an_array_that_may_be_written_to_comes_back_so() -> None:
    for array in (np.zeros(3), np.zeros((2, 0)), np.array([None, 1], dtype=object)):
        assert back(array).flags.writeable
