"""What is known of objects, by what they are."""

import gc

from hitsave.code.beside import Beside


class Unhashable(type):
    def __hash__(cls) -> int:
        raise RuntimeError("no class of mine has a hash")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("nor is it equal to another")


class Odd(metaclass=Unhashable):
    pass


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
