"""What is known of objects, by what they are."""

import gc

from tests.hostile import Hostile

from hitsave.code.beside import Beside


class Odd(metaclass=Hostile):
    pass


def test_classes_that_have_no_hash_are_told_from_each_other() -> None:
    class Another(metaclass=Hostile):
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
