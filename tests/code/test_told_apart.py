"""Which globals no statement tells apart."""

from hypothesis import given
from hypothesis import strategies as st

from hitsave.code.effects import _places, _told_apart

SETS = st.frozensets(st.integers(0, 2**40 - 1), max_size=12)


@given(SETS)
def test_every_place_is_in_one_group_with_those_that_are_in_the_same_sets(
    sets: frozenset[int],
) -> None:
    groups = _told_apart(sets)
    places = [place for group in groups for place in _places(group)]
    assert sorted(places) == [
        place for place in range(40) if any(each >> place & 1 for each in sets)
    ]
    alike: dict[tuple[bool, ...], set[int]] = {}
    for place in places:
        alike.setdefault(tuple(bool(each >> place & 1) for each in sorted(sets)), set()).add(place)
    assert sorted(alike.values(), key=min) == sorted((set(_places(g)) for g in groups), key=min)
