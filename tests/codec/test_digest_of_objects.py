"""Digests of functions, classes, instances, and of what has none."""

import abc
import contextlib
import dataclasses
import functools
import io
import random
import socket
import string
import threading
import types
import typing
import unittest.mock
import weakref

import pytest

from hitsave.codec import digest_value
from hitsave.errors import NotDigestibleError

EXTERNAL = set()


def project_name(value):
    """Name what this module defines, but for the classes that play the part of a library's."""
    if getattr(value, "__module__", None) != __name__ or value in EXTERNAL:
        return None
    return f"project:{value.__qualname__}"


def external(kind):
    EXTERNAL.add(kind)
    return kind


def digested(value, **options):
    return digest_value(value, name_symbol=project_name, **options)


def digest(value):
    return digested(value).digest


def refusal(value, **options):
    with pytest.raises(NotDigestibleError) as caught:
        digested(value, **options)
    return caught.value


@dataclasses.dataclass
class Point:
    x: object
    y: object = 0


@dataclasses.dataclass
class Spot:
    x: object
    y: object = 0


class Slotted:
    __slots__ = ("a", "b")


class Under(Slotted):
    __slots__ = ("a",)  # a second slot of the same name, which hides the first


class Bag(list):
    pass


class Table(dict):
    def items(self):
        raise AssertionError("the walk must not run this")


class Gathered(set):
    def __iter__(self):
        raise AssertionError("the walk must not run this")


class Liar:
    def __init__(self, content):
        self.content = content

    @property
    def __class__(self):
        return int

    def __eq__(self, other):
        raise AssertionError

    def __hash__(self):
        raise AssertionError

    def __reduce_ex__(self, protocol):
        raise AssertionError

    def __getattribute__(self, name):
        raise AssertionError

    def __repr__(self):
        raise AssertionError


def helper(x):
    return x


def make(value):
    def inner():
        return value

    return inner


def test_equal_instances_have_equal_digests_however_they_were_built():
    late = Point(0, 2)
    late.x = 1
    del late.y
    late.y = 2
    assert digest(Point(1, 2)) == digest(Point(y=2, x=1)) == digest(late)
    distinct = [Point(1, 2), Point(2, 1), Spot(1, 2), Point(1, 2.0), {"x": 1, "y": 2}, (1, 2)]
    assert len(set(map(digest, distinct))) == len(distinct)


def test_an_instance_names_its_class_as_a_symbol_and_once():
    seen = digested([Point(1), Point(2), helper, Point, helper])
    assert seen.symbols == (Point, helper)
    assert seen.mutable


def test_slots_count_with_the_class_that_has_them():
    one, two, three = Under(), Under(), Under()
    one.a = 1
    Slotted.a.__set__(two, 1)
    three.a, three.b = 1, None
    assert len({digest(one), digest(two), digest(three), digest(Under())}) == 4


def test_a_subclass_counts_by_class_content_and_fields():
    first, second, marked = Bag([1]), Bag([2]), Bag([1])
    marked.note = "x"
    values = [first, second, marked, [1], Table(a=1), Table(a=2), Gathered({1}), Gathered({2}), {1}]
    assert len(set(map(digest, values))) == len(values)
    assert digest(Gathered({"a", "b"})) == digest(Gathered({"b", "a"}))


def test_no_code_of_the_value_runs():
    assert digest([Liar(1)]) == digest([Liar(1)])
    assert digest(Liar(1)) != digest(Liar(2))


def test_a_metaclass_cannot_lie():
    class Meta(type):
        def __getattribute__(cls, name):
            raise AssertionError

        def __instancecheck__(cls, instance):
            raise AssertionError

    kind = Meta("Odd", (), {})
    first = digest_value(kind, name_symbol=lambda value: "odd" if value is kind else None)
    assert first.symbols == (kind,)


def test_cyclic_instances_have_a_digest():
    def family(names):
        parent = Point("root", [])
        for name in names:
            parent.y.append(Point(name, parent))
        return parent

    assert digest(family("ab")) == digest(family("ab"))
    assert len({digest(family("ab")), digest(family("ba")), digest(family("a"))}) == 3


def test_children_in_a_set_may_refer_to_their_parent_and_not_to_each_other():
    class Node:
        def __init__(self, name, parent):
            self.name, self.parent, self.near = name, parent, set()

    def tree(names):
        root = Node("root", None)
        root.near.update(Node(name, root) for name in names)
        return root

    Node.__qualname__ = "Node"
    assert digest(tree("abcdefgh")) == digest(tree("hgfedcba"))
    assert digest(tree("abc")) != digest(tree("abd"))
    tangled = tree("ab")
    one, two = tangled.near
    one.parent, two.parent = (tangled, two), (tangled, one)
    assert "set" in refusal(tangled).message


def test_a_function_counts_by_its_name_and_what_it_closes_over():
    assert digest(make(1)) == digest(make(1))
    assert digest(make(1)) != digest(make(2))
    assert digest(helper) != digest(make)
    assert digested(helper).symbols == (helper,)
    assert not digested(helper).mutable
    assert digested(make(1)).mutable
    assert refusal([make(threading.Lock())]).path == "[0].value"


def test_methods_and_wrappers_count_by_function_and_owner():
    cached = functools.lru_cache(helper)
    values = [Bag([1]).append, Bag([2]).append, Point(1).__eq__, Point(2).__eq__, cached, helper,
              functools.partial(helper, 1), functools.partial(helper, 2), staticmethod(helper),
              classmethod(helper), property(helper), property(None, helper)]  # fmt: skip
    assert len(set(map(digest, values))) == len(values)
    assert digested(cached).symbols == (helper,)
    assert digested(functools.partial(helper, Point)).symbols == (helper, Point)


