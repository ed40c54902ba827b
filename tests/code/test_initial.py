"""What state was at first is remembered for as long as its holder lives."""

import gc
from collections.abc import Callable
from weakref import ref

from tests.hostile import Hostile

from hitsave.code.initial import Initial
from hitsave.code.symbol import Symbol

SYMBOL = Symbol("module", "f[count]")


def made(value: object) -> Callable[[], object]:
    return lambda: value


class Unusual(metaclass=Hostile):
    pass


def test_what_was_noted_first_stays() -> None:
    known = Initial()
    for holder in (made(1), Unusual, int):
        assert known.of(holder, SYMBOL) is None
        known.note(holder, SYMBOL, b"one")
        known.note(holder, SYMBOL, b"two")
        assert known.of(holder, SYMBOL) == b"one"
        assert known.of(holder, Symbol("module", "g[count]")) is None


def test_holders_are_told_apart_even_when_they_are_gone() -> None:
    known = Initial()
    for number in range(100):
        holder = made(number)
        assert known.of(holder, SYMBOL) is None
        known.note(holder, SYMBOL, b"%d" % number)
        assert known.of(holder, SYMBOL) == b"%d" % number


def test_a_holder_is_not_held_on_to() -> None:
    known, held = Initial(), ref(large := made(bytearray(1_000_000)))
    known.note(large, SYMBOL, b"here")
    del large
    gc.collect()
    assert held() is None
