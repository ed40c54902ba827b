"""The format of PIL's images: mode, size, bytes and what `info` says.

Owns the modes whose bytes say all. Refuses images that are still tied to a file, and palettes.
"""

from importlib import import_module
from typing import Any

from hitsave.codec.format import Blob, Format, NotStorableError
from hitsave.codec.library_formats.common import Finder, by_name

_BYTES = {
    "L": 1, "LA": 2, "La": 2, "RGB": 3, "RGBA": 4, "RGBa": 4, "CMYK": 4, "YCbCr": 3, "LAB": 3,
    "HSV": 3, "I": 4, "F": 4, "I;16": 2,
}  # fmt: skip
_KNOWN = frozenset({"im", "_im", "_mode", "_size", "info", "readonly", "palette", "_category"})
_ALSO = frozenset({"_exif", "pyaccess", "_readonly"})


def _take(value: Any) -> list[Any]:
    if (value.mode not in _BYTES and value.mode != "1") or value.palette is not None:
        raise NotStorableError
    if not set(vars(value)) <= _KNOWN | _ALSO or vars(value).get("_exif") is not None:
        raise NotStorableError
    return [value.mode, *value.size, dict(value.info), Blob(value.tobytes())]


def _build(parts: list[Any]) -> Any:
    image: Any = import_module("PIL.Image")  # only a stored image asks for it
    mode, width, height, info, content = parts
    row = (width + 7) // 8 if mode == "1" else width * _BYTES[mode]
    if min(width, height) < 0 or memoryview(content).nbytes != row * height:
        raise ValueError("not as many bytes as mode and size say")
    made = image.new(mode, (width, height))
    if row * height:
        made.frombytes(bytes(content))
    made.info = info
    return made


_TABLE = {"PIL.Image:Image": Format("PIL.Image.1", _take, _build)}
FORMATS = by_name(_TABLE)
find_format = Finder(_TABLE)
