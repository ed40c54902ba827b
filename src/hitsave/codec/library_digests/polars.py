"""polars: frames, series and dtypes.

Owns what of them counts: names, dtypes and elements; not chunks, or what lies under a null. Refuses
lazy frames, which may read files that nobody looked at.
"""

import sys
from collections.abc import Callable
from typing import Any

from hitsave.codec.library_digests.numpy import array_node
from hitsave.codec.nodes import Context, Node, Opener, field_steps
from hitsave.codec.summary import summarize
from hitsave.errors import NotDigestibleError


def opener_of(kind: type) -> Opener | None:
    """Return the opener of polars' own type `kind`; None for any other type."""
    polars: Any = sys.modules["polars"]
    if issubclass(kind, polars.DataType):
        return _open_dtype
    return {
        polars.DataFrame: _open_frame,
        polars.Series: _open_series,
        polars.LazyFrame: _refuse_lazy,
        polars.Schema: _open_schema,
    }.get(kind)


def _open_frame(frame: Any, _: Context) -> Node:
    columns = frame.get_columns()

    def step(position: int) -> str:
        return f"[{summarize(columns[position - 1].name, 60)}]" if position else ""

    children = (frame.height, *columns)
    return Node("polars.DataFrame", children, step, mutable=True, owns=frozenset({"_df"}))


def _open_series(series: Any, _: Context) -> Node:
    children = (series.name, series.dtype, _content(series))
    steps = field_steps(("name", "dtype"))
    return Node("polars.Series", children, steps, mutable=True, owns=frozenset({"_s"}))


def _refuse_lazy(_: Any, __: Context) -> Node:
    raise NotDigestibleError(
        "A LazyFrame may read files when it is collected, so it has no digest.",
        "Pass frame.collect(), or say what stands for it with hitsave.register_digest.",
    )


def _open_schema(schema: Any, _: Context) -> Node:
    return Node("polars.Schema", tuple(schema.items()), mutable=True)


# -- dtypes ---------------------------------------------------------------------------------------

_PARAMETERS = ("time_unit", "time_zone", "precision", "scale", "ordering", "shape", "inner")


def _open_dtype(dtype: Any, _: Context) -> Node:
    said = [(name, getattr(dtype, name)) for name in _PARAMETERS if hasattr(dtype, name)]
    if hasattr(dtype, "fields"):
        said.append(("fields", [(field.name, field.dtype) for field in dtype.fields]))
    if type(dtype).__name__ == "Enum":
        said.append(("categories", dtype.categories.to_list()))
    return Node(f"polars.{type(dtype).__name__}", (said,))


# -- elements -------------------------------------------------------------------------------------


def _content(series: Any) -> Node:
    """Return which elements are null, and what the others are."""
    nulls = None
    if series.null_count():
        nulls = array_node(series.is_null().to_numpy())
        series = series.drop_nulls()
    dtype = series.dtype
    take = _TAKEN.get(type(dtype).__name__)
    if dtype.is_integer() or dtype.is_float() or dtype.is_temporal():
        take = _numbers
    return Node("polars.content", (len(series), nulls, (take or _elements)(series)))


def _numbers(series: Any) -> Node:
    physical = series.to_physical()
    if type(physical.dtype).__name__ in ("Int128", "UInt128"):  # numpy has none
        return _elements(series)
    return array_node(physical.to_numpy())


def _booleans(series: Any) -> Node:
    return array_node(series.to_numpy())


def _texts(series: Any) -> Node:
    lengths = array_node(series.str.len_bytes().to_numpy())
    (joined,) = series.str.join("").to_list()
    content = str.encode(joined or "")
    size = len(content)
    return Node("polars.texts", (lengths, size), buffers=(content,), size=size)


def _categories(series: Any) -> Node:
    """Return the node of categories as texts; of physical order, with that order."""
    polars: Any = sys.modules["polars"]
    order = None
    if getattr(series.dtype, "ordering", "") == "physical":
        entries = series.unique()
        order = entries.cast(polars.String).gather(entries.to_physical().arg_sort()).to_list()
    return Node("polars.categories", (_texts(series.cast(polars.String)), order))


def _lists(series: Any) -> Node:
    lengths = series.list.len()
    inner = series.filter(lengths > 0).explode()
    return Node("polars.list", (array_node(lengths.to_numpy()), _content(inner)))


def _arrays(series: Any) -> Node:
    return Node("polars.array", (_content(series.explode()),))


def _structs(series: Any) -> Node:
    return Node("polars.struct", tuple(map(_content, series.struct.unnest().get_columns())))


def _elements(series: Any) -> Node:
    return Node("polars.elements", (series.to_list(),))


_TAKEN: dict[str, Callable[[Any], Node]] = {
    "Boolean": _booleans,
    "String": _texts,
    "Utf8": _texts,
    "Categorical": _categories,
    "Enum": _categories,
    "List": _lists,
    "Array": _arrays,
    "Struct": _structs,
}
