"""pyarrow: arrays, tables, batches, scalars, schemas and types.

Owns what of them counts: types, metadata and elements; not chunks, offsets into larger buffers, or
what lies under a null. Refuses files, datasets and scanners, which are not values.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from hitsave.codec.nodes import Buffer, Context, Node, Opener, field_steps

Chunks = list[Any]


def opener_of(kind: type) -> Opener | None:
    """Return the opener of pyarrow's own type `kind`; None for any other type."""
    pyarrow: Any = sys.modules["pyarrow"]
    for base, opener in (
        (pyarrow.Array, _open_array),
        (pyarrow.ChunkedArray, _open_chunked),
        (pyarrow.Scalar, _open_scalar),
        (pyarrow.DataType, _open_type),
    ):
        if issubclass(kind, base):
            return opener
    return {
        pyarrow.Table: _open_table,
        pyarrow.RecordBatch: _open_table,
        pyarrow.Schema: _open_schema,
        pyarrow.Field: _open_field,
        pyarrow.Buffer: _open_buffer,
    }.get(kind)


# -- types ----------------------------------------------------------------------------------------


def _open_type(value: Any, _: Context) -> Node:
    fields = [value.field(number) for number in range(value.num_fields)]
    children = (str(value), *_extension(value), *fields)
    return Node("pyarrow.DataType", children)


def _extension(value: Any) -> tuple[object, ...]:
    if not isinstance(value, sys.modules["pyarrow"].BaseExtensionType):
        return ()
    said = getattr(value, "__arrow_ext_serialize__", lambda: b"")()
    return ":".join((type(value).__module__, type(value).__qualname__)), said, value.storage_type


def _open_field(value: Any, _: Context) -> Node:
    children = (value.name, value.type, value.nullable, value.metadata)
    return Node("pyarrow.Field", children)


def _open_schema(value: Any, _: Context) -> Node:
    return Node("pyarrow.Schema", (value.metadata, *value))


# -- values ---------------------------------------------------------------------------------------


def _open_array(value: Any, _: Context) -> Node:
    return Node("pyarrow.Array", (value.type, content_node(value)))


def _open_chunked(value: Any, _: Context) -> Node:
    return Node("pyarrow.ChunkedArray", (value.type, content_node(value)))


def _open_scalar(value: Any, _: Context) -> Node:
    content = content_node(sys.modules["pyarrow"].repeat(value, 1))
    return Node("pyarrow.Scalar", (value.type, content))


def _open_table(value: Any, _: Context) -> Node:
    columns = [content_node(column) for column in value.columns]
    tag = f"pyarrow.{type(value).__name__}"
    return Node(tag, (value.schema, value.num_rows, *columns), field_steps(("schema",)))


def _open_buffer(value: Any, _: Context) -> Node:
    size, mutable = value.size, value.is_mutable
    return Node("pyarrow.Buffer", (size,), mutable=mutable, buffers=_flat([value]), size=size)


# -- elements -------------------------------------------------------------------------------------


def content_node(value: Any) -> Node:
    """Return the node of the elements of an array or a chunked array, without its type."""
    is_chunked = isinstance(value, sys.modules["pyarrow"].ChunkedArray)
    chunks = [chunk for chunk in (value.chunks if is_chunked else [value]) if len(chunk)]
    return _content(value.type, chunks)


def _content(kind: Any, chunks: Chunks) -> Node:
    """Return which elements are null, and what the others are."""
    kind, chunks = _spelled_out(kind, chunks)
    length = sum(map(len, chunks))
    if _is(kind, "null") or not chunks:
        return Node("pyarrow.content", (length,))
    if _is(kind, "dictionary"):
        return _dictionary(chunks, length)
    take = next((take for name, take in _KINDS.items() if _is(kind, name)), None)
    if take is None:
        return _elements(chunks)
    nulls: object = None
    if any(chunk.null_count for chunk in chunks):
        nulls = _bytes_node(_booleans(chunk.is_null()) for chunk in chunks)
        chunks = [chunk.drop_null() for chunk in chunks]
    return Node("pyarrow.content", (length, nulls, take(kind, chunks)))


def _spelled_out(kind: Any, chunks: Chunks) -> tuple[Any, Chunks]:
    """Return type and chunks in a form that arrow can compute with."""
    pyarrow: Any = sys.modules["pyarrow"]
    if isinstance(kind, pyarrow.BaseExtensionType):
        return _spelled_out(kind.storage_type, [chunk.storage for chunk in chunks])
    if _is(kind, "run_end_encoded"):
        return _spelled_out(kind.value_type, _computed("run_end_decode", chunks))
    plain = kind
    if _is(kind, "string_view") or _is(kind, "binary_view"):
        plain = pyarrow.large_string() if _is(kind, "string_view") else pyarrow.large_binary()
    elif _is(kind, "map"):
        plain = pyarrow.list_(pyarrow.struct([kind.key_field, kind.item_field]))
    return plain, chunks if plain is kind else [chunk.cast(plain) for chunk in chunks]


