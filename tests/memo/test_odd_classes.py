"""Calls that reach classes whose metaclass does not behave."""

from hitsave import memo


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


def test_a_call_that_reaches_a_class_without_a_hash_is_cached() -> None:
    assert [through(1), through(1)] == [2, 2]
    assert through.cache_info() == (1, 1)
