"""Values of other libraries: the same type, equal, of the same dtype, and without pickle."""

import contextlib
import datetime
import zoneinfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.codec import decode, encode
from hitsave.errors import DamagedError

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def through(value, *, trusted=True, pickled=False):
    encoded = encode(value)
    assert encoded.pickled == pickled
    buffers = [memoryview(bytearray(buffer)) for buffer in encoded.buffers]
    return decode(encoded.payload, buffers, allow_pickle=trusted)


def numbers(count, dtype="f8"):
    return np.arange(count).astype(dtype)


# -- pandas -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pd():
    return pytest.importorskip("pandas")


def arrays(pd):
    """One of each kind of column, of three rows."""
    moments = pd.to_datetime(["2020-01-01", None, "2020-10-25 00:30"], format="ISO8601")
    return {
        "int": numbers(3, "i4"), "float": np.array([1.5, np.nan, -0.0]), "bool": numbers(3) > 1,
        "object": np.array(["a", None, (1, [2])], dtype=object),
        "text": pd.Series(["a", None, "b"]),
        "python text": pd.array(["a", None, "b"], dtype=pd.StringDtype("python")),
        "naive": moments, "zone": moments.tz_localize("UTC").tz_convert(BERLIN),
        "seconds": moments.as_unit("s"), "delta": pd.to_timedelta([1, None, 3], unit="h"),
        "period": pd.PeriodIndex(["2020-01", "NaT", "2020-03"], freq="M"),
        "interval": pd.interval_range(0, 3),
        "category": pd.Categorical(["a", "b", None], ["b", "a"]),
        "ordered": pd.Categorical([1, 2, 1], ordered=True),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "Float32": pd.array([1, None], "Float32")[[0, 1, 0]],
        "boolean": pd.array([True, None, False], dtype="boolean"),
    }  # fmt: skip


def indexes(pd):
    return [
        pd.RangeIndex(0, 6, 2, name="r"), pd.Index([3, 1, 2], name=("a", 1)),
        pd.Index(["a", "b", "c"]),
        pd.Index([1, "a", None], dtype=object), pd.date_range("2020", periods=3, freq="MS"),
        pd.date_range("2020", periods=3, freq="h", tz=BERLIN, name="t"),
        pd.Index([1, 2, None], dtype="Int64"),
        pd.DatetimeIndex(["2020", "2021", "2025"]), pd.timedelta_range(0, periods=3, freq="2h"),
        pd.period_range("2020", periods=3, freq="Q"), pd.interval_range(0, 3),
        pd.CategoricalIndex(["a", "b", "a"], ordered=True),
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("a", 3)], names=["x", None]),
        pd.Index(np.array([1, 2, 3], "u1")),
    ]  # fmt: skip


def same_index(pd, one, two):
    assert type(one) is type(two)
    pd.testing.assert_index_equal(one, two, exact=True)
    assert getattr(one, "freq", None) == getattr(two, "freq", None)
    assert one.names == two.names


def test_series_of_each_kind(pd):
    for array in arrays(pd).values():
        for index in (None, *indexes(pd)):
            series = pd.Series(array, name="s")
            series.index = series.index if index is None else index
            back = through(series)
            pd.testing.assert_series_equal(back, series)
            assert back.dtype == series.dtype
            assert type(back.array) is type(series.array)
            same_index(pd, back.index, series.index)
        same_index(pd, through(pd.Index(array)), pd.Index(array))


def test_arrays_of_each_kind(pd):
    for array in arrays(pd).values():
        made = pd.Series(array).array
        if type(made) is not pd.arrays.NumpyExtensionArray:
            back = through(made)
            assert type(back) is type(made)
            pd.testing.assert_extension_array_equal(back, made)


