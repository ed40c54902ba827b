"""Values of libraries: distinct by all that a computation can tell apart, whatever their layout."""

import io
import sys
import threading
import types
import warnings

import numpy as np
import pytest

from hitsave.codec import digest_value
from hitsave.errors import NotDigestibleError


def project_name(value):
    is_here = getattr(value, "__module__", None) == __name__
    return f"project:{value.__qualname__}" if is_here else None


def digested(value):
    # As globals are digested: without asking an object for its reduction.
    return digest_value(value, name_symbol=project_name, reduce=False)


def digest(value):
    return digested(value).digest


def refusal(value):
    with pytest.raises(NotDigestibleError) as caught:
        digest(value)
    return caught.value


def assert_distinct(values):
    known = {}
    for value in [*values, *reversed(values)]:
        assert known.setdefault(digest(value), value) is value
    assert len({digest([value]) for value in values}) == len(values)


# -- numpy -----------------------------------------------------------


def test_text_of_any_length_counts_with_the_options_of_its_dtype():
    options = [{}, {"na_object": None}, {"na_object": np.nan}, {"coerce": False}]
    kinds = [np.dtypes.StringDType(**each) for each in options]
    arrays = [np.array(["a", "long" * 20], dtype=kind) for kind in kinds]
    assert_distinct([*arrays, arrays[0][:1], arrays[0].astype("U80"), arrays[0].astype(object)])
    assert digest(arrays[0]) == digest(arrays[0].copy())


def test_calendars_and_masked_constants():
    assert_distinct([np.busdaycalendar(), np.busdaycalendar("1111110"), np.ma.masked])


def test_a_large_array_counts_alike_in_whatever_order_and_byte_order_it_lies():
    array = np.arange(1 << 18, dtype="f8")
    spread = np.zeros(2 << 18)
    spread[::2] = array
    assert digest(array) == digest(spread[::2]) == digest(array.astype(">f8"))


# -- pyarrow -----------------------------------------------------------


def arrow_arrays(pa):
    import datetime
    import decimal

    import pyarrow.compute as pc

    arrays = [pa.array(values) for values in (
        [1, None, 3], [1.5, None], [True, None, False], ["a", None, ""], [b"a", None, b""],
        [[1, 2], None, [], [None]], [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}],
        [decimal.Decimal("1.1"), None], [datetime.date(2020, 1, 1), None], [None, None],
        [datetime.datetime(2020, 1, 1), None], [[["a"], None], []], [1, 0, 3], ["a", "", ""],
    )]  # fmt: skip
    arrays += [pa.array(values, kind) for values, kind in (
        ([1, None, 3], pa.int32()), (["a", None, ""], pa.large_string()),
        ([[(1, "a")], None, []], pa.map_(pa.int64(), pa.string())),
        (["a" * 20, None], pa.string_view()), ([[1, 2], None], pa.list_(pa.int64(), 2)),
        ([[1], None], pa.list_view(pa.int64())), ([1, 2], pa.duration("s")),
        ([1, 2], pa.duration("ms")), ([b"ab", None], pa.binary(2)), ([], pa.int8()),
        ([1, None], pa.timestamp("ns", "UTC")), ([1, None], pa.timestamp("ns")),
        ([None, None], pa.struct([pa.field("a", pa.int8(), nullable=True)])),
        ([{"a": 1}], pa.struct([pa.field("a", pa.int8(), nullable=False)])),
        ([{"a": 1}], pa.struct([pa.field("a", pa.int8(), metadata={"k": "v"})])),
    )]  # fmt: skip
    arrays += [pa.array(["a", "b", None, "a"]).dictionary_encode(),
               pc.run_end_encode(pa.array([1, 1, None]))]  # fmt: skip
    return arrays


def test_arrow_arrays_count_by_type_and_elements_and_not_by_chunks():
    pa = pytest.importorskip("pyarrow")
    arrays = arrow_arrays(pa)
    union = pa.UnionArray.from_sparse(
        pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array("ab")]
    )
    assert_distinct([*arrays, union])
    for array in arrays:
        chunked = {digest(pa.chunked_array([array]))}
        for at in range(len(array) + 1):
            chunked.add(digest(pa.chunked_array([array[:at], array[at:]])))
        assert len(chunked) == 1, array.type
        assert digest(array) not in chunked
        if not pa.types.is_run_end_encoded(array.type):
            twice = pa.concat_arrays([array, array])
            assert digest(twice[len(array) :]) == digest(array) == digest(twice[: len(array)])


