"""Frames as arguments and as globals of memoised functions, in fresh processes."""

from typing import Any

import pytest

pytest.importorskip("pandas")

PROGRAM = """
import sys
import numpy as np
import pandas as pd
from hitsave import memo

TABLE = pd.DataFrame({{"a": [1, 2], "b": [3.5, {last}]}})

@memo
def total(frame):
    print("ran")
    return float(frame["a"].sum() + TABLE["b"].sum())

@memo
def spoil(frame):
    print("spoilt")
    frame["c"] = 1
    return len(frame)

built = {{
    "columns": lambda: pd.DataFrame({{"a": [1.0, 2.0], "b": [3.0, 4.0]}}),
    "block": lambda: pd.DataFrame(np.array([[1.0, 3.0], [2.0, 4.0]]), columns=["a", "b"]),
    "other": lambda: pd.DataFrame({{"a": [1.0, 2.0], "b": [3.0, 5.0]}}),
}}
print(total(built[{way!r}]()))
if {is_spoilt}:
    spoil(built[{way!r}]())
"""


def words(run: Any, way: str, last: float = 4.5, is_spoilt: bool = False) -> list[str]:
    done = run(PROGRAM.format(way=way, last=last, is_spoilt=is_spoilt), "-W", "ignore")
    return list(done.stdout.split())


def test_equal_frames_hit_however_they_were_built_and_a_global_frame_counts(run: Any) -> None:
    assert words(run, "columns") == ["ran", "11.0"]
    assert words(run, "block") == ["11.0"]
    assert words(run, "other") == ["ran", "11.0"]
    assert words(run, "columns", last=5.5) == ["ran", "12.0"]
    assert words(run, "block", last=5.5) == ["12.0"]


def test_a_call_that_changes_its_frame_is_not_recorded(run: Any) -> None:
    for _ in range(2):
        assert words(run, "columns", is_spoilt=True)[-1] == "spoilt"
