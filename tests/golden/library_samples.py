"""The values of numpy and pandas whose digests are pinned.

Run as a program it prints the digests as JSON, in a fresh process. Each value says its dtype: what
these libraries choose where nothing is said is another with another version of theirs.
"""

import json
import zoneinfo

import numpy as np
import pandas as pd

from hitsave.codec import digest_value

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
WORDS = np.array(["a", "b"], dtype=object)
INTS = np.array([1, 2], dtype="<i8")
DAYS = pd.DatetimeIndex(np.array(["2020-01-01", "2020-01-02"], "M8[ns]"))
LABELS = pd.Index(WORDS, dtype=object)
MASKED = pd.array([1, None], dtype="Int64")


def series(values, dtype=None):
    return pd.Series(values, dtype=dtype, index=pd.RangeIndex(len(values)))


def frame():
    columns = {
        "ints": INTS, "more": INTS + 1, "floats": np.array([0.5, np.nan]), "words": WORDS,
        "days": DAYS, "masked": MASKED, "kinds": pd.Categorical(WORDS, categories=LABELS),
    }  # fmt: skip
    made = pd.DataFrame(columns, index=pd.RangeIndex(2))
    made.columns = pd.Index(list(columns), dtype=object, name="names")
    made["words"] = made["words"].astype(object)
    made.attrs["unit"] = "m"
    return made


NUMPY = {
    "bools": np.array([True, False]), "halves": np.array([1, 2], "f2"), "empty": np.zeros((0, 3)),
    "big-endian": np.array([1, 2], ">i4"), "complex": np.array([1 + 2j]), "zero-d": np.array(5),
    "fortran": np.asfortranarray(np.arange(6, dtype="i8").reshape(2, 3)),
    "strided": np.arange(12, dtype="i8")[::3], "text": np.array(["a", "bc"]),
    "bytes": np.array([b"a", b"bc"]), "days": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "spans": np.array([1, 2], "m8[ms]"), "void": np.array([b"ab"], "V2"),
    "nested": np.array([((1, 2.0), [3, 4])], dtype=[("a", [("b", "i4"), ("c", "f8")]),
                                                    ("d", "i2", (2,))]),
    "objects": np.array([None, "a", (1,)], dtype=object),
    "masked": np.ma.array([1, 2], mask=[0, 1]),
    "scalar": np.float64(1.5), "bool": np.bool_(True), "moment": np.datetime64("2020-01-01", "ns"),
    "record": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])[0], "dtype": np.dtype("<f4"),
}  # fmt: skip
PANDAS = {
    "frame": frame(), "block": pd.DataFrame(np.ones((2, 2)), columns=LABELS, index=DAYS),
    "empty": pd.DataFrame(index=pd.RangeIndex(0), columns=pd.RangeIndex(0)),
    "named": pd.Series(INTS, name="n", index=LABELS), "index": pd.Index(INTS, name="i"),
    "range": pd.RangeIndex(1, 9, 2), "multi": pd.MultiIndex.from_arrays([INTS, LABELS]),
    "days": DAYS, "freq": pd.date_range("2020", periods=2, freq="MS").as_unit("ns"),
    "zone": DAYS.tz_localize(ZONE), "utc": DAYS.tz_localize(zoneinfo.ZoneInfo("UTC")),
    "seconds": DAYS.as_unit("s"), "spans": pd.TimedeltaIndex(np.array([1, 2], "m8[ns]")),
    "periods": pd.period_range("2020-01", periods=2, freq="D"),
    "intervals": pd.IntervalIndex.from_breaks(np.array([0, 1, 2], "<i8")),
    "kinds": pd.CategoricalIndex(pd.Categorical(WORDS, categories=LABELS, ordered=True)),
    "masked": series(MASKED), "floats": series([1.5, None], "Float32"),
    "truths": series([True, None], "boolean"), "text": series(["a", None], "string[python]"),
    "sparse": series(pd.arrays.SparseArray(np.array([0.0, 1, 0]), fill_value=0.0)),
    "objects": series(np.array([None, "a", 1.5, pd.NA, pd.NaT], dtype=object), object),
    "stamp": pd.Timestamp("2020-01-01", tz=ZONE).as_unit("ns"), "missing": [pd.NA, pd.NaT],
    "span": pd.Timedelta(1, "s").as_unit("ns"), "period": pd.Period("2020", "D"),
    "interval": pd.Interval(0, 1), "offset": pd.offsets.MonthEnd(2),
    "dtypes": [DAYS.tz_localize(ZONE).dtype, MASKED.dtype, pd.CategoricalDtype(LABELS, True)],
}  # fmt: skip


def digest(value):
    return digest_value(value, name_symbol=lambda _: None).digest.hex()


if __name__ == "__main__":
    found = {"numpy": NUMPY, "pandas": PANDAS}
    print(json.dumps({of: {k: digest(v) for k, v in each.items()} for of, each in found.items()},
                     indent=1))  # fmt: skip