def test_arrow_tables_count_by_schema_and_columns():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    renamed = table.rename_columns(["a", "c"])
    noted = table.replace_schema_metadata({"k": "v"})
    (batch,) = table.to_batches()
    assert_distinct([table, renamed, noted, table.select(["b", "a"]), table[:1], table.schema,
                     noted.schema, batch, table["a"], table["a"][0], pa.scalar(2), pa.scalar(None),
                     pa.scalar(1.0), pa.int64(), table.schema.field("a"), pa.table({}),
                     pa.py_buffer(b"a"), pa.py_buffer(b"b")])  # fmt: skip
    assert digest(pa.concat_tables([table[:1], table[1:]])) == digest(table)


def test_what_lies_under_an_arrow_null_does_not_count():
    pa = pytest.importorskip("pyarrow")
    shown = pa.py_buffer(bytes([0b101]))
    one, two = (pa.py_buffer(np.array([1, hidden, 3], "<i8")) for hidden in (2, 9))
    arrays = [pa.Array.from_buffers(pa.int64(), 3, [shown, each]) for each in (one, two)]
    assert digest(arrays[0]) == digest(arrays[1]) == digest(pa.array([1, None, 3]))


# -- polars -----------------------------------------------------------


def test_polars_series_count_by_name_dtype_and_elements_and_not_by_chunks():
    pl = pytest.importorskip("polars")
    import datetime
    import decimal

    series = [pl.Series(values) for values in (
        [1, None, 2], [1, 0, 2], [1.5, None], [True, None], ["a", "", None, "é"], ["a", ""],
        [b"a", None], [[1], [], None, [None, 2]], [{"a": 1, "b": None}, None], [None, None],
        [datetime.date(2020, 1, 1), None], [datetime.datetime(2020, 1, 1)],
        [datetime.timedelta(1)], [datetime.time(1)], [decimal.Decimal("1.10")], [[[1]], []],
    )]  # fmt: skip
    series += [pl.Series(values, dtype=dtype) for values, dtype in (
        ([1, None, 2], pl.Int8), ([[1, 2], None], pl.Array(pl.Int64, 2)), ([], pl.List(pl.Int8)),
        ([], pl.List(pl.Int16)), (["a", "b"], pl.Enum(["a", "b"])), (["a", "b"], pl.Categorical),
        (["a", "b"], pl.Enum(["b", "a"])), ([2**100], pl.Int128),
        ([1], pl.Float32), ([], pl.Struct({"a": pl.Int8})),
        ([], pl.Struct({"b": pl.Int8})), ([0], pl.Datetime("us", "UTC")), ([0], pl.Datetime("ms")),
    )]  # fmt: skip
    assert_distinct([*series, series[0].alias("x"), series[0].to_frame(), pl.Int8, pl.Int64])
    for each in series:
        for at in range(len(each) + 1):
            assert digest(pl.concat([each[:at], each[at:]], rechunk=False)) == digest(each)


def test_polars_frames_count_by_their_columns_in_order():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert_distinct([frame, frame.select("b", "a"), frame.rename({"b": "c"}), frame[:1],
                     frame.schema, pl.DataFrame()])  # fmt: skip
    assert digest(pl.concat([frame[:1], frame[1:]], rechunk=False)) == digest(frame)
    assert refusal({"f": frame.lazy()}).path == "['f']"


# -- scipy -----------------------------------------------------------


