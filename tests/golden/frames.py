"""Values of pandas whose encodings are pinned: written once, read by every version from then on.

Run as a program it prints their encodings as JSON. They may differ from version to version; those
of two are kept in `frames.json`, and each has to be read as the value that it was.
"""

import json
import zoneinfo

import numpy as np
import pandas as pd

from hitsave.codec import encode

NAMES = pd.Index(["a", "b", "c", "d"], dtype=object)
HOURS = pd.DatetimeIndex(np.array([0, 3600, 7200], "M8[s]").astype("M8[ns]"), freq="h", name="t")


def values():
    zoned = HOURS.tz_localize("UTC").tz_convert(zoneinfo.ZoneInfo("Europe/Berlin"))
    frame = pd.DataFrame(
        {
            0: np.array([1, 2, 3], "<i4"),
            1: pd.Series(["x", None, (1, [2])], dtype=object),
            2: pd.Categorical.from_codes([0, -1, 1], pd.Index(["u", "v"], dtype=object)),
            3: pd.array([1, None, 3], dtype="Int64"),
        }
    )
    frame.columns = NAMES
    frame.attrs = {"made": [1]}
    pairs = pd.MultiIndex.from_arrays([pd.Index([1, 1, 2], dtype="int64"), [0.5, 1.5, 0.5]])
    return {
        "frame": frame,
        "block": pd.DataFrame(np.arange(6.0).reshape(3, 2), index=HOURS, columns=NAMES[:2]),
        "zoned": pd.Series(np.array([1.5, np.nan, -0.0]), index=zoned, name=("s", 1)),
        "pairs": pd.Series(np.array([True, False, True]), index=pairs),
        "periods": pd.period_range("2020-01", periods=3, freq="M").to_series(index=range(3)),
        "text": pd.Series(["a", None, "é"], dtype="string[python]"),
        "scalars": [pd.NaT, pd.NA, zoned[1], pd.Timedelta(5, "ns"), pd.Period("2020-02", "M")],
    }


if __name__ == "__main__":
    encoded = {name: encode(value) for name, value in values().items()}
    assert not any(each.pickled or each.buffers for each in encoded.values())
    print(json.dumps({name: each.payload.hex() for name, each in encoded.items()}, indent=1))
