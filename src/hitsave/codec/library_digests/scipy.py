"""scipy: sparse matrices and arrays.

Owns what of them counts: class, dtype, shape and the elements that are there, in the order of their
places and each place once; explicit zeros are elements. Refuses other objects of scipy's.
"""

import sys
from collections.abc import Callable
from typing import Any

from hitsave.codec.library_digests.numpy import array_node
from hitsave.codec.nodes import Context, Node, Opener

_INT32 = 1 << 31


def opener_of(kind: type) -> Opener | None:
    """Return the opener of scipy's own sparse type `kind`; None for any other type."""
    sparse: Any = sys.modules.get("scipy.sparse")
    if sparse is None or getattr(sparse, kind.__name__, None) is not kind:
        return None
    return _open_sparse if kind.__name__.endswith(("_matrix", "_array")) else None


def _open_sparse(value: Any, _: Context) -> Node:
    parts = _TAKEN.get(value.format, _places)(value)
    return Node("scipy.sparse", (type(value).__name__, value.shape, *parts), mutable=True)


def _indices(value: Any, array: Any) -> Node:
    """Return the node of indices: they are as wide as they have to be, and no wider."""
    is_small = max((*value.shape, value.nnz), default=0) < _INT32
    return array_node(array.astype("i4" if is_small else "i8", copy=False))


def _compressed(value: Any) -> list[object]:
    if not value.has_canonical_format:
        value = value.copy()
        value.sum_duplicates()
    head = getattr(value, "blocksize", None)
    pointers, indices = _indices(value, value.indptr), _indices(value, value.indices)
    return [head, pointers, indices, array_node(value.data)]


def _places(value: Any) -> list[object]:
    value = value.tocoo(copy=True)
    value.sum_duplicates()
    coordinates = getattr(value, "coords", None) or (value.row, value.col)
    return [*(_indices(value, each) for each in coordinates), array_node(value.data)]


def _diagonals(value: Any) -> list[object]:
    """Return each diagonal, without what lies outside the matrix."""
    rows, columns = value.shape
    found = sorted(zip(value.offsets.tolist(), value.data, strict=True), key=lambda each: each[0])
    parts: list[object] = [value.dtype.str.lstrip("<>=|")]
    for offset, line in found:
        inside = line[max(0, offset) : max(0, min(columns, rows + offset))]
        parts += [offset, array_node(inside)]
    return parts


_TAKEN: dict[str, Callable[[Any], list[object]]] = {
    "csr": _compressed,
    "csc": _compressed,
    "bsr": _compressed,
    "dia": _diagonals,
}