def test_frames(pd):
    columns = {name: pd.Series(array) for name, array in arrays(pd).items()}
    frame = pd.DataFrame(columns)
    frame.attrs = {"made": [1, {"by": ("us",)}]}
    twice = pd.concat([frame, frame], axis=1)
    plain = pd.DataFrame(numbers(20_000).reshape(5000, 4), columns=list("abcd"))
    paired = pd.MultiIndex.from_product([["a"], [1, 2, 3]])
    frames = [
        frame, twice, plain, plain.iloc[:, ::2], plain[::3], pd.DataFrame(), frame.iloc[:0],
        pd.DataFrame(index=[1, 2]), pd.DataFrame(columns=["a"]), plain.astype("M8[us]"),
        pd.DataFrame(numbers(6, "i1").reshape(2, 3), columns=paired),
        *(plain[:3].set_index(index) for index in indexes(pd)), plain.astype(object), plain.T,
    ]  # fmt: skip
    for sent in frames:
        back = through(sent)
        pd.testing.assert_frame_equal(back, sent)
        assert list(back.dtypes) == list(sent.dtypes)
        assert back.attrs == sent.attrs
        same_index(pd, back.index, sent.index)
        same_index(pd, back.columns, sent.columns)


def test_a_frame_from_the_store_may_be_written_to_and_lies_where_it_was_read(pd):
    frame = pd.DataFrame({"a": numbers(20_000), "b": numbers(20_000, "i8")})
    encoded = encode(frame)
    assert [memoryview(b).nbytes for b in encoded.buffers] == [160_000, 160_000]
    buffers = [bytearray(buffer) for buffer in encoded.buffers]
    back = decode(encoded.payload, list(map(memoryview, buffers)), allow_pickle=False)
    assert np.shares_memory(back["a"].to_numpy(), np.frombuffer(buffers[0], "u1"))
    back.loc[0, "a"] = 5.0
    back.index = back.index + 1
    assert back.loc[1, "a"] == 5.0


def test_what_pandas_formats_do_not_keep_is_pickled(pd):
    class Own(pd.DataFrame):
        pass

    globals()["Own"] = Own
    Own.__qualname__ = "Own"
    flagged = pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False)
    sparse = pd.Series(pd.arrays.SparseArray([0, 0, 1]))
    for value in (Own({"a": [1]}), flagged, sparse):
        back = through(value, pickled=True)
        assert type(back) is type(value)
        assert back.equals(value)
    del globals()["Own"]


def test_scalars_of_pandas(pd):
    zone = pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert(BERLIN)
    values = [
        pd.NaT, pd.NA, pd.Timestamp("2020-01-01 00:00:00.123456789"), zone, zone.replace(fold=1),
        pd.Timestamp("2020").as_unit("s"), pd.Timestamp("2020", tz=datetime.UTC),
        pd.Timedelta(5, "ns"),
        pd.Timedelta("1D").as_unit("s"), pd.Period("2020-02", "M"), pd.Interval(1, 2.5, "both"),
    ]  # fmt: skip
    back = through(values)
    for one, two in zip(back, values, strict=True):
        assert type(one) is type(two)
        assert repr(one) == repr(two)
        assert getattr(one, "unit", None) == getattr(two, "unit", None)
        assert getattr(one, "fold", None) == getattr(two, "fold", None)
        assert one is two or one == two


def test_arrow_columns(pd):
    pa = pytest.importorskip("pyarrow")
    series = pd.Series([[1, 2], None, []], dtype=pd.ArrowDtype(pa.list_(pa.int8())))
    back = through(series)
    assert back.dtype == series.dtype
    pd.testing.assert_series_equal(back, series)
    with pytest.raises(DamagedError, match="not trusted"):
        through(series, trusted=False)


column = st.one_of(
    st.lists(st.floats(), min_size=4, max_size=4),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=4, max_size=4),
    st.lists(st.none() | st.text(max_size=3), min_size=4, max_size=4),
    st.lists(
        st.none() | st.booleans() | st.text(max_size=2) | st.integers(), min_size=4, max_size=4
    ),
    st.lists(st.datetimes(datetime.datetime(1700, 1, 1)), min_size=4, max_size=4),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=2), column), max_size=4), st.integers(0, 4))
def test_any_frame(columns, rows):
    pandas = pytest.importorskip("pandas")
    try:
        frame = pandas.concat([pandas.Series(c, name=n) for n, c in columns], axis=1).iloc[:rows]
    except ValueError:  # nothing to make a frame of
        return
    back = through(frame)
    pandas.testing.assert_frame_equal(back, frame)
    assert list(back.dtypes) == list(frame.dtypes)


