"""Telling apart what one definition made: the same in every process, and never for long."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.code.closure import Closure
from hitsave.code.instances import Instances, project_name
from hitsave.code.resolve import Resolver
from hitsave.code.symbol import Symbol
from hitsave.digest import digest_bytes


@pytest.fixture(scope="module")
def resolver(closure_in: Callable[[Path], Closure]) -> Resolver:
    return closure_in(Path(__file__).parent).resolver


def _digest_held(_: Symbol, value: Any, __: Any) -> bytes:
    return digest_bytes(repr(value).encode())


def linked(links: list[list[int]], constants: list[int]) -> list[Any]:
    """Functions of one definition, each of which holds a constant and some of the others."""

    def made(constant: int, others: list[Any]) -> Any:
        first, second, third = (others + [None] * 3)[:3]

        def function() -> Any:
            return constant, first, second, third

        return function

    found = [made(constant, []) for constant in constants]
    for function, others in zip(found, links, strict=True):
        cells = dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))
        for name, other in zip(("first", "second", "third"), others, strict=False):
            cells[name].cell_contents = found[other]
    return found


GRAPHS = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size),
        st.lists(st.integers(0, 2), min_size=size, max_size=size),
    )
)


@given(GRAPHS)
@settings(deadline=None)
def test_the_same_graph_of_functions_has_the_same_digests(
    resolver: Resolver, graph: tuple[list[list[int]], list[int]]
) -> None:
    one = [Instances(resolver, _digest_held, lambda _: True).digest(f) for f in linked(*graph)]
    shared = Instances(resolver, _digest_held, lambda _: True)
    # In another order, and with what was found out before.
    other = [shared.digest(f) for f in reversed(linked(*graph))][::-1]
    assert one == other
    assert None not in one


@given(GRAPHS)
@settings(deadline=None)
def test_functions_that_hold_another_constant_have_another_digest(
    resolver: Resolver, graph: tuple[list[list[int]], list[int]]
) -> None:
    links, constants = graph
    changed = [*constants[:-1], constants[-1] + 1]
    one, other = (
        Instances(resolver, _digest_held, lambda _: True).digest(linked(links, each)[-1])
        for each in (constants, changed)
    )
    assert one != other


def test_many_functions_that_all_hold_each_other_take_no_time(resolver: Resolver) -> None:
    size = 600
    links = [[(n * 7 + 1) % size, (n * 11 + 5) % size, (n + 1) % size] for n in range(size)]
    functions = linked(links, list(range(size)))
    start = time.perf_counter()
    digests = {
        Instances(resolver, _digest_held, lambda _: True).digest(each) for each in functions[:20]
    }
    assert len(digests) == 20
    assert time.perf_counter() - start < 20  # every path would take for ever


def _made(rate: int, name: str = "Rate") -> Any:
    return type(name, (), {"of": lambda _, x: x * rate, "rate": rate, "__module__": __name__})


def test_only_a_class_that_is_not_alone_is_told_apart(resolver: Resolver) -> None:
    shared = Instances(resolver, _digest_held, lambda _: True)
    assert shared.digest(Alone) is None
    assert shared.digest(_made(2)) == shared.digest(_made(2)) != shared.digest(_made(3))
    assert shared.digest(len) is shared.digest(3) is shared.digest([_made]) is None


class Alone:
    """What its module calls by its name."""


def test_the_names_of_such_classes_differ(resolver: Resolver) -> None:
    names = {project_name(resolver, _made(rate)) for rate in (2, 3, 2)}
    assert len(names) == 2
    assert None not in names
