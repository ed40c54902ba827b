"""pandas: frames, series and indexes, however they were built; and all that tells two apart."""

import datetime
import pickle
import threading
import zoneinfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.codec import digest_value
from hitsave.errors import NotDigestibleError

pd = pytest.importorskip("pandas")

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")


def project_name(value):
    is_here = getattr(value, "__module__", None) == __name__
    return f"project:{value.__qualname__}" if is_here else None


def digest(value):
    # As globals are digested: without asking an object for its reduction.
    return digest_value(value, name_symbol=project_name, reduce=False).digest


def assert_distinct(values):
    known = {}
    for value in [*values, *reversed(values)]:
        assert known.setdefault(digest(value), value) is value


# -- what tells two apart ---------------------------------------------------------------


def arrays():
    days = pd.date_range("2020-01-01", periods=2)
    found = [pd.array(values, dtype=dtype) for values, dtype in (
        ([1, None], "Int64"), ([1, 0], "Int64"), ([1, None], "Int8"), ([1, None], "UInt8"),
        ([1.5, None], "Float64"), ([1.5, None], "Float32"), ([True, None], "boolean"),
        (["a", None], "string[python]"), (["a", ""], "string[python]"), (["a", None], object),
        ([1, None], object), (["a", "b"], "category"),
    )]  # fmt: skip
    return [
        *found, pd.Categorical(["a", "b"], ordered=True), pd.Categorical(["a", None]),
        pd.Categorical(["a", "b"], ["b", "a"]), pd.Categorical(["a", "b"], ["a", "b", "c"]),
        days.array, days.as_unit("s").array, days.tz_localize("UTC").array,
        days.tz_localize(ZONE).array, pd.period_range("2020", periods=2, freq="M").array,
        pd.period_range("2020", periods=2, freq="D").array,
        pd.timedelta_range("1D", periods=2).array, pd.interval_range(0, 2).array,
        pd.interval_range(0, 2, closed="left").array,
        pd.interval_range(0.0, 2).array, pd.arrays.SparseArray([0, 1]),
        pd.arrays.SparseArray([0, 1], fill_value=1), pd.arrays.SparseArray([0.0, 1]),
    ]  # fmt: skip


def test_columns_series_indexes_and_dtypes_of_each_kind_are_told_apart():
    found = arrays()
    series = [pd.Series(array) for array in found]
    frames = [pd.DataFrame({"x": array}) for array in found]
    columns = [pd.DataFrame(np.zeros((1, len(array))), columns=array) for array in found]
    assert_distinct([*found, *series, *frames, *columns])
    assert_distinct([pd.Index(array) for array in found if not hasattr(array, "sp_index")])
    for array in found:
        again = pickle.loads(pickle.dumps(array))
        assert digest(again) == digest(array)
        whole = pd.Series(array)
        assert digest(pd.concat([whole[:1], whole[1:]])) == digest(whole)
    dtypes = {str(each.dtype): each.dtype for each in series}
    assert_distinct(list(dtypes.values()))


def test_scalars_are_told_apart():
    first, stamp = (
        pd.Timestamp(datetime.datetime(2020, 10, 25, 2, 30), tz=ZONE, fold=fold) for fold in (0, 1)
    )
    assert_distinct([
        first, stamp, stamp.tz_convert("UTC"),
        pd.Timestamp("2020").as_unit("us"), pd.NaT, pd.NA,
        pd.Timestamp("2020").as_unit("s"), pd.Timestamp("2020").as_unit("ns"), float("nan"), None,
        datetime.datetime(2020, 1, 1), np.datetime64("2020"), pd.Timedelta("1D").as_unit("ns"),
        pd.Timedelta("1D").as_unit("s"), datetime.timedelta(1), pd.Period("2020", "M"),
        pd.Period("2020", "D"), pd.Interval(0, 1), pd.Interval(0, 1, "left"), pd.offsets.Day(2),
        pd.offsets.Day(3), pd.DateOffset(months=2), pd.DateOffset(years=2), pd.offsets.MonthEnd(2),
        pd.offsets.CustomBusinessDay(), pd.offsets.CustomBusinessDay(weekmask="Mon Tue"),
        pd.offsets.MonthEnd(2, normalize=True),
    ])  # fmt: skip


def test_labels_names_and_types_count():
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    noted = frame.copy()
    noted.attrs["unit"] = "m"
    strict = frame.set_flags(allows_duplicate_labels=False)
    assert_distinct([
        frame, noted, strict, frame[["b", "a"]], frame.rename(columns={"b": "c"}), frame.T,
        frame.astype("f8"), frame.astype("i4"), frame.astype({"a": "f8"}), frame.astype(object),
        frame.rename(index={1: 5}), frame.rename_axis("i"), frame.rename_axis("c", axis=1),
        frame[:1], frame[:0], frame[[]], frame["a"], frame["a"].rename("z"), frame.to_numpy(),
        frame.set_index("a"), frame.set_index(["a", "b"]), frame.columns, frame.index,
        frame.index.astype("i4"), pd.Index([0, 1]), pd.RangeIndex(2, name="x"), pd.DataFrame(),
        pd.RangeIndex(0, 4, 2), pd.date_range("2020", periods=3),
        pd.DatetimeIndex(pd.date_range("2020", periods=3), freq=None),
    ])  # fmt: skip