def test_an_object_that_stands_in_for_a_function_counts_as_that_function():
    @external
    class Compiled:
        def __init__(self, function):
            self.lock = threading.Lock()
            functools.update_wrapper(self, function)

        def __call__(self):
            return 0

    Compiled.__qualname__ = "Compiled"
    Compiled.__module__ = "library"
    assert digested(Compiled(helper)).symbols == (helper,)
    assert digest(Compiled(helper)) != digest(helper)


def test_an_external_function_counts_by_its_name_and_a_nested_one_has_none():
    def nested():
        return 0

    nested.__module__ = "library"
    assert digested([string.capwords, random.Random]).symbols == ()
    assert digest(string.capwords) != digest(random.Random)
    assert refusal({"f": nested}).path == "['f']"


def test_a_class_may_say_what_counts():
    class Own:
        def __init__(self, counts, rest):
            self.counts, self.rest = counts, rest

        def __hitsave_digest__(self):
            return self.counts

    assert digest(Own(1, threading.Lock())) == digest(Own(1, 2))
    assert digest(Own(1, 0)) != digest(Own(2, 0))
    assert digest(Own(1, 0)) != digest(1)


def test_what_a_class_says_must_be_the_same_twice_and_not_raise():
    class Fickle:
        def __hitsave_digest__(self):
            return random.random()

    class Broken:
        def __hitsave_digest__(self):
            raise KeyError("inside")

    class Endless:
        def __hitsave_digest__(self):
            return Endless()

    assert refusal({"a": [Fickle()]}).path == "['a'][0]"
    assert "KeyError" in refusal(Broken()).message
    assert "ever more" in refusal(Endless()).message


@external
class Reducible:
    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return Reducible, self.parts


def test_an_external_object_counts_by_its_reduction_where_that_is_allowed():
    assert digest(Reducible(1)) == digest(Reducible(1))
    assert digest(Reducible(1)) != digest(Reducible(2))
    assert digest(Reducible(1)) != digest(string.Template("1"))
    assert refusal([Reducible(1)], reduce=False).path == "[0]"
    assert refusal([Reducible(io.StringIO())]).path.startswith("[0].__reduce_ex__(4)")


def test_an_unfaithful_reduction_is_refused():
    @external
    class Shaky:
        def __reduce_ex__(self, protocol):
            return Shaky, (object, random.random())

    @external
    class Deep:
        def __reduce__(self):
            return Deep, (Deep(),)

    @external
    class Angry:
        def __reduce__(self):
            raise RecursionError

    for kind in (Shaky, Deep, Angry):
        kind.__qualname__ = kind.__name__
        kind.__module__ = "library"
        assert refusal({"k": kind()}).path.startswith("['k']")


def test_a_project_class_over_hidden_state_counts_that_state():
    class Dice(random.Random):
        pass

    assert digest(Dice(1)) == digest(Dice(1))
    assert digest(Dice(1)) != digest(Dice(2))


@pytest.mark.parametrize(
    "live",
    [
        threading.Lock(), threading.RLock(), threading.Event(), threading.local(),
        threading.current_thread(), iter([]), (number for number in []), zip(), enumerate([]),
        io.StringIO(), io.BytesIO(), weakref.ref(Point), weakref.WeakValueDictionary(),
        map(len, []),
    ],
    ids=lambda live: type(live).__name__,
)  # fmt: skip
def test_what_lives_in_a_process_is_refused_with_its_path(live):
    assert refusal({"model": Point([live])}).path == "['model'].x[0]"
    assert refusal(live).path == ""


def test_sockets_files_and_coroutines_are_refused(tmp_path):
    async def coroutine():
        return 0

    waiting = coroutine()
    with socket.socket() as one, (tmp_path / "file").open("w") as two:
        for live in (one, two, waiting):
            assert refusal([live]).path == "[0]"
    waiting.close()


def test_mocks_and_typing_forms_do_not_break_the_walk():
    assert digest(typing.Optional[int]) != digest(typing.Optional[str])  # noqa: UP045
    assert digest(typing.Any) != digest(typing.List[int])  # noqa: UP006
    assert digest(abc.ABC) != digest(abc.ABCMeta)
    for value in (unittest.mock.Mock(), unittest.mock.MagicMock()):
        with contextlib.suppress(NotDigestibleError):  # anything else is a failure
            assert len(digest(value)) == 32


def test_a_value_that_another_thread_changes_never_raises_anything_else():
    table = {number: [number] for number in range(100)}
    stop = threading.Event()

    def change():
        while not stop.is_set():
            table.pop(50, None)
            table[50] = [{1, 2}]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        assert all(len(digest([table, range(1)])) == 32 for _ in range(200))
    finally:
        stop.set()
        thread.join()


def test_a_module_that_was_made_counts_by_what_is_in_it():
    def digest(name, **contents):
        module = types.ModuleType(name)
        vars(module).update(contents)
        return digest_value(module, name_symbol=project_name).digest

    assert digest("made", rate=2) == digest("made", rate=2, __builtins__={})
    others = [
        digest("made"),
        digest("made", rate=3),
        digest("made", rates=2),
        digest("other", rate=2),
    ]
    assert len({digest("made", rate=2), *others}) == 5
    inside_a_package = digest("package.made", rate=2), digest("package.made", rate=3)
    assert len({*inside_a_package}) == 1


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_module_without_a_name_has_no_digest(name):
    module = types.ModuleType("named")
    module.__file__ = "named.py"
    digest_value(module, name_symbol=project_name)
    module.__name__ = name
    with pytest.raises(NotDigestibleError):
        digest_value(module, name_symbol=project_name)
