"""The last resort: a pickle of the whole value, its buffers out of line.

Owns what is told of a value that pickle refuses too, and that registered codecs count in pickles as
well. Refuses to decide when it is used.
"""

from collections.abc import Callable, Iterator
from typing import Any

from hitsave.codec.classes import main_name
from hitsave.codec.format import Blob
from hitsave.codec.instances import instance_fields
from hitsave.codec.naming import type_label
from hitsave.codec.payload import PICKLE, VERSION, Encoded, pack
from hitsave.codec.plain import LARGE
from hitsave.codec.registered_codecs import codec_named, codec_of, has_codecs
from hitsave.codec.summary import summarize
from hitsave.errors import NotEncodableError


def encode_pickle(value: object) -> Encoded:
    # Only a value that needs it pays for loading pickle, which loads `re` and more.
    import pickle

    buffers: list[memoryview | bytes] = []
    keeps: dict[bytes, None] = {}

    def keep_in_line(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE:
            return True
        buffers.append(raw)
        return False

    try:
        content = _dumps(value, keep_in_line, keeps)
    except Exception as error:
        raise _not_encodable(value, error) from error
    sizes = [memoryview(buffer).nbytes for buffer in buffers]
    # Classes of the main module are found there by name, and every script is called so.
    main = [main_name()] if b"__main__" in content else []
    payload = pack([VERSION, PICKLE, sizes, content, *main])
    return Encoded(payload, tuple(buffers), True, tuple(keeps))


def _dumps(value: object, keep_in_line: Callable[[Any], bool], keeps: dict[bytes, None]) -> bytes:
    import pickle  # loaded already
    from io import BytesIO

    if not has_codecs():
        return pickle.dumps(value, 5, buffer_callback=keep_in_line)

    class Pickler(pickle.Pickler):
        """Takes values of registered types by their codecs."""

        def reducer_override(self, part: Any) -> Any:
            codec = None if isinstance(part, type) else codec_of(type(part))
            if codec is None:
                return NotImplemented
            parts = codec.take(part)
            keeps.update(dict.fromkeys(codec.kept_for(part)))
            contents = [pickle.PickleBuffer(p.content) if type(p) is Blob else p for p in parts[1:]]
            return rebuild, (codec.name, codec.version, parts[0], contents)

    file = BytesIO()
    Pickler(file, 5, buffer_callback=keep_in_line).dump(value)
    return file.getvalue()


def rebuild(name: str, version: int, data: object, contents: list[Any]) -> object:
    """Return a value of a registered type again: what its pickle says is to be called."""
    return codec_named(name, version).build([data, *contents])


def _not_encodable(value: object, error: Exception) -> NotEncodableError:
    path, culprit = _culprit(value)
    return NotEncodableError(
        f"An object of type {type_label(culprit)} cannot be stored: {type(error).__name__} was "
        "raised by pickle, the last resort.",
        "The result is returned and not recorded; return plain data instead.",
        path,
    )


_MAX_SEARCH = 100


def _culprit(value: object) -> tuple[str, object]:
    """Return path and object of the innermost part of `value` that pickle refuses."""
    path = ""
    for _ in range(_MAX_SEARCH):
        found = next(((step, part) for step, part in _parts(value) if not _pickles(part)), None)
        if found is None:
            break
        path, value = path + found[0], found[1]
    return path, value


def _pickles(value: object) -> bool:
    import pickle  # loaded already: this explains a pickle that failed

    try:
        pickle.dumps(value, 5)
    except Exception:
        return False
    return True


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((f"[{summarize(key, 60)}]", part) for key, part in dict.items(value))
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    else:
        names, contents = instance_fields(value)
        yield from zip((f".{name}" for name in names), contents, strict=True)