@pytest.mark.parametrize("name", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_sparse_matrices_count_by_class_and_by_the_elements_that_are_there(name):
    sp = pytest.importorskip("scipy.sparse")
    dense = np.array([[1.0, 0, 2], [0, 0, 3]])
    array, matrix = (getattr(sp, f"{name}_{kind}") for kind in ("array", "matrix"))
    assert digest(array(dense)) == digest(array(dense).copy())
    changed = dense.copy()
    changed[1, 2] = 4
    assert_distinct([array(dense), matrix(dense), array(changed), array(dense[:1]), dense,
                     array(dense.astype("f4")), array(np.zeros((2, 3)))])  # fmt: skip


def test_the_order_of_sparse_elements_and_the_width_of_indices_do_not_count():
    sp = pytest.importorskip("scipy.sparse")
    dense = np.array([[1.0, 0, 2], [0, 0, 3]])
    parts = np.array([2.0, 1, 1, 2]), np.array([2, 0, 2, 2]), np.array([0, 2, 4])
    untidy = sp.csr_array(parts, shape=(2, 3))
    assert digest(untidy) == digest(sp.csr_array(dense))
    assert untidy.nnz == 4  # the argument is as it was
    one, two = (sp.coo_array((part[0], (part[1], part[2])), shape=(2, 2)) for part in (
        (np.array([1.0, 1, 2]), np.array([0, 0, 1]), np.array([0, 0, 1])),
        (np.array([2.0, 2]), np.array([1, 0], "i8"), np.array([1, 0], "i8")),
    ))  # fmt: skip
    assert digest(one) == digest(two)
    assert_distinct([sp.csr_array(([0.0], [0], [0, 1]), shape=(1, 1)), sp.csr_array((1, 1))])
    lines = np.array([[1.0, 2, 3], [9, 5, 6]])
    one = sp.dia_array((lines, [0, 1]), shape=(3, 3))
    lines[1, 0] = 7  # outside the matrix
    assert digest(one) == digest(sp.dia_array((lines[::-1], [1, 0]), shape=(3, 3)))


# -- torch -----------------------------------------------------------


def test_tensors_count_by_class_dtype_shape_and_elements_and_not_by_strides():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6.0).reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a beta, says torch
        rows = tensor.to_sparse_csr()
    assert_distinct([tensor, tensor.reshape(3, 2), tensor.double(), tensor.bfloat16(), rows,
                     tensor.half(), tensor.to_sparse(), torch.nn.Parameter(tensor), tensor > 1,
                     torch.nn.Parameter(tensor, requires_grad=False), torch.zeros(0), 1,
                     tensor.clone().requires_grad_(), torch.tensor(1), torch.tensor(1.0),
                     tensor.numpy(), torch.float32, torch.device("cpu"), tensor.shape,
                     torch.zeros(0, 3),
                     torch.complex(tensor, tensor), torch.Generator().manual_seed(1),
                     torch.Generator().manual_seed(2)])  # fmt: skip
    assert digest(tensor.t().contiguous().t()) == digest(tensor)
    number = torch.complex(tensor, tensor)
    assert digest(number.conj()) == digest(number.conj().resolve_conj())
    twice = torch.cat([tensor, tensor])
    assert digest(twice[::2][:1]) == digest(tensor[:1])


def test_a_tensor_inside_a_graph_of_gradients_is_refused_and_gradients_count():
    torch = pytest.importorskip("torch")
    leaf = torch.ones(2, requires_grad=True)
    before = digest(leaf)
    made = leaf * 2
    assert refusal({"x": [made]}).path == "['x'][0]"
    made.sum().backward()
    assert digest(leaf) != before
    refusal(torch.ones(2, device="meta"))


def test_torch_modules_count_by_class_and_state():
    torch = pytest.importorskip("torch")

    def built(seed, layers=2):
        torch.manual_seed(seed)
        return torch.nn.Sequential(*(torch.nn.Linear(3, 3) for _ in range(layers)))

    class Net(torch.nn.Module):
        def __init__(self, seed):
            super().__init__()
            self.inner = built(seed)

    assert digest(built(1)) == digest(built(1))
    assert digest(Net(1)) == digest(Net(1))
    assert_distinct([built(1), built(2), built(1, 3), built(1).eval(), Net(1), Net(2)])
    assert Net in digested(Net(1)).symbols


# -- Pillow -----------------------------------------------------------


