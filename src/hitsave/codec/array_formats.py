"""Formats of numpy's arrays, scalars and dtypes.

Owns a header as in `.npy` files beside the raw elements. Refuses dtypes that the header cannot
say again exactly (titles, metadata, structures of objects): those go through pickle.
"""

import math
import sys
from typing import Any

from hitsave.codec.format import Blob, Format, NotStorableError
from hitsave.raw import class_name


def array_format(kind: type) -> Format | None:
    """Return the format of numpy's own type `kind`; None for any other type."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return None
    if kind is numpy.ndarray:
        return _ARRAY
    if issubclass(kind, numpy.dtype) and class_name(kind)[0].startswith("numpy"):
        return _DTYPE
    return _SCALAR if issubclass(kind, numpy.generic) and kind is not numpy.void else None


def _numpy() -> Any:
    # An optional library: only a stored array asks for it.
    import numpy

    return numpy


def _take_array(value: Any) -> list[Any]:
    dtype = value.dtype
    if dtype.hasobject:
        return _take_objects(value)
    order = _order(value)
    flat = _numpy().ravel(value, order=order)
    content = memoryview(flat.view("u1")) if flat.nbytes else b""
    return [_header(dtype), order + _fixed(value), value.ndim, *value.shape, Blob(content)]


def _take_objects(value: Any) -> list[Any]:
    if value.dtype != object:
        raise NotStorableError
    order = _order(value)
    elements = value.ravel(order=order).tolist()
    return [None, order + _fixed(value), value.ndim, *value.shape, *elements]


def _order(value: Any) -> str:
    return "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"


def _fixed(value: Any) -> str:
    return "" if value.flags.writeable else _FIXED


_FIXED = " fixed"
"""What is added to the order of an array that may not be written to."""


def _header(dtype: Any) -> str:
    """Return the text that stands for `dtype`: a literal, as in the header of a `.npy` file."""
    numpy = _numpy()
    descr = numpy.lib.format.dtype_to_descr(dtype) if dtype.kind != "T" else None
    if descr is None or dtype.metadata is not None or dtype.isalignedstruct:
        raise NotStorableError
    text = repr(descr)
    if len(text) > _LONGEST_HEADER or repr(_dtype(text)) != repr(dtype):
        raise NotStorableError
    return text


_LONGEST_HEADER = 1 << 16


_PLAIN_DTYPES: dict[str, Any] = {}
"""Those without fields, by their texts: nobody can change one, and parsing takes long."""

_MOST_DTYPES = 100


def _dtype(header: str) -> Any:
    known = _PLAIN_DTYPES.get(header)
    if known is None:
        known = _parsed(header)
        if known.names is None and len(_PLAIN_DTYPES) < _MOST_DTYPES:
            _PLAIN_DTYPES[header] = known
    return known


def _parsed(header: str) -> Any:
    if len(header) > _LONGEST_HEADER:
        raise ValueError("not the text of a dtype")
    # `ast` is needed for arrays alone, and takes literals only.
    from ast import literal_eval

    dtype = _numpy().lib.format.descr_to_dtype(literal_eval(header))
    if dtype.hasobject:
        raise ValueError("an array of objects has no raw elements")
    return dtype


def _build_array(parts: list[Any]) -> Any:
    header, order, dimensions, *rest = parts
    shape = tuple(rest[:dimensions])
    is_fixed, order = order.endswith(_FIXED), order.removesuffix(_FIXED)
    if len(shape) != dimensions or min(shape, default=0) < 0 or order not in ("C", "F"):
        raise ValueError("not the shape of an array")
    if header is None:
        if math.prod(shape) != len(rest) - dimensions:
            raise ValueError("not as many elements as the shape says")
        return _numpy().empty(shape, dtype=object, order=order)
    (content,) = rest[dimensions:]
    view = memoryview(content)
    if is_fixed:
        # It cannot be made writable then, so its digest may be recalled.
        array = _raw_array(_dtype(header), shape, order, view.toreadonly())
        array.flags.writeable = False
        return array
    return _raw_array(_dtype(header), shape, order, bytearray(view) if view.readonly else view)


def _raw_array(dtype: Any, shape: tuple[int, ...], order: str, view: Any) -> Any:
    """Return an array over `view` itself."""
    numpy, view = _numpy(), memoryview(view)
    if view.nbytes != dtype.itemsize * math.prod(shape):
        raise ValueError("not as many bytes as dtype and shape say")
    if view.nbytes == 0:
        # Over nothing: making it anew would give text of no length a character for each element.
        return numpy.ndarray(shape, dtype=dtype, buffer=bytearray(1), order=order)
    flat = numpy.frombuffer(view, dtype=dtype)
    return flat.reshape(shape, order=order)


def _fill_array(shell: Any, parts: list[Any]) -> None:
    header, order, dimensions = parts[:3]
    if header is not None:
        return
    flat = _numpy().empty(shell.size, dtype=object)
    for position, element in enumerate(parts[3 + dimensions :]):
        flat[position] = element
    shell[...] = flat.reshape(shell.shape, order=order.removesuffix(_FIXED))
    shell.flags.writeable = not order.endswith(_FIXED)


def _take_scalar(value: Any) -> list[Any]:
    return [_header(value.dtype), value.tobytes()]


def _build_scalar(parts: list[Any]) -> Any:
    header, content = parts
    dtype = _dtype(header)
    if len(content) != dtype.itemsize:
        raise ValueError("not as many bytes as the dtype says")
    if not content:
        return dtype.type()
    return _numpy().frombuffer(content, dtype=dtype)[0]


_ARRAY = Format("numpy.ndarray.1", _take_array, _build_array, _fill_array)
_SCALAR = Format("numpy.scalar.1", _take_scalar, _build_scalar)
_DTYPE = Format("numpy.dtype.1", lambda value: [_header(value)], lambda parts: _dtype(parts[0]))

ARRAY_FORMATS = (_ARRAY, _SCALAR, _DTYPE)