# -- polars, pyarrow ----------------------------------------------------------------------------


def test_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "a": [1, None, 3], "b": ["x", None, "é"], "c": [[1], [], None],
            "d": [datetime.datetime(2020, 1, 1), None, datetime.datetime(2021, 1, 1, 1, 1, 1, 7)],
            "e": [{"p": 1, "q": "r"}, None, {"p": None, "q": ""}], "f": [b"\0", b"", None],
        }
    ).with_columns(
        pl.col("b").cast(pl.Categorical).alias("g"), pl.col("a").cast(pl.Decimal(10, 2)).alias("h"),
        pl.col("d").dt.replace_time_zone("Europe/Berlin").alias("i"),
        pl.col("b").cast(pl.Enum(["x", "é", "z"])).alias("j"), pl.lit(None).alias("k"),
    )  # fmt: skip
    for sent in (frame, frame[:0], pl.DataFrame(), frame.slice(1, 1)):
        back = through(sent)
        assert type(back) is pl.DataFrame
        assert back.schema == sent.schema
        assert back.equals(sent)
    for name in frame.columns:
        back = through(frame[name])
        assert back.dtype == frame[name].dtype
        assert back.name == name
        assert back.equals(frame[name], check_dtypes=True, check_names=True)
    with pytest.raises(DamagedError, match="not trusted"):
        through(frame, trusted=False)


def test_damaged_polars_frames_are_damage():
    pl = pytest.importorskip("polars")
    encoded = encode(pl.DataFrame({"a": [1, 2, 3], "b": ["a", "b", "c"]}))
    start = encoded.payload.index(b"ARROW1")
    for position in range(start, len(encoded.payload), 7):
        changed = bytearray(encoded.payload)
        changed[position] ^= 0xFF
        with contextlib.suppress(DamagedError):
            decode(bytes(changed), [], allow_pickle=True)


def test_pyarrow():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None, 3], "b": ["x", None, "z"], "c": [[1], [], None]})
    table = table.replace_schema_metadata({"k": "v"})
    coded = pa.array(["a", "b", "a"]).dictionary_encode()
    values = [
        table, table[:0], table.slice(1, 1), pa.concat_tables([table, table]), table.schema,
        table.to_batches()[0], pa.array([1, None]), pa.array([], pa.int8()), coded, pa.nulls(3),
        pa.chunked_array([[1, 2], [], [3]]), pa.chunked_array([], pa.float32()),
        pa.array(["a"] * 9)[3:5],
        pa.array([datetime.datetime(2020, 1, 1)], pa.timestamp("ms", "Europe/Berlin")),
        pa.record_batch({"a": pa.array([], pa.string())}),
        pa.table({"x": pa.array(range(20_000))}),
    ]  # fmt: skip
    for sent in values:
        back = through(sent)
        assert type(back) is type(sent)
        assert back.equals(sent)
        assert getattr(back, "type", None) == getattr(sent, "type", None)
    back = through(table)
    assert back.schema.equals(table.schema, check_metadata=True)
    chunked = pa.chunked_array([[1, 2], [3]])
    assert [len(chunk) for chunk in through(chunked).chunks] == [2, 1]
    with pytest.raises(DamagedError, match="not trusted"):
        through(table, trusted=False)


# -- scipy, torch, PIL --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_sparse(layout, kind):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.zeros((4, 6))
    dense[1, 2], dense[3, 5], dense[0, 0] = 1.5, -2, 3
    class_ = getattr(sparse, f"{layout}_{kind}")
    for content in (dense, dense[:0], np.zeros((3, 1), "i2"), dense.astype("c16")):
        sent = class_(content)
        back = through(sent, pickled=layout in ("lil", "dok"))
        assert type(back) is class_
        assert back.shape == sent.shape
        assert back.dtype == sent.dtype
        assert np.array_equal(back.toarray(), content)


