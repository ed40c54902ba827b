"""Pinned digests of numpy and pandas: equal with every version of theirs, under every hash seed."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
DIGESTS = json.loads((HERE / "library_digests.json").read_text())


@pytest.mark.parametrize("seed", ["0", "1", "2", "4294967295"])
def test_digests_are_the_pinned_ones(seed):
    pytest.importorskip("pandas")
    done = subprocess.run(
        [sys.executable, str(HERE / "library_samples.py")],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == DIGESTS
