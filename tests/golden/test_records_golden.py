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
    pinned = "c6f26bdf46e7c01e01e80d4b43ce1145632dce70f3528dc05f2f01c06d41592e"
    assert (SCHEMA, digest_bytes(packed).hex()) == (20, pinned)