def test_images_count_by_class_mode_size_pixels_palette_and_info(tmp_path):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.new("RGB", (3, 2), (1, 2, 3))
    noted, painted = image.copy(), image.convert("P")
    noted.info["dpi"] = (72, 72)
    painted.putpalette([7] * 768)
    file = io.BytesIO()
    image.save(file, "PNG")

    class Own(image_module.Image):
        pass

    own, marked = Own(), Own()
    marked.mark = 1
    assert_distinct([image, image_module.new("RGB", (2, 3), (1, 2, 3)), noted, painted, own, marked,
                     image.convert("P"), image.convert("L"), image_module.open(file)])  # fmt: skip
    assert digest(image.copy()) == digest(image)
    image.save(tmp_path / "one.gif", save_all=True, append_images=[noted.convert("L")])
    with image_module.open(tmp_path / "one.gif") as moving:
        assert "frames" in refusal(moving).message


# -- classes that declare their fields -----------------------------------------------------------

LIBRARY = """
import dataclasses
import threading

@dataclasses.dataclass
class Plain:
    x: object
    y: object = 0

@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    x: object

@dataclasses.dataclass
class Careful:
    x: object
    lock: object = dataclasses.field(default_factory=threading.Lock)

    def __getstate__(self):
        return {"x": self.x}
"""


@pytest.fixture
def library(monkeypatch):
    def load(source):
        module = types.ModuleType("library")
        monkeypatch.setitem(sys.modules, "library", module)
        exec(source, vars(module))
        return module

    return load


def test_dataclasses_of_a_library_count_by_their_fields(library):
    found = library(LIBRARY)
    late = found.Plain(0)
    del late.x
    late.x, late.y = 1, 0
    assert digest(late) == digest(found.Plain(1))
    assert_distinct([found.Plain(1), found.Plain(1, 2), found.Plain(1.0), found.Slotted(1),
                     found.Slotted(2), {"x": 1, "y": 0}])  # fmt: skip
    assert refusal([found.Plain(threading.Lock())]).path == "[0].x"


def test_a_class_that_says_itself_what_its_state_is_is_asked(library):
    careful = library(LIBRARY).Careful

    def asked(value):
        return digest_value(value, name_symbol=project_name).digest

    assert asked(careful(1)) == asked(careful(1)) != asked(careful(2))


def test_attrs_classes_of_a_library_count_by_their_fields(library):
    pytest.importorskip("attrs")
    found = library("""
import attrs

@attrs.define
class Defined:
    x: object
    y: object = 0

@attrs.frozen
class Frozen:
    x: object

@attrs.define(slots=False)
class Loose:
    x: object
""")
    assert digest(found.Defined(1)) == digest(found.Defined(y=0, x=1))
    assert_distinct([found.Defined(1), found.Defined(1, 2), found.Frozen(1), found.Loose(1),
                     found.Loose(2)])  # fmt: skip


def test_pydantic_models_count_by_their_fields(library):
    pytest.importorskip("pydantic")
    found = library("""
import pydantic

class Model(pydantic.BaseModel):
    x: int
    y: list = []
    _hidden: int = pydantic.PrivateAttr(3)

class Open(pydantic.BaseModel, extra="allow"):
    x: int
""")
    hidden = found.Model(x=1)
    hidden._hidden = 4
    assert digest(found.Model(x=1)) == digest(found.Model(x="1"))
    assert_distinct([found.Model(x=1), found.Model(x=2), found.Model(x=1, y=[1]), hidden,
                     found.Open(x=1), found.Open(x=1, z=2), found.Open(x=1, z=3)])  # fmt: skip


def test_estimators_count_by_parameters_what_they_learnt_and_version(monkeypatch):
    linear = pytest.importorskip("sklearn.linear_model")
    table, target = np.array([[1.0, 2], [3, 4], [5, 7]]), [1, 2, 3]

    def fitted(**options):
        return linear.Ridge(**options).fit(table, target)

    assert digest(fitted()) == digest(fitted())
    assert_distinct([linear.Ridge(), linear.Ridge(alpha=2), fitted(), fitted(alpha=2),
                     linear.Ridge().fit(table, [1, 2, 4]), linear.Lasso()])  # fmt: skip
    before = digest(linear.Ridge())
    monkeypatch.setattr(sys.modules["sklearn"], "__version__", "another")
    assert digest(linear.Ridge()) != before
