"""What state was at first is remembered for as long as its holder may be asked about."""

from hitsave.code import initial
from hitsave.code.initial import Initial
from hitsave.code.symbol import Symbol

SYMBOL = Symbol("module", "f[count]")


def test_what_was_noted_first_stays() -> None:
    known, holder = Initial(), object()
    assert known.of(SYMBOL, holder) is None
    known.note(SYMBOL, holder, b"one")
    known.note(SYMBOL, holder, b"two")
    assert known.of(SYMBOL, holder) == b"one"
    assert known.of(Symbol("module", "g[count]"), holder) is None


def test_holders_are_told_apart_even_when_they_are_gone() -> None:
    known = Initial()
    for number in range(100):
        holder = object()
        assert known.of(SYMBOL, holder) is None
        known.note(SYMBOL, holder, b"%d" % number)
        assert known.of(SYMBOL, holder) == b"%d" % number


def test_the_oldest_goes() -> None:
    known, holders = Initial(), [object() for _ in range(initial.KEPT + 1)]
    for holder in holders:
        known.note(SYMBOL, holder, b"here")
    assert known.of(SYMBOL, holders[0]) is None
    assert all(known.of(SYMBOL, holder) == b"here" for holder in holders[1:])
