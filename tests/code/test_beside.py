"""What is known of objects, by what they are."""

import gc

from hitsave import memo
from hitsave.code.beside import Beside


class Unhashable(type):
    def __hash__(cls) -> int:
        raise RuntimeError("no class of mine has a hash")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("nor is it equal to another")


class Odd(metaclass=Unhashable):
    number = 1

    @classmethod
    def go(cls) -> int:
        return cls.number


@memo
def through(x: int) -> int:
    return Odd.go() + x


def test_classes_that_have_no_hash_are_told_from_each_other() -> None:
    class Another(metaclass=Unhashable):
        pass

    known: Beside[list[str]] = Beside(list)
    known.of(Odd).append("odd")
    assert known.of(Odd) == ["odd"]
    assert known.get(Another) is None
    assert known.of(Another) == []


def test_nothing_is_held_on_to() -> None:
    def make() -> None:
        class Short:
            pass

        known.of(Short).append("short")

    known: Beside[list[str]] = Beside(list)
    make()
    gc.collect()
    assert known._known == {}


def test_a_call_that_reaches_a_class_without_a_hash_is_cached() -> None:
    assert [through(1), through(1)] == [2, 2]
    assert through.cache_info() == (1, 1)
