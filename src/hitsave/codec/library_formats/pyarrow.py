"""Formats of pyarrow: tables, batches, arrays and schemas, as Arrow IPC.

Owns the check that types come back. Refuses tables without columns. How a table is cut into chunks
is kept where its columns agree.
"""

import sys
from importlib import import_module
from typing import Any

from hitsave.codec.format import Blob, Format, NotStorableError
from hitsave.codec.library_formats.common import Finder, by_name


def _pyarrow() -> Any:
    import_module("pyarrow.ipc")  # only a stored value of its asks for it
    return sys.modules["pyarrow"]


def _written(schema: Any, batches: Any) -> Blob:
    pyarrow = _pyarrow()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    written = sink.getvalue()
    if not pyarrow.ipc.open_stream(written).schema.equals(schema, check_metadata=True):
        raise NotStorableError
    return Blob(memoryview(written))


def _read(content: Any) -> Any:
    pyarrow = _pyarrow()
    table = pyarrow.ipc.open_stream(pyarrow.py_buffer(content)).read_all()
    table.validate()
    return table


def _take_table(value: Any) -> list[Any]:
    if not value.num_columns:
        raise NotStorableError
    return [_written(value.schema, value.to_batches())]


def _take_batch(value: Any) -> list[Any]:
    if not value.num_columns:
        raise NotStorableError
    return [_written(value.schema, [value])]


def _build_batch(parts: list[Any]) -> Any:
    table = _read(parts[0])
    (batch,) = table.to_batches() or [None]
    return batch if batch is not None else _empty(table.schema)


def _empty(schema: Any) -> Any:
    pyarrow = _pyarrow()
    columns = [pyarrow.array([], type=field.type) for field in schema]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


def _one_column(chunks: list[Any], kind: Any) -> Blob:
    pyarrow = _pyarrow()
    schema = pyarrow.schema([("", kind)])
    batches = [pyarrow.RecordBatch.from_arrays([chunk], schema=schema) for chunk in chunks]
    return _written(schema, batches)


def _take_array(value: Any) -> list[Any]:
    return [_one_column([value], value.type)]


def _build_array(parts: list[Any]) -> Any:
    return _build_batch(parts).column(0)


def _take_chunked(value: Any) -> list[Any]:
    return [_one_column(value.chunks, value.type)]


def _foreign(name: str, take: Any, build: Any) -> Format:
    return Format(f"pyarrow.{name}.1", take, build, is_foreign=True)


_ARRAY = _foreign("Array", _take_array, _build_array)
_TABLE = {
    "pyarrow:Table": _foreign("Table", _take_table, lambda parts: _read(parts[0])),
    "pyarrow:RecordBatch": _foreign("RecordBatch", _take_batch, _build_batch),
    "pyarrow:ChunkedArray": _foreign(
        "ChunkedArray", _take_chunked, lambda parts: _read(parts[0]).column(0)
    ),
    "pyarrow:Schema": _foreign(
        "Schema", lambda value: [_written(value, [])], lambda parts: _read(parts[0]).schema
    ),
}
FORMATS = {**by_name(_TABLE), _ARRAY.name: _ARRAY}
_find = Finder(_TABLE)


def find_format(kind: type) -> Format | None:
    """Return the format of values of the type `kind`; arrays have a type for each of Arrow's."""
    if issubclass(kind, sys.modules["pyarrow"].Array) and kind.__module__ == "pyarrow.lib":
        return _ARRAY
    return _find(kind)
