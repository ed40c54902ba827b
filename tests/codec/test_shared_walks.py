"""Walks that give each other what they find out say the same as walks that do not."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.codec.walk import Shared, digest_value
from hitsave.errors import NotDigestibleError


class Thing:
    """A project class: its instances are walked."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def first(x: int) -> int:
    return x


def second(x: int) -> int:
    return x


def name(value: object) -> str | None:
    if value in (Thing, first, second) and callable(value):
        return f"project:{value.__name__}"
    return None


KINDS = ("list", "tuple", "dict", "set", "thing", "frozen", "bytearray", "pair")


def built(plan: list[tuple[str, list[int]]], loops: list[tuple[int, int]]) -> list[Any]:
    """Objects that hold earlier ones, as often as they like; a few hold later ones as well."""
    made: list[Any] = [1, "x", first, second, Thing, None, 2.5]
    for kind, picks in plan:
        parts = [made[pick % len(made)] for pick in picks]
        hashable = [p for p in parts if isinstance(p, (int, str, float)) or p in (first, second)]
        made.append(
            {
                "list": lambda parts=parts: list(parts),
                "tuple": lambda parts=parts: (*parts, bytearray(b"x")),
                "dict": lambda parts=parts: dict(enumerate(parts)),
                "set": lambda hashable=hashable: set(hashable),
                "frozen": lambda hashable=hashable: frozenset(hashable),
                "thing": lambda parts=parts: Thing(**{f"f{n}": p for n, p in enumerate(parts)}),
                "bytearray": lambda: bytearray(b"abc"),
                "pair": lambda parts=parts: (parts, parts),
            }[kind]()
        )
    things = [each for each in made if isinstance(each, Thing)]
    for one, two in loops if things else []:
        things[one % len(things)].loop = made[two % len(made)]
    return made


def outcome(value: Any, limit: int, shared: Shared | None) -> object:
    try:
        found = digest_value(value, name_symbol=name, reduce=False, limit=limit, shared=shared)
    except NotDigestibleError as error:
        return error.message
    return found.digest, {id(symbol) for symbol in found.symbols}, found.mutable


plans = st.lists(
    st.tuples(st.sampled_from(KINDS), st.lists(st.integers(0, 30), max_size=4)), max_size=14
)


@settings(max_examples=400, deadline=None)
@given(
    plans,
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=3),
    st.sampled_from([3, 5, 200]),
    st.randoms(use_true_random=False),
)
def test_the_same_digest_symbols_and_errors_in_any_order(plan, loops, limit, random) -> None:
    values = built(plan, loops)
    alone = [outcome(value, limit, None) for value in values]
    shared: Shared = {}
    order = list(range(len(values))) * 2
    random.shuffle(order)
    for position in order:
        assert outcome(values[position], limit, shared) == alone[position]