def test_sparse_indices_stay_as_wide_and_as_ordered_as_they_were():
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csr_array(
        (numbers(3), (np.array([2, 0, 1]), np.array([0, 1, 1]))), shape=(3, 3)
    )
    matrix.indices, matrix.indptr = matrix.indices.astype("i8"), matrix.indptr.astype("i8")
    back = through(matrix)
    assert back.indices.dtype == back.indptr.dtype == np.int64
    twice = sparse.csr_array((np.ones(3), np.array([2, 0, 2]), np.array([0, 3, 3])), shape=(2, 3))
    back = through(twice)
    assert back.indices.tolist() == [2, 0, 2]
    assert back.toarray().tolist() == twice.toarray().tolist()


def test_sparse_indices_that_lead_outside_are_damage():
    sparse = pytest.importorskip("scipy.sparse")
    encoded = encode(sparse.csr_array(np.eye(3, dtype="i1")))
    indices = sparse.csr_array(np.eye(3, dtype="i1")).indices.tobytes()
    wrong = encoded.payload.replace(indices, indices[:-1] + b"\x7f")
    assert wrong != encoded.payload
    with pytest.raises(DamagedError):
        decode(wrong, [], allow_pickle=True)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def test_tensors(torch):
    base = torch.arange(24.0).reshape(4, 6)
    values = [
        base,
        base.T,
        base[1:, ::2],
        torch.tensor(5),
        torch.tensor([]),
        torch.zeros(0, 3),
        base.to(torch.bfloat16),
        base.to(torch.complex64),
        base > 3,
        base.to(torch.uint8),
        torch.ones(2, requires_grad=True),
        torch.nn.Parameter(base),
        torch.arange(3).expand(2, 3),
        torch.nn.Parameter(base, requires_grad=False),
        torch.arange(20_000),
    ]
    for sent in values:
        back = through(sent, trusted=False)
        assert type(back) is type(sent)
        assert torch.equal(back, sent)
        assert (back.dtype, back.requires_grad) == (sent.dtype, sent.requires_grad)
        assert (back.stride(), back.shape) == (sent.stride(), sent.shape)
    assert through([torch.float32, torch.Size([1, 2])]) == [torch.float32, torch.Size([1, 2])]
    assert type(through(torch.Size([1]))) is torch.Size


def test_tensors_that_share_memory_share_it_again(torch):
    base = torch.arange(10.0)
    one, two = through([base, base[2:4]])
    one[2] = 99
    assert two[0] == 99
    layer = torch.nn.Linear(2, 2)
    state = through(dict(layer.state_dict()))
    assert torch.equal(state["weight"], layer.weight)


def test_tensors_that_are_more_than_numbers_are_pickled(torch):
    marked = torch.ones(2)
    marked.note = "a"
    held = torch.ones(2, requires_grad=True)
    held.grad = torch.ones(2)
    for value in (marked, held, torch.eye(2).to_sparse(), torch.nn.Linear(1, 1)):
        assert encode(value).pickled


def test_a_tensor_that_leads_outside_is_damage(torch):
    import msgpack

    version, mode, names, records = msgpack.unpackb(encode(torch.arange(4.0)).payload)
    (place,) = (n for n, record in enumerate(records) if names[record[0]] == "torch.Tensor.1")
    for position, wrong in ((4, 1), (4, -1), (6, 5), (6, -1), (7, 2), (7, -1), (5, 2)):
        changed = [list(record) for record in records]
        changed[place][position] = wrong
        with pytest.raises(DamagedError):
            decode(msgpack.packb([version, mode, names, changed]), [], allow_pickle=True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "CMYK", "F", "I", "HSV", "P"])
def test_images(mode):
    image = pytest.importorskip("PIL.Image")
    over = {"1": "L", "LA": "L", "I": "L", "F": "L"}.get(mode, "RGB")
    sent = image.new("RGB", (5, 3), (1, 200, 3)).convert(over).convert(mode)
    sent.info["dpi"] = (72, 72)
    back = through(sent, pickled=mode == "P")
    assert type(back) is type(sent)
    assert (back.mode, back.size) == (sent.mode, sent.size)
    assert back.tobytes() == sent.tobytes()
    assert back.info == sent.info
