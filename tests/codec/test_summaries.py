"""Summaries: short, quick, and without the value's own code."""

import pathlib
import time

import numpy as np
import pytest

from hitsave.codec import summarize


class Hostile:
    def __repr__(self):
        raise AssertionError

    __str__ = __len__ = __iter__ = __hash__ = __repr__


class Words(list):
    __repr__ = __len__ = __iter__ = Hostile.__repr__


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"), ("a", "'a'"), ([1, (2,), {"a": {3}}], "[1, (2,), {'a': {3}}]"), ((), "()"),
        (set(), "set()"), (frozenset({1}), "frozenset({1})"), (2**5000, "<int of 5001 bits>"),
        (pathlib.PurePosixPath("a"), "PurePosixPath('a')"), (len, "<built-in function len>"),
        (int, "<class builtins.int>"), (np.zeros((2, 3)), "<array float64 (2, 3)>"),
        ([[[[[1]]]]], "[[[[[…]]]]]"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]"),
        (bytearray(b"a"), "bytearray(b'a')"), (np, "<module numpy>"),
    ],
)  # fmt: skip
def test_a_summary_reads_as_python_does(value, text):
    assert summarize(value) == text


def test_no_code_of_the_value_runs():
    text = summarize([Hostile(), Words([1]), {"k": Hostile()}])
    assert text.count("Hostile>") == 2
    assert "Words>" in text


def test_huge_values_are_cut_without_being_read():
    huge = [list(range(1_000_000)), "x" * 10_000_000, b"y" * 10_000_000, {"k": [0] * 1_000_000}]
    started = time.process_time()
    assert len(summarize(huge, 80)) == 80
    assert time.process_time() - started < 0.5  # reading all of it takes seconds


def test_a_value_that_holds_itself_has_a_summary():
    knot = []
    knot.append(knot)
    assert summarize(knot) == "[[[[[…]]]]]"
