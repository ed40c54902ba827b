"""Values with something inside that has no digest: the rest of them has."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave.codec import Digested, digest_value
from hitsave.errors import NotDigestibleError


class Box:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def named(value: object) -> str | None:
    return "Box" if value is Box else None


def partial(value: object, shared: dict[int, Any] | None = None) -> Digested:
    return digest_value(value, name_symbol=named, reduce=False, partial=True, shared=shared)


LEAVES = st.none() | st.integers() | st.text(max_size=3) | st.binary(max_size=3)
REFUSED: st.SearchStrategy[Callable[[], Any]] = st.sampled_from(
    [threading.Lock, threading.Event, lambda: iter([1]), lambda: (n for n in [1]), object]
)


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=2), inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(st.sampled_from("abc"), inner).map(lambda fields: Box(**fields))
        ),
        max_leaves=8,
    )


@given(trees(LEAVES))
def test_what_has_a_digest_keeps_it(value: Any) -> None:
    found = partial(value)
    assert found.whole
    assert found == digest_value(value, name_symbol=named, reduce=False)


@given(trees(LEAVES), REFUSED, REFUSED)
def test_the_rest_counts_and_the_refused_by_its_kind(
    value: Any, refused: Callable[[], Any], other: Callable[[], Any]
) -> None:
    first, again = (partial([value, refused()]) for _ in range(2))
    assert not first.whole
    assert first.digest == again.digest
    assert partial([value, value, refused()]).digest != first.digest
    is_same = type(refused()) is type(other())
    assert (partial([value, other()]).digest == first.digest) is is_same


@given(trees(LEAVES), trees(LEAVES))
def test_two_values_beside_a_lock_differ_as_they_do_alone(one: Any, two: Any) -> None:
    alone = partial(one).digest == partial(two).digest
    beside = partial([one, threading.Lock()]).digest == partial([two, threading.Lock()]).digest
    assert alone == beside


@given(trees(LEAVES), REFUSED)
def test_what_walks_share_says_nothing_that_is_not_so(
    value: Any, refused: Callable[[], Any]
) -> None:
    box = Box(value=value, refused=refused())
    shared: dict[int, Any] = {}
    for held in ([box], box, [value], [box, box]):
        assert partial(held, shared) == partial(held)
    with pytest.raises(NotDigestibleError):
        digest_value([box], name_symbol=named, reduce=False, shared=shared)


def test_what_is_refused_itself_has_no_digest() -> None:
    with pytest.raises(NotDigestibleError):
        partial(threading.Lock())


@pytest.mark.parametrize("make", [threading.Lock, object])
def test_what_is_refused_itself_has_no_digest_after_others_have_shared_it(make: Any) -> None:
    shared: dict[int, Any] = {}
    value = make()
    holder = [[value], 1]
    inside = partial(holder, shared=shared)
    assert not inside.whole
    with pytest.raises(NotDigestibleError):
        partial(value, shared=shared)
    assert partial(holder[0], shared=shared) == partial([value])
    assert partial(holder, shared=shared) == inside


def test_a_cycle_through_an_object_with_a_lock() -> None:
    def made(name: str) -> Box:
        box = Box(name=name, lock=threading.Lock())
        box.own = [box]
        return box

    assert partial(made("a")).digest == partial(made("a")).digest
    assert partial(made("a")).digest != partial(made("b")).digest


def test_an_object_whose_own_digest_raises_counts_by_its_kind() -> None:
    class Raising:
        def __hitsave_digest__(self) -> object:
            raise ValueError

    found = partial([1, Raising()])
    assert not found.whole
    assert found.digest == partial([1, Raising()]).digest
