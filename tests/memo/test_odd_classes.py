"""Calls that reach classes whose metaclass does not behave."""

from tests.hostile import Hostile

from hitsave import memo


class Odd(metaclass=Hostile):
    number = 1

    @classmethod
    def go(cls) -> int:
        return cls.number


@memo
def through(x: int) -> int:
    return Odd.go() + x


def test_a_call_that_reaches_a_class_without_a_hash_is_cached() -> None:
    assert [through(1), through(1)] == [2, 2]
    assert through.cache_info() == (1, 1)