def test_levels_count_in_their_order_since_it_shows_in_what_is_unstacked():
    index = pd.MultiIndex.from_arrays([[1, 2], [3, 4]])
    turned = pd.MultiIndex([[2, 1], [3, 4]], [[1, 0], [0, 1]])
    assert index.equals(turned)
    assert_distinct([index, turned, index.set_names(["a", "b"]), index[:1], index.swaplevel()])
    assert digest(index.copy()) == digest(index)


def test_missing_elements_are_told_apart_by_what_stands_for_them():
    assert_distinct(
        [pd.Series([each, "a"], dtype=object) for each in (None, np.nan, pd.NA, pd.NaT)]
    )


def test_what_lies_under_a_missing_element_does_not_count():
    masks = np.array([False, True])
    one, two = (pd.arrays.IntegerArray(np.array([1, under]), masks.copy()) for under in (5, 6))
    assert digest(one) == digest(two) == digest(pd.array([1, None], dtype="Int64"))


def test_arrow_columns_count_by_type_and_elements_and_not_by_chunks():
    pa = pytest.importorskip("pyarrow")
    kinds = [pd.ArrowDtype(pa.int64()), pd.ArrowDtype(pa.int32()), "string[pyarrow]", "Int64"]
    texts = [pd.Series(["1", None], dtype=kind) for kind in ("string[pyarrow]", "string[python]")]
    series = [pd.Series([1, None], dtype=kind) for kind in kinds if "str" not in str(kind)]
    lists = pd.Series([[1], None], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    assert_distinct([*texts, *series, lists])
    for each in (*texts, *series, lists):
        assert digest(pd.concat([each[:1], each[1:]])) == digest(each)


def test_a_path_names_the_column():
    frame = pd.DataFrame({"a": [1], "b": [threading.Lock()]})
    with pytest.raises(NotDigestibleError) as caught:
        digest({"data": frame})
    assert caught.value.path == "['data']['b'][0]"


class Wide(pd.DataFrame):
    _metadata = ["note"]  # noqa: RUF012 - as pandas says to

    @property
    def _constructor(self):
        return Wide


def test_a_frame_of_the_project_counts_by_class_frame_and_own_fields():
    one, two = Wide({"a": [1]}), Wide({"a": [1]})
    assert digest(one) == digest(two)
    assert one["a"].sum() == 1  # which some versions of pandas remember in the frame
    assert digest(one) == digest(two)
    two.note = "x"
    assert_distinct([one, two, Wide({"a": [2]}), pd.DataFrame({"a": [1]})])


# -- however they were built --------------------------------------------------------------

columns = st.lists(
    st.sampled_from(["f8", "i4", "i8", "?", "M8[ns]", "m8[s]", "O", "Int64", "category"]),
    max_size=5,
)


def filled(dtypes, rows, salt):
    made = {}
    for number, dtype in enumerate(dtypes):
        counted = [(salt + number + row) % 5 for row in range(rows)]
        if dtype == "O":
            counted = [str(each) if each else None for each in counted]
        plain = dtype in ("O", "Int64", "category")
        array = pd.array(counted, dtype=dtype) if plain else np.array(counted).astype(dtype)
        made[f"c{number}"] = array
    return made


def built(parts, rows):
    """Yield frames that hold the same and were built in other ways."""
    index = pd.RangeIndex(rows)
    yield pd.DataFrame(parts, index=index)
    one = pd.DataFrame(index=index)
    for name, array in parts.items():
        one[name] = array
    # What was empty has names of another type.
    one.columns = pd.DataFrame(parts, index=index).columns
    yield one
    yield one.copy()
    yield pickle.loads(pickle.dumps(one))
    yield pd.concat([one[: rows // 2], one[rows // 2 :]])
    spread = one.loc[np.repeat(one.index, 2)].iloc[::2]
    spread.index = index
    yield spread
    yield one[one.columns[::-1]][one.columns]


@settings(max_examples=60, deadline=None)
@given(columns.filter(bool), st.integers(0, 6), st.integers(0, 4))
def test_equal_frames_have_equal_digests_however_they_were_built(dtypes, rows, salt):
    frames = list(built(filled(dtypes, rows, salt), rows))
    for frame in frames:
        pd.testing.assert_frame_equal(frame, frames[0], check_exact=True)
    assert len(set(map(digest, frames))) == 1


@settings(max_examples=60, deadline=None)
@given(columns, columns, st.integers(0, 4), st.integers(0, 4), st.integers(0, 1))
def test_frames_have_equal_digests_exactly_when_they_are_equal(one, two, rows, more, salt):
    first = pd.DataFrame(filled(one, rows, 0), index=pd.RangeIndex(rows))
    second = pd.DataFrame(filled(two, more, salt), index=pd.RangeIndex(more))
    is_equal = first.equals(second) and all(first.dtypes == second.dtypes)
    assert (digest(first) == digest(second)) == is_equal


def test_layout_does_not_count():
    table = np.arange(60_000.0).reshape(20_000, 3)
    names = list("abc")
    frame = pd.DataFrame(table, columns=names)
    parts = pd.DataFrame({name: table[:, at] for at, name in enumerate(names)})
    assert digest(frame) == digest(pd.DataFrame(np.asfortranarray(table), columns=names))
    assert digest(frame) == digest(parts)
    assert digest(pd.DataFrame(np.zeros((3, 5000)))) == digest(
        pd.DataFrame({at: np.zeros(3) for at in range(5000)}, columns=pd.RangeIndex(5000))
    )
