"""What the program registers: functions that say what stands for an object."""

import fractions
import functools
import random
import sys
import threading
import types

import pytest

import hitsave
from hitsave.codec import digest_value
from hitsave.codec import registered_digests as registered
from hitsave.errors import NotDigestibleError, OptionError


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch):
    monkeypatch.setattr(registered, "_by_type", {})
    monkeypatch.setattr(registered, "_by_name", {})


def project_name(value):
    is_here = getattr(value, "__module__", None) == __name__
    return f"project:{value.__qualname__}" if is_here else None


def digested(value, **options):
    return digest_value(value, name_symbol=project_name, **options)


def digest(value, **options):
    return digested(value, **options).digest


class Model:
    def __init__(self, weight, name="m"):
        self.weight, self.name, self.lock = weight, name, threading.Lock()


class Larger(Model):
    pass


def weight_of(model):
    return model.weight


def weight_again(model):
    return model.weight


def by_name(name):
    return lambda model: getattr(model, name)


def test_a_registered_function_says_what_counts():
    hitsave.register_digest(Model, weight_of)
    assert digest(Model(1, "a")) == digest(Model(1, "b"))
    assert len({digest(each) for each in (Model(1), Model(2), Model(1.0), 1)}) == 4
    assert digest(Model(1), reduce=False) == digest(Model(1))
    assert digested(Model(1)).symbols == (Model, weight_of)
    assert digested(Model(1)).mutable


def test_the_function_itself_counts_and_what_it_closes_over():
    found = set()
    for function in (weight_of, weight_again, by_name("weight"), by_name("name"),
                     functools.partial(weight_of)):  # fmt: skip
        hitsave.register_digest(Model, function)
        found.add(digest(Model(1, 1)))
    assert len(found) == 5


def test_a_subclass_is_not_meant_nor_is_its_base():
    hitsave.register_digest(Larger, weight_of)
    assert digest(Larger(1)) == digest(Larger(1))
    with pytest.raises(NotDigestibleError) as caught:
        digest([Model(1)])
    assert caught.value.path == "[0].lock"
    assert "register_digest" in caught.value.hint


def test_a_type_is_registered_by_name_before_it_exists(monkeypatch):
    hitsave.register_digest("somewhere.inside:Outer.Thing", lambda thing: thing.content)
    inside, outside = types.ModuleType("somewhere.inside"), types.ModuleType("somewhere")
    code = "class Outer:\n  class Thing:\n    def __init__(s, c): s.content, s.f = c, open\n"
    exec(code, vars(inside))
    monkeypatch.setitem(sys.modules, "somewhere", outside)
    monkeypatch.setitem(sys.modules, "somewhere.inside", inside)
    thing = inside.Outer.Thing
    assert digest(thing(1)) == digest(thing(1)) != digest(thing(2))
    first = digest(thing(1))
    outside.Name = thing
    registered._by_name.clear()
    hitsave.register_digest("somewhere:Name", lambda thing: thing.content)
    assert digest(thing(1)) == first


def test_what_is_registered_goes_before_what_is_known_and_later_before_earlier():
    half = fractions.Fraction(1, 2)
    known = digest(half)
    hitsave.register_digest(fractions.Fraction, lambda _: "first")
    first = digest(half)
    hitsave.register_digest("fractions:Fraction", lambda _: "second")
    hitsave.register_digest(fractions.Fraction, lambda _: "third")
    assert len({known, first, digest(half)}) == 3


def test_what_lives_in_a_process_can_be_registered_for():
    hitsave.register_digest("_thread:lock", lambda _: None)
    hitsave.register_digest(types.GeneratorType, lambda generator: generator.gi_code.co_name)
    assert digest([threading.Lock()]) == digest([threading.Lock()])
    assert digest(number for number in []) == digest(number for number in [])
    assert digest(Model(1)) == digest(Model(1))


def test_what_is_said_must_be_the_same_twice_not_raise_and_not_be_the_object_itself():
    for function, said in (
        (lambda _: random.random(), "each time"),
        (lambda _: {}["missing"], "KeyError"),
        (lambda model: model, "itself"),
        (Model, "ever more"),
        (lambda model: model.lock, "_thread.lock"),
    ):
        hitsave.register_digest(Model, function)
        with pytest.raises(NotDigestibleError, match=said) as caught:
            digest({"a": Model(1)})
        assert caught.value.path.startswith("['a']")


@pytest.mark.parametrize(
    ("kind", "function"),
    [
        (Model, 1), (Model(1), weight_of), ("Model", weight_of), ("a b:C", weight_of), (int, str),
        (":C", weight_of), ("a:", weight_of), ("builtins:list", len), (list, len), (3, weight_of),
    ],
)  # fmt: skip
def test_what_cannot_be_registered(kind, function):
    with pytest.raises(OptionError):
        hitsave.register_digest(kind, function)
