"""Types of the standard library whose digests need more than their names or arguments."""

import re
import struct
import threading
import typing

import pytest

from hitsave.codec import digest_value
from hitsave.errors import NotDigestibleError


def digest(value):
    return digest_value(value, name_symbol=lambda _: None).digest


def raised(error, cause=None, notes=()):
    for note in notes:
        error.add_note(note)
    try:
        raise error from cause
    except Exception as caught:
        return caught


def in_handler(first, second):
    try:
        raise first
    except Exception:
        return raised(second)


DISTINCT = [
    [1], {1: 2}.keys(), {2: 1}.values(), {1: 2}.items(), {2: 1}.keys(), {1: 1, 2: 2}.keys(),
    {2: 2, 1: 1}.keys(), {1}, re.match("a", "ab"), re.match("a", "ac"), re.match("(a)", "ab"),
    re.compile("b").match("ab", 1), re.compile("a"), struct.Struct("<i"), struct.Struct(">i"),
    typing.TypeVar("T"), typing.TypeVar("T", bound=int), typing.TypeVar("T", bound=str),
    typing.TypeVar("T", int, str), typing.TypeVar("T", covariant=True), typing.TypeVar("U"),
    typing.NewType("N", int), typing.NewType("N", str), typing.ForwardRef("a"),
    typing.ForwardRef("b"), list["a"], list["b"],  # noqa: F821
    OSError(2, "gone"), OSError(2, "gone", "a"), OSError(2, "gone", "b"),
    ImportError("x"), ImportError("x", name="a"),
    ValueError("a"), ValueError("a", "b"), raised(ValueError("a"), KeyError("b")),
    raised(ValueError("a"), KeyError("c")), in_handler(KeyError("d"), ValueError("a")),
    raised(ValueError("a"), notes=["more"]), ExceptionGroup("a", [ValueError("a")]),
    ExceptionGroup("a", [ValueError("b")]), SyntaxError("a", ("file", 1, 2, "text")),
    SyntaxError("a", ("file", 2, 2, "text")),
]  # fmt: skip


def test_they_differ_by_all_that_can_be_seen_of_them():
    known = {}
    for value in DISTINCT:
        assert known.setdefault(digest(value), value) is value
    assert [digest(value) for value in DISTINCT] == [digest(value) for value in DISTINCT]


def test_where_an_exception_was_raised_does_not_count():
    assert digest(raised(ValueError("a"))) == digest(ValueError("a"))


def test_exceptions_that_came_from_one_another_in_a_circle_have_a_digest():
    def circle():
        one, two = ValueError(1), ValueError(2)
        one.__cause__, two.__cause__ = two, one
        return one

    assert digest(circle()) == digest(circle())


def test_an_exception_that_holds_what_has_no_digest_says_where():
    error = ValueError("a")
    error.__cause__ = KeyError(threading.Lock())
    with pytest.raises(NotDigestibleError) as caught:
        digest(error)
    assert caught.value.path == ".__cause__.args[0]"


def test_views_of_a_dict_can_change_with_it():
    table = {"a": 1}
    for view in (table.keys(), table.values(), table.items()):
        assert digest_value(view, name_symbol=lambda _: None).mutable
