"""numpy: arrays, scalars and dtypes.

Owns what of an array counts (dtype, shape, elements; not layout, not byte order), also for the
libraries whose columns are arrays. Refuses other array libraries.
"""

import sys
from collections.abc import Iterator
from typing import Any

from hitsave.codec.nodes import Context, Node, Opener, field_steps, index_step
from hitsave.raw import class_name

BLOCK = 1 << 20
"""Bytes copied at a time where an array does not lie as it is hashed."""

_PADDED = {("f", 16): 10, ("c", 32): 10}  # x87 numbers: the bytes of 16 that mean something


def opener_of(kind: type) -> Opener | None:
    """Return the opener of numpy's own type `kind`; None for any other type."""
    numpy: Any = sys.modules["numpy"]
    if kind is numpy.ndarray or kind is numpy.memmap:
        return open_array
    if kind is numpy.ma.MaskedArray:
        return open_masked
    if issubclass(kind, numpy.ndarray):
        return _open_subclass
    if issubclass(kind, numpy.generic):
        return _open_scalar
    if kind is numpy.busdaycalendar:
        return _open_calendar
    return _open_dtype if issubclass(kind, numpy.dtype) else None


def open_array(value: Any, _: Context) -> Node:
    """Open an array by dtype, shape and elements, whatever its layout."""
    array = value.view(sys.modules["numpy"].ndarray)
    return array_node(array, "ndarray")


def open_masked(value: Any, _: Context) -> Node:
    """Open a masked array: the data under the mask counts, since it can be read."""
    numpy: Any = sys.modules["numpy"]
    children = (
        numpy.ma.getdata(value).view(numpy.ndarray),
        numpy.ma.getmaskarray(value),
        value.fill_value,
        bool(value.hardmask),
    )
    return Node("numpy.masked", children, field_steps(("data", "mask", "fill_value")), mutable=True)


def _open_subclass(value: Any, context: Context) -> Node:
    base = open_array(value, context)
    names = tuple(sorted(vars(value)))
    children = (":".join(class_name(type(value))), base, *(vars(value)[name] for name in names))
    return Node("numpy.subclass", (names, *children), field_steps(names, 3), mutable=True)


def _open_scalar(value: Any, _: Context) -> Node:
    numpy: Any = sys.modules["numpy"]
    # A record can be written to, like the array that it may be a part of.
    return array_node(numpy.asarray(value), "numpy.scalar", mutable=isinstance(value, numpy.void))


def _open_dtype(value: Any, _: Context) -> Node:
    # The dtype itself is the value here, so byte order and layout count.
    return Node("numpy.dtype", (repr(value), value.isalignedstruct))


def _open_calendar(value: Any, _: Context) -> Node:
    return Node("numpy.busdaycalendar", (value.weekmask, value.holidays))


def array_node(array: Any, tag: str = "ndarray", mutable: bool = True) -> Node:
    """Return the node of an exact array."""
    dtype = array.dtype
    if dtype.names is not None:
        fields = [array[name] for name in dtype.names]
        children = (dtype.names, array.shape, *fields)
        return Node(f"{tag}.fields", children, _record_steps(dtype.names), mutable=mutable)
    if dtype.hasobject or dtype.kind == "T":
        elements = array.ravel(order="C").tolist()
        children = (_object_dtype(dtype), array.shape, *elements)
        return Node(f"{tag}.objects", children, _element_step, mutable=mutable)
    little = dtype.newbyteorder("<")
    children = (little.str, array.shape)
    size = _meaningful(dtype) * array.size
    return Node(tag, children, mutable=mutable, buffers=blocks(array, little), size=size)


def _object_dtype(dtype: Any) -> object:
    """Return what counts of a dtype of objects, or of text of any length with its options."""
    if dtype.kind != "T" or (dtype.coerce and not hasattr(dtype, "na_object")):
        return dtype.str
    return Node("StringDType", (dtype.coerce, getattr(dtype, "na_object", ...)))


def _record_steps(names: tuple[str, ...]) -> Any:
    return lambda position: f"[{names[position - 2]!r}]" if position >= 2 else ""


def _element_step(position: int) -> str:
    return index_step(position - 2) if position >= 2 else ""


def _meaningful(dtype: Any) -> int:
    return _PADDED.get((dtype.kind, dtype.itemsize), 0) or int(dtype.itemsize)


def blocks(array: Any, little: Any) -> Iterator[memoryview]:
    """Yield the elements in C order, little-endian, without a copy where they lie so."""
    if array.nbytes == 0:
        return
    is_as_hashed = array.flags.c_contiguous and array.dtype == little
    if array.ndim > 0 and not is_as_hashed and array.nbytes > BLOCK:
        rows = max(1, BLOCK * len(array) // array.nbytes)
        for start in range(0, len(array), rows):
            yield _bytes_of(array[start : start + rows], little)
    else:
        yield _bytes_of(array, little)


def _bytes_of(array: Any, little: Any) -> memoryview:
    numpy: Any = sys.modules["numpy"]
    plain = numpy.ascontiguousarray(array, dtype=little).reshape(-1).view("u1")
    meaningful = _PADDED.get((little.kind, little.itemsize))
    if meaningful is not None:
        plain = numpy.ascontiguousarray(plain.reshape(-1, 16)[:, :meaningful])
    return memoryview(plain).cast("B")
