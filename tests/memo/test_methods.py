"""Methods: bound as functions in classes are, with every question asked of the instance."""

from typing import Any

import pytest

from hitsave import MissError, inert, memo

RAN: list[Any] = inert([])


class Model:
    def __init__(self, weight: int) -> None:
        self.weight = weight

    @memo
    def predict(self, x: int, by: int = 1) -> int:
        """A prediction."""
        RAN.append(x)
        return x * self.weight * by

    @memo
    @classmethod
    def make(cls, x: int) -> str:
        return cls.__name__ * x


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


def test_instances_with_equal_fields_share_results() -> None:
    assert Model(2).predict(3) == Model(2).predict(3) == 6
    assert RAN == [3]
    assert Model(4).predict(3) == 12
    assert RAN == [3, 3]


def test_every_question_is_asked_of_the_instance() -> None:
    model = Model(2)
    assert not model.predict.cached(3)
    with pytest.raises(MissError):
        model.predict.peek(3)
    assert "no earlier call" in model.predict.explain(3).reason
    assert model.predict(3) == 6
    assert model.predict.cached(3)
    assert model.predict.peek(3, by=1) == 6
    assert model.predict.explain(3).hit
    assert model.predict.refresh(3) == 6
    assert RAN == [3, 3]
    assert model.predict.forget(3)
    assert not model.predict.forget(3)
    assert not model.predict.cached(3)


def test_the_class_asks_with_the_instance_given() -> None:
    assert Model.predict(Model(2), 3) == 6
    assert Model.predict.cached(Model(2), 3)
    assert Model(2).predict.cached(3)


def test_questions_about_all_calls_need_no_instance() -> None:
    Model(2).predict(3)
    assert len(Model(5).predict.calls()) == len(Model.predict.calls()) == 1
    assert Model(5).predict.cache_info() == Model.predict.cache_info()
    assert Model(5).predict.dependencies() == Model.predict.dependencies()


def test_a_class_method_is_asked_of_its_class() -> None:
    class Child(Model):
        pass

    assert Child.make(1) == "Child"
    assert Child.make.cached(1)
    assert not Model.make.cached(1)
    assert Child(1).make.explain(1).hit


def test_a_changed_field_explains_a_miss() -> None:
    Model(2).predict(3)
    explanation = Model(5).predict.explain(3)
    assert not explanation.hit
    assert [change.subject for change in explanation.changes] == ["argument self"]


def test_a_subclass_runs_the_method_on_its_own_class() -> None:
    class Loud(Model):
        def __init__(self) -> None:
            super().__init__(10)

        @memo
        def predict(self, x: int, by: int = 1) -> int:
            return super().predict(x, by) + 1

    assert Loud().predict(3) == 31
    assert Loud().predict(3) == 31
    assert RAN == [3]


def test_a_bound_method_kept_in_a_class_stays_bound() -> None:
    class Holder:
        call = Model(2).predict

    assert Holder().call(3) == 6


def test_slots_and_properties_do_not_get_in_the_way() -> None:
    class Point:
        __slots__ = ("x",)

        def __init__(self, x: int) -> None:
            self.x = x

        @memo
        def norm(self) -> int:
            RAN.append(self.x)
            return abs(self.x)

    assert Point(-3).norm() == Point(-3).norm() == 3
    assert Point(-4).norm() == 4
    assert RAN == [-3, -4]


def test_a_memoised_method_given_as_an_argument_counts_by_its_instance() -> None:
    @memo
    def apply(function: Any, x: int) -> int:
        RAN.append("apply")
        return function(x)  # type: ignore[no-any-return]

    assert apply(Model(2).predict, 3) == 6
    assert apply(Model(2).predict, 3) == 6
    assert apply(Model(5).predict, 3) == 15
    assert RAN.count("apply") == 2


def made(rate: int) -> Any:
    class Rate:
        def of(self, x: int) -> int:
            return x * rate

    return Rate


@memo
def compared(one: Any, other: Any) -> int:
    RAN.append(one)
    return int(one().of(1) - 2 * other().of(1))


@memo
def asked(rate: Any, x: int) -> int:
    RAN.append(x)
    return int(rate.of(x))


def test_classes_of_one_factory_are_told_apart() -> None:
    low, high = made(2), made(3)
    assert (compared(low, high), compared(high, low)) == (-4, -1)
    assert (asked(low(), 5), asked(high(), 5)) == (10, 15)
    assert (compared(made(2), made(3)), asked(made(3)(), 5)) == (-4, 15)
    assert len(RAN) == 4