def _is(kind: Any, name: str) -> bool:
    """Whether arrow calls a type so; one that has no such types has none."""
    test = getattr(sys.modules["pyarrow"].types, f"is_{name}", None)
    return test is not None and bool(test(kind))


def _elements(chunks: Chunks) -> Node:
    """Return the node of unions, views of lists, and what is yet to come: as Python has them."""
    elements = [element for chunk in chunks for element in chunk.to_pylist()]
    codes = [chunk.type_codes for chunk in chunks if hasattr(chunk, "type_codes")]
    return Node(
        "pyarrow.elements", (elements, [code for part in codes for code in part.to_pylist()])
    )


def _numbers(kind: Any, chunks: Chunks) -> Node:
    return _bytes_node(_fixed(chunk, kind.bit_width // 8) for chunk in chunks)


def _fixed(chunk: Any, width: int) -> Any:
    """Return the bytes of elements of one width, where they lie."""
    return chunk.buffers()[1].slice(chunk.offset * width, len(chunk) * width)


def _bits(_: Any, chunks: Chunks) -> Node:
    return _bytes_node(map(_booleans, chunks))


def _booleans(chunk: Any) -> Any:
    return _fixed(chunk.cast("uint8"), 1)


def _texts(_: Any, chunks: Chunks) -> Node:
    lengths = _lengths("binary_length", chunks)
    return Node("pyarrow.binary", (lengths, _bytes_node(map(_texts_buffer, chunks))))


def _texts_buffer(chunk: Any) -> Any:
    """Return the bytes of texts, one after the other, where they lie."""
    pyarrow: Any = sys.modules["pyarrow"]
    width = 8 if pyarrow.types.is_large_binary(chunk.type) else 4
    width = 8 if pyarrow.types.is_large_string(chunk.type) else width
    offsets = memoryview(chunk.buffers()[1]).cast("q" if width == 8 else "i")
    first, last = offsets[chunk.offset], offsets[chunk.offset + len(chunk)]
    content = chunk.buffers()[2]
    return pyarrow.py_buffer(b"") if content is None else content.slice(first, last - first)


def _lists(kind: Any, chunks: Chunks) -> Node:
    lengths = _lengths("list_value_length", chunks)
    inner = [flat for chunk in chunks if len(flat := chunk.flatten())]
    return Node("pyarrow.list", (lengths, _content(kind.value_type, inner)))


def _structs(kind: Any, chunks: Chunks) -> Node:
    columns = zip(*(chunk.flatten() for chunk in chunks), strict=True)
    fields = [_content(kind.field(at).type, list(column)) for at, column in enumerate(columns)]
    return Node("pyarrow.struct", tuple(fields))


def _dictionary(chunks: Chunks, length: int) -> Node:
    """Return the node of elements that are indices into a dictionary, which can be looked at."""
    pyarrow: Any = sys.modules["pyarrow"]
    whole = pyarrow.chunked_array(chunks).unify_dictionaries()
    indices = [chunk.indices.cast("int64") for chunk in whole.chunks]
    entries = whole.chunks[0].dictionary
    return Node("pyarrow.dictionary", (length, _content(pyarrow.int64(), indices), entries))


def _lengths(name: str, chunks: Chunks) -> Node:
    return _bytes_node(_fixed(chunk.cast("int64"), 8) for chunk in _computed(name, chunks))


def _computed(name: str, chunks: Chunks) -> Chunks:
    # The library is loaded; this part of it is not by itself.
    function = getattr(import_module("pyarrow.compute"), name)
    return [function(chunk) for chunk in chunks]


def _bytes_node(buffers: Iterable[Any]) -> Node:
    held = list(buffers)
    size = sum(buffer.size for buffer in held)
    return Node("pyarrow.bytes", (size,), buffers=_flat(held), size=size)


def _flat(buffers: Iterable[Any]) -> Iterator[Buffer]:
    return (memoryview(buffer).cast("B") for buffer in buffers if buffer.size)


_KINDS: dict[str, Callable[[Any, Chunks], Node]] = {
    "boolean": _bits,
    "primitive": _numbers,
    "decimal": _numbers,
    "fixed_size_binary": _numbers,
    "string": _texts,
    "binary": _texts,
    "large_string": _texts,
    "large_binary": _texts,
    "list": _lists,
    "large_list": _lists,
    "fixed_size_list": _lists,
    "struct": _structs,
}
