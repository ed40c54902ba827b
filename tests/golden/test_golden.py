"""Pinned digests and encodings: equal on every Python, under every hash seed, for good."""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest

from hitsave.codec import decode

HERE = pathlib.Path(__file__).parent
DIGESTS = json.loads((HERE / "digests.json").read_text())
ENCODINGS = json.loads((HERE / "encodings.json").read_text())


def in_fresh_process(seed):
    done = subprocess.run(
        [sys.executable, str(HERE / "samples.py")],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"golden_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def samples():
    return loaded("samples")


@pytest.mark.parametrize("seed", ["0", "1", "2", "4294967295"])
def test_digests_and_encodings_are_the_pinned_ones(seed, samples):
    found = in_fresh_process(seed)
    assert found["digests"] == DIGESTS
    for unordered in samples.UNORDERED:
        del found["encodings"][unordered]
    assert found["encodings"] == {
        name: pinned for name, pinned in ENCODINGS.items() if name not in samples.UNORDERED
    }


def test_pinned_encodings_read_back_as_the_values_that_they_were(samples):
    for name, value in {**samples.STORABLE, **samples.SHAPED}.items():
        assert samples.decoded_digest(ENCODINGS[name]) == samples.digest(value), name


@pytest.mark.parametrize("version", ["2.2", "3.1"])
def test_frames_that_any_version_of_pandas_wrote_read_back(version):
    pandas = pytest.importorskip("pandas")
    pinned = json.loads((HERE / "frames.json").read_text())[version]
    values = loaded("frames").values()
    assert sorted(pinned) == sorted(values)
    for name, value in values.items():
        back = decode(bytes.fromhex(pinned[name]), (), allow_pickle=False)
        assert type(back) is type(value), name
        if type(value) is list:
            assert list(map(repr, back)) == list(map(repr, value))
        elif isinstance(value, pandas.Series):
            pandas.testing.assert_series_equal(back, value)
            assert getattr(back.index, "freq", None) == getattr(value.index, "freq", None)
        else:
            pandas.testing.assert_frame_equal(back, value)
            assert back.attrs == value.attrs
