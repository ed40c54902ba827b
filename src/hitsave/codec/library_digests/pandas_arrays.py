"""pandas: the arrays that columns and indexes are made of, and their dtypes.

Owns what of each kind of array counts. What lies under a missing element does not: nothing can
read it. Refuses arrays of other libraries: they count as any object of theirs does.
"""

import sys
from types import NoneType
from typing import Any

from hitsave.codec.library_digests.numpy import array_node
from hitsave.codec.naming import type_label
from hitsave.codec.nodes import Context, Node, Opener, field_steps
from hitsave.codec.reductions import HINT
from hitsave.errors import NotDigestibleError
from hitsave.raw import class_name


def array_openers() -> dict[type, Opener]:
    """Return the openers of pandas' arrays and dtypes, by type."""
    pandas: Any = sys.modules["pandas"]
    found = {getattr(pandas, name): _dtype_opener(name, names) for name, names in _DTYPES.items()}
    found.update({getattr(pandas, name): _dtype_opener(name, ()) for name in _MASKED_DTYPES})
    arrays = [value for value in vars(pandas.arrays).values() if isinstance(value, type)]
    found.update(dict.fromkeys((*arrays, pandas.Categorical), open_array))
    return found


# -- dtypes ---------------------------------------------------------------------------------------

_DTYPES = {
    "CategoricalDtype": ("categories", "ordered"),
    "DatetimeTZDtype": ("unit", "tz"),
    "PeriodDtype": ("freq",),
    "IntervalDtype": ("subtype", "closed"),
    "SparseDtype": ("subtype", "fill_value"),
    "StringDtype": ("storage", "na_value"),
    "ArrowDtype": ("pyarrow_dtype",),
}
_PLAIN_DTYPES = frozenset({"NumpyEADtype", "PandasDtype"})  # around a dtype of numpy's
_WIDTHS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_MASKED_DTYPES = frozenset(f"{name}Dtype" for name in (*_WIDTHS, "Float32", "Float64", "Boolean"))


def _dtype_opener(tag: str, names: tuple[str, ...]) -> Opener:
    steps = field_steps(names)

    def open_dtype(dtype: Any, _: Context) -> Node:
        return Node(f"pandas.{tag}", [getattr(dtype, name) for name in names], steps)

    return open_dtype


# -- arrays ---------------------------------------------------------------------------------------


def open_array(array: Any, _: Context) -> Node:
    """Open an array that is not in a column or an index."""
    content = values_node(array)
    if content is array:
        raise NotDigestibleError(f"The structure of {type_label(array)} is not known.", HINT)
    # In a column an array has no `freq`, and an index tells its own.
    return Node("pandas.array", (getattr(array, "freq", None), content), mutable=True)


def values_node(array: Any) -> Any:
    """Return what of the elements and the dtype of `array` counts: a node.

    For an array of another library, return the array itself.
    """
    dtype = array.dtype
    is_own = class_name(type(array))[0].partition(".")[0] == "pandas"
    name = class_name(type(dtype))[1]
    if is_own and (name in _PLAIN_DTYPES or isinstance(dtype, sys.modules["numpy"].dtype)):
        return _plain(array.to_numpy())
    if not is_own or getattr(sys.modules["pandas"], name, None) is not type(dtype):
        return array
    if (take := _TAKEN.get(name)) is not None:
        return take(array)
    return _masked(array) if name in _MASKED_DTYPES else array


def _node(array: Any, *parts: object) -> Node:
    steps = field_steps(("dtype",))
    return Node("pandas.values", (array.dtype, *parts), steps, mutable=True)


def _plain(array: Any) -> Node:
    """Return the node of an array of numpy's; texts go together, since that is much faster."""
    elements: list[Any] = array.tolist() if array.dtype == object else []
    if array.dtype != object or not _TEXTS.issuperset(map(type, elements)):
        return array_node(array)
    lengths = array_node(_lengths(elements))
    content = str.encode("".join(filter(None, elements)), "utf-8", "surrogatepass")
    children = (len(content), lengths)
    return Node("pandas.texts", children, mutable=True, buffers=(content,), size=len(content))


_TEXTS = frozenset({str, NoneType})


def _lengths(elements: list[str | None]) -> Any:
    numpy: Any = sys.modules["numpy"]
    counted = (-1 if element is None else len(element) for element in elements)
    return numpy.fromiter(counted, dtype="<i8", count=len(elements))


def _masked(array: Any) -> Node:
    numpy_dtype = array.dtype.numpy_dtype
    missing = array.isna()
    if not missing.any():
        return _node(array, array_node(array.to_numpy(dtype=numpy_dtype)))
    values = array.to_numpy(dtype=numpy_dtype, na_value=numpy_dtype.type(0))
    return _node(array, array_node(values), array_node(missing))


def _categorical(array: Any) -> Node:
    return _node(array, array_node(array.codes.astype("i4")))


def _integers(array: Any) -> Node:
    return _node(array, array_node(array.asi8))


def _interval(array: Any) -> Node:
    return _node(array, values_node(array.left.array), values_node(array.right.array))


def _sparse(array: Any) -> Node:
    positions = array.sp_index.to_int_index().indices.astype("i4")
    values = array_node(array.sp_values)
    return _node(array, len(array), array.kind, array_node(positions), values)


def _text(array: Any) -> Node:
    if array.dtype.storage == "python":
        return _node(array, _plain(array.to_numpy(dtype=object, na_value=None)))
    return _arrow(array)


def _arrow(array: Any) -> Node:
    # Loaded with pyarrow, whose arrays these are.
    from hitsave.codec.library_digests.pyarrow import content_node

    return _node(array, content_node(array.__arrow_array__()))


_TAKEN = {
    "CategoricalDtype": _categorical,
    "DatetimeTZDtype": _integers,
    "PeriodDtype": _integers,
    "IntervalDtype": _interval,
    "SparseDtype": _sparse,
    "StringDtype": _text,
    "ArrowDtype": _arrow,
}
