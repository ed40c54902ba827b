"""pandas: frames, series, indexes, scalars and offsets.

Owns what of them counts: labels, names, types and elements, and whatever else a computation can
tell apart (levels and categories in their order, the `freq` of an index, `attrs`); not how columns
lie in memory or were put together. Refuses the layout of their columns: see `pandas_arrays`.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from hitsave.codec.library_digests.numpy import array_node, blocks
from hitsave.codec.library_digests.pandas_arrays import array_openers, open_array, values_node
from hitsave.codec.nodes import Buffer, Context, Node, Opener, field_steps
from hitsave.codec.summary import summarize

_SLAB = 1 << 22  # bytes of columns that are looked at together
_FRAME = frozenset(
    {"_mgr", "_item_cache", "_cache", "_cacher", "_name", "_attrs", "_flags", "_is_copy"}
)


def opener_of(kind: type) -> Opener | None:
    """Return the opener of pandas' own type `kind`; None for any other type."""
    if not _openers:
        _openers.update(_all_openers())
    found = _openers.get(kind)
    if found is None:
        pandas: Any = sys.modules["pandas"]
        if issubclass(kind, pandas.offsets.BaseOffset):
            return _open_offset
        return open_array if issubclass(kind, pandas.api.extensions.ExtensionArray) else None
    return found


_openers: dict[type, Opener] = {}


def _all_openers() -> dict[type, Opener]:
    pandas: Any = sys.modules["pandas"]
    indexes = "Index CategoricalIndex IntervalIndex PeriodIndex DatetimeIndex TimedeltaIndex"
    return {
        pandas.DataFrame: _open_frame,
        pandas.Series: _open_series,
        **{getattr(pandas, name): _open_index for name in indexes.split()},
        pandas.RangeIndex: _open_range_index,
        pandas.MultiIndex: _open_multi_index,
        pandas.Timestamp: _open_timestamp,
        pandas.Timedelta: _open_timedelta,
        pandas.Period: _open_period,
        pandas.Interval: _open_interval,
        type(pandas.NaT): lambda *_: Node("pandas.NaT"),
        type(pandas.NA): lambda *_: Node("pandas.NA"),
        **array_openers(),
    }


# -- frames and series ----------------------------------------------------------------------------


def _open_frame(frame: Any, _: Context) -> Node:
    head = (*_labelled(frame), frame.columns)
    columns, names = _columns(frame)

    def step(position: int) -> str:
        name = names[position - len(head)] if position >= len(head) else None
        return _HEAD[position] if position < len(head) else "" if name is None else name

    return Node("pandas.DataFrame", (*head, *columns), step, mutable=True, owns=_FRAME)


_HEAD = (".attrs", "", ".index", ".columns")


def _open_series(series: Any, _: Context) -> Node:
    children = (*_labelled(series), series.name, values_node(series.array))
    steps = field_steps(("attrs", "", "index", "name", "array"))
    return Node("pandas.Series", children, steps, mutable=True, owns=_FRAME)


def _labelled(value: Any) -> tuple[object, ...]:
    return value.attrs, value.flags.allows_duplicate_labels, value.index


def _columns(frame: Any) -> tuple[list[Node], list[str | None]]:
    """Return a node for each run of columns of one numpy dtype, and for each other column.

    With each comes the path to it, None for more columns than one.
    """
    nodes: list[Node] = []
    paths: list[str | None] = []
    start = 0
    for dtype, run in groupby(frame.dtypes.tolist()):
        stop = start + len(list(run))
        if isinstance(dtype, sys.modules["numpy"].dtype) and not dtype.hasobject:
            nodes.append(_run_node(frame, start, stop, dtype))
            paths.append(None)
        else:
            for position in range(start, stop):
                nodes.append(values_node(frame.iloc[:, position].array))
                paths.append(f"[{summarize(frame.columns[position], 60)}]")
        start = stop
    return nodes, paths


def _run_node(frame: Any, start: int, stop: int, dtype: Any) -> Node:
    little = dtype.newbyteorder("<")
    rows = len(frame)
    size = (stop - start) * rows * dtype.itemsize
    children = (little.str, stop - start, rows)
    return Node("pandas.columns", children, buffers=_slabs(frame, start, stop, little), size=size)


def _slabs(frame: Any, start: int, stop: int, little: Any) -> Iterator[Buffer]:
    """Yield the elements of some columns, one column after the other.

    A few columns are asked for together: in a frame that is laid out as one block they are one
    piece of memory, and in any other they are put together on the way.
    """
    together = max(1, _SLAB // max(1, len(frame) * little.itemsize))
    for first in range(start, stop, together):
        part = frame.iloc[:, first : min(first + together, stop)].to_numpy()
        yield from blocks(part.T, little)


# -- indexes --------------------------------------------------------------------------------------


def _open_index(index: Any, _: Context) -> Node:
    children = (
        type(index).__name__,
        index.name,
        getattr(index, "freq", None),
        values_node(index.array),
    )
    return Node("pandas.Index", children, field_steps(("", "name", "freq", "array")), mutable=True)


def _open_range_index(index: Any, _: Context) -> Node:
    children = (index.name, index.start, index.stop, index.step)
    return Node("pandas.RangeIndex", children, field_steps(("name",)), mutable=True)


def _open_multi_index(index: Any, _: Context) -> Node:
    # Levels can be looked at, and their order decides that of what is unstacked.
    codes = [array_node(code.astype("i4")) for code in index.codes]
    children = (tuple(index.names), tuple(index.levels), *codes)
    return Node("pandas.MultiIndex", children, field_steps(("names", "levels")), mutable=True)


# -- scalars and offsets --------------------------------------------------------------------------


def _open_timestamp(value: Any, _: Context) -> Node:
    count = int(value.asm8.view("i8"))
    return Node("pandas.Timestamp", (count, value.unit, value.tz, value.fold), _TIMESTAMP)


_TIMESTAMP = field_steps(("", "unit", "tz", "fold"))


def _open_timedelta(value: Any, _: Context) -> Node:
    return Node("pandas.Timedelta", (int(value.asm8.view("i8")), value.unit))


def _open_period(value: Any, _: Context) -> Node:
    return Node("pandas.Period", (value.ordinal, value.freq))


def _open_interval(value: Any, _: Context) -> Node:
    children = (value.left, value.right, value.closed)
    return Node("pandas.Interval", children, field_steps(("left", "right", "closed")))


def _open_offset(value: Any, _: Context) -> Node:
    names = tuple(sorted(value.kwds))
    children = (type(value).__name__, value.n, value.normalize, names)
    contents = [value.kwds[name] for name in names]
    return Node("pandas.offset", (*children, *contents), field_steps(names, len(children)))
