"""Formats of scipy: sparse arrays and matrices.

Owns which arrays each is made of. Refuses the layouts that are made of dicts and lists, and objects
with attributes of the user's.
"""

import sys
from importlib import import_module
from typing import Any

from hitsave.codec.format import Format, NotStorableError
from hitsave.codec.library_formats.common import Finder, by_name

_PARTS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "dia": ("data", "offsets"),
}


_KNOWN = ("coords", "maxprint", "has_canonical_format", "has_sorted_indices")


def _sparse() -> Any:
    return import_module("scipy.sparse")  # only a stored value of its asks for it


def _refuse_others(value: Any, names: tuple[str, ...]) -> None:
    own = {name for name in vars(value) if not name.startswith("_")}
    if not own <= {*names, *_KNOWN}:
        raise NotStorableError


def _made_of(layout: str, kind: str) -> Format:
    names = _PARTS[layout]

    def take(value: Any) -> list[Any]:
        _refuse_others(value, names)
        return [tuple(map(int, value.shape)), *(getattr(value, name) for name in names)]

    def build(parts: list[Any]) -> Any:
        shape, *arrays = parts
        # Made of little, so that its constructor has nothing to convert.
        made = getattr(_sparse(), f"{layout}_{kind}")(_least(shape), dtype=arrays[0].dtype)
        made._shape = shape
        for name, array in zip(names, arrays, strict=True):
            setattr(made, name, array)
        _check(made, layout)
        return made

    return Format(f"scipy.{layout}_{kind}.1", take, build)


def _least(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not 1 <= len(shape) <= 2 or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("not the shape of a sparse array")
    return (1,) * len(shape)


def _check(made: Any, layout: str) -> None:
    """Raise where the indices lead outside: compiled code follows them unasked."""
    if layout != "dia":
        made.check_format(full_check=True)
    elif made.data.ndim != 2 or made.offsets.shape != made.data.shape[:1]:
        raise ValueError("not the diagonals of a sparse array")


def _coordinates(kind: str) -> Format:
    def take(value: Any) -> list[Any]:
        _refuse_others(value, ("data", "row", "col"))
        coords = getattr(value, "coords", None) or (value.row, value.col)
        is_canonical = bool(getattr(value, "has_canonical_format", False))
        return [tuple(map(int, value.shape)), is_canonical, value.data, *coords]

    def build(parts: list[Any]) -> Any:
        shape, is_canonical, data, *coords = parts
        if len(coords) != len(shape):
            raise ValueError("not as many coordinates as dimensions")
        made = getattr(_sparse(), f"coo_{kind}")((data, tuple(coords)), shape=shape, copy=False)
        if hasattr(made, "coords"):
            made.coords = tuple(coords)  # as wide as they were
        made.has_canonical_format = is_canonical
        return made

    return Format(f"scipy.coo_{kind}.1", take, build)


_TABLE = {
    f"scipy.sparse:{layout}_{kind}": _made_of(layout, kind)
    for layout in _PARTS
    for kind in ("matrix", "array")
}
_TABLE |= {f"scipy.sparse:coo_{kind}": _coordinates(kind) for kind in ("matrix", "array")}
FORMATS = by_name(_TABLE)
_find = Finder(_TABLE)


def find_format(kind: type) -> Format | None:
    """Return the format of values of exactly the type `kind`."""
    return _find(kind) if "scipy.sparse" in sys.modules else None
