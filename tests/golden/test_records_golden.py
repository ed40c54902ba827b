"""The record of a source is kept in the store: what the analyser finds changes with its schema."""

import pathlib

from hitsave.code.analyze import analyze
from hitsave.code.records import SCHEMA, pack_module
from hitsave.digest import digest_bytes

SOURCE = pathlib.Path(__file__).parent / "analysed.txt"


def test_another_analysis_of_the_same_source_is_of_another_schema() -> None:
    packed = pack_module(analyze(SOURCE.read_bytes()))
    # Where this fails, records in the stores of users are not what the analyser finds now: let the
    # schema grow, and pin both anew.
    pinned = "217daea453774a8913888aab9d44690a068242fcc122942ee4e160f3f5a1b357"
    assert (SCHEMA, digest_bytes(packed).hex()) == (18, pinned)
