"""Formats of polars: frames and series, as Arrow IPC of its own.

Owns the check that types come back. Refuses lazy frames and columns of Python objects.
"""

from importlib import import_module
from io import BytesIO
from typing import Any

from hitsave.codec.format import Blob, Format, NotStorableError
from hitsave.codec.library_formats.common import Finder, by_name
from hitsave.errors import DamagedError


def _polars() -> Any:
    return import_module("polars")  # only a stored value of its asks for it


def _take_frame(value: Any) -> list[Any]:
    try:
        written = value.write_ipc(None, compression="uncompressed").getbuffer()
        if _polars().read_ipc(BytesIO(written), n_rows=0).schema != value.schema:
            raise NotStorableError
    except BaseException as error:
        raise _refused(error, NotStorableError()) from error
    return [value.height, Blob(written)]


def _build_frame(parts: list[Any]) -> Any:
    height, content = parts
    try:
        frame = _polars().read_ipc(BytesIO(content))
    except BaseException as error:
        raise _refused(error, DamagedError("A stored frame cannot be read.")) from error
    if frame.height != height:
        raise DamagedError("A stored frame has not as many rows as it announces.")
    return frame


def _refused(error: BaseException, instead: Exception) -> BaseException:
    """Return what to raise for `error`: a panic of polars' is no `Exception`, and is one here."""
    is_panic = type(error).__name__ == "PanicException"
    return instead if is_panic or isinstance(error, Exception) else error


def _take_series(value: Any) -> list[Any]:
    return [value.name, *_take_frame(value.rename("").to_frame())]


def _build_series(parts: list[Any]) -> Any:
    name, *rest = parts
    return _build_frame(rest).to_series().rename(name)


_TABLE = {
    "polars:DataFrame": Format("polars.DataFrame.1", _take_frame, _build_frame, is_foreign=True),
    "polars:Series": Format("polars.Series.1", _take_series, _build_series, is_foreign=True),
}
FORMATS = by_name(_TABLE)
find_format = Finder(_TABLE)
