"""Bytes to results.

Owns the layouts of a payload that may be damaged or hostile, and turns whatever goes wrong into
damage. Refuses pickles where the bytes are not trusted.
"""

from collections.abc import Sequence
from typing import Any

from msgpack import unpackb

from hitsave.codec.classes import main_name
from hitsave.codec.payload import GRAPH, PICKLE, PLAIN, VERSION
from hitsave.codec.reader import Reader
from hitsave.errors import DamagedError


def decode(
    payload: bytes | memoryview, buffers: Sequence[memoryview], *, allow_pickle: bool
) -> object:
    """Return the value that `encode` wrote as `payload` and `buffers`: new objects each time.

    An array lies in its buffer itself where that is writable, and the buffer then is the
    caller's; from a read-only one it is copied. Raises DamagedError for anything malformed, of
    another version, or of a class or a codec that is not there. When `allow_pickle` is False, the
    bytes are not trusted: pickles are refused, formats that a library reads by its own parser, and
    classes whose modules are not loaded.
    """
    # Damaged bytes can raise anything, from msgpack's errors to a constructor's; pickles also run
    # the constructors of classes that may have changed or gone since.
    try:
        return _decode(payload, buffers, allow_pickle)
    except DamagedError:
        raise
    except Exception as error:
        raise DamagedError(
            f"A stored result cannot be read: {type(error).__name__}: {error}"
        ) from error


def _decode(
    payload: bytes | memoryview, buffers: Sequence[memoryview], allow_pickle: bool
) -> object:
    content = _unpack(payload)
    if type(content) is not list or len(content) < 3 or content[0] != VERSION:
        raise DamagedError("A stored result is not of a format that this version reads.")
    mode, rest = content[1], content[2:]
    if mode == PLAIN and len(rest) == 1:
        return rest[0]
    if mode == GRAPH and len(rest) == 2:
        return Reader(rest[0], rest[1], buffers, allow_pickle).read()
    if mode == PICKLE and 2 <= len(rest) <= 3:
        if rest[2:] not in ([], [main_name()]):
            raise DamagedError("A stored result is of classes of another main module.")
        return _unpickle(rest[0], rest[1], buffers, allow_pickle)
    raise DamagedError("A stored result is of an unknown layout.")


def _unpack(payload: bytes | memoryview) -> Any:
    return unpackb(
        payload, strict_map_key=False, unicode_errors="surrogatepass", ext_hook=_refuse_extension
    )


def _refuse_extension(code: int, _: bytes) -> object:
    raise DamagedError(f"A stored result holds an extension of unknown type {code}.")


def _unpickle(
    sizes: list[int], content: bytes, buffers: Sequence[memoryview], allow_pickle: bool
) -> object:
    if not allow_pickle:
        raise DamagedError(
            "A stored result is a pickle, and pickles from there are not trusted.",
            "It will be computed again.",
        )
    # Only a value that needs it pays for loading pickle, which loads `re` and more.
    import pickle

    if sizes != [buffer.nbytes for buffer in buffers]:
        raise DamagedError("A stored result lacks some of its bytes.")
    return pickle.loads(content, buffers=[_writable(buffer) for buffer in buffers])


def _writable(buffer: memoryview) -> memoryview | bytearray:
    return bytearray(buffer) if buffer.readonly else buffer
