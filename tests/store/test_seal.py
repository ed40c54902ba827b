"""Tags tell what was written from anything else."""

from hypothesis import given
from hypothesis import strategies as st

from hitsave.store import Table
from hitsave.store.seal import TAG_SIZE, seal, unseal

KEY, BODY = b"key", b"the body of a value"


@given(st.binary(min_size=1, max_size=600), st.binary(max_size=600))
def test_what_was_sealed_is_unsealed(key: bytes, body: bytes) -> None:
    for table in Table:
        assert unseal(table, key, seal(table, key, body)) == body


def test_every_flipped_bit_is_seen() -> None:
    sealed = seal(Table.CALLS, KEY, BODY)
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        assert unseal(Table.CALLS, KEY, bytes(flipped)) is None


def test_every_shortened_value_is_seen() -> None:
    sealed = seal(Table.CALLS, KEY, BODY)
    assert all(unseal(Table.CALLS, KEY, sealed[:n]) is None for n in range(len(sealed)))
    assert unseal(Table.CALLS, KEY, bytes(len(sealed))) is None


def test_a_value_counts_only_in_its_table_and_under_its_key() -> None:
    sealed = seal(Table.CALLS, KEY, BODY)
    assert unseal(Table.MANIFESTS, KEY, sealed) is None
    assert unseal(Table.CALLS, b"another", sealed) is None


def test_a_key_and_a_body_that_meet_elsewhere_are_told_apart() -> None:
    assert seal(Table.CALLS, b"ab", b"c")[:TAG_SIZE] != seal(Table.CALLS, b"a", b"bc")[:TAG_SIZE]


def test_tags_are_what_they_were() -> None:
    # A change here makes every stored value unreadable: then `SCHEMA` has to change too.
    assert seal(Table.CALLS, KEY, BODY)[:TAG_SIZE].hex() == "53541b1242f5219e67a0f69c9c9b76f1"
