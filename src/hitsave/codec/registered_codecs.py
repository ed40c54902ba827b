"""Formats that a program registers for types of its own.

Owns which type goes by which registered codec, and which name and version leads to which. Refuses
types that have a format of their own, and what `decode` gives where it is of another type.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hitsave.codec.format import Blob
from hitsave.codec.formats import BUILTIN_FORMATS
from hitsave.codec.plain import SCALARS
from hitsave.errors import DamagedError, NotEncodableError, OptionError, UnknownCodecError
from hitsave.raw import class_name

Buffer = bytes | bytearray | memoryview
Encode = Callable[[Any], tuple[object, Sequence[Buffer]]]
Decode = Callable[[Any, Sequence[memoryview]], object]

REGISTERED = "registered.1"


class Codec(NamedTuple):
    """How values of one type are stored: as data and buffers that `encode` gives.

    `refers` tells what else in the store such data stand for, by its digest.
    """

    target: type | str
    name: str
    version: int
    encode: Encode
    decode: Decode
    refers: Callable[[Any], bytes] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is built of its parts at once."""
        return True

    @property
    def entry(self) -> tuple[str, str, int]:
        """What stands for the codec in the table of names."""
        return REGISTERED, self.name, self.version

    def fits(self, _: object) -> bool:
        """Whether any value of the type goes by this codec."""
        return True

    def take(self, value: object) -> list[Any]:
        """Return data and buffers of `value`. Raises NotEncodableError where `encode` raises."""
        try:
            data, buffers = self.encode(value)
            return [data, *(Blob(memoryview(buffer).cast("B")) for buffer in buffers)]
        except Exception as error:
            raise NotEncodableError(
                f"The codec {self.name!r} raised {type(error).__name__}: {error}.",
                "encode= has to return a pair: plain data, and a list of buffers.",
            ) from error

    def kept_for(self, value: object) -> tuple[bytes, ...]:
        """Return the digests of what has to stay in the store for as long as `value` does."""
        return () if self.refers is None else (self.refers(value),)

    def build(self, parts: list[Any]) -> object:
        """Return what `decode` makes of data and buffers."""
        data, *contents = parts
        found = self.decode(data, [_writable(content) for content in contents])
        if not _is_target(type(found), self.target):
            raise DamagedError(f"The codec {self.name!r} gave a value of another type.")
        return found


def _writable(content: Buffer) -> memoryview:
    view = memoryview(content)
    return memoryview(bytearray(view)) if view.readonly else view


def _is_target(kind: type, target: type | str) -> bool:
    return kind is target or ":".join(class_name(kind)) == target


_providers: dict[str, Callable[[], object]] = {}
_by_target: dict[type | str, Codec] = {}
_by_name: dict[tuple[str, int], Codec] = {}


def register_codec(
    target: type | str, name: str, version: int, encode: Encode, decode: Decode
) -> None:
    """Say how results of a type are stored.

    `target` is the type, or its "module:Qualified.Name" where its module need not be loaded yet;
    subclasses are not meant. `encode(value)` returns a pair: data that can be stored, and a list
    of buffers (anything with bytes in it, such as an array). `decode(data, buffers)` returns a
    value again; each buffer is a writable memoryview that belongs to it. Both live on in `name`
    and `version`: raise the version when what `encode` writes changes, and register the older
    versions too for as long as their results are wanted. A result whose codec is not registered is
    computed again. The code of the two functions does not count: results stay when it changes.
    """
    add_codec(Codec(target, name, version, encode, decode))


def add_codec(codec: Codec) -> None:
    """Register a codec. Raises OptionError."""
    target, name, version = codec[:3]
    _check(target, name, version)
    _by_name[name, version] = codec
    newest = _by_target.get(target)
    if newest is None or newest.name != name or newest.version <= version:
        _by_target[target] = codec


def _check(target: object, name: object, version: object) -> None:
    if isinstance(target, type):
        if target in BUILTIN_FORMATS or target in SCALARS:
            raise OptionError(f"{target.__name__} has a format already.", "register a class")
    elif type(target) is not str or not all(target.partition(":")):
        hint = 'such as "numpy.polynomial:Polynomial"'
        raise OptionError("A codec is registered for a type or its name.", hint)
    if type(name) is not str or not name or type(version) is not int or version < 1:
        raise OptionError("A codec has a name, and a version that is counted from 1.")
    other = _by_name.get((name, version))
    if other is not None and _label(other.target) != _label(target):
        hint = "give this one another name"
        raise OptionError(f"The codec {name!r} is that of {_label(other.target)}.", hint)


def _label(target: object) -> str:
    return ":".join(class_name(target)) if isinstance(target, type) else str(target)


def codec_of(kind: type) -> Codec | None:
    """Return the codec that values of exactly the type `kind` go by."""
    if not _by_target:
        return None
    return _by_target.get(kind) or _by_target.get(":".join(class_name(kind)))


def has_codecs() -> bool:
    """Whether any codec is registered."""
    return bool(_by_target)


def provide_codec(name: str, provide: Callable[[], object]) -> None:
    """Let `provide` register the codecs of that name once a stored result asks for one."""
    _providers[name] = provide


def codec_named(name: str, version: int) -> Codec:
    """Return the codec of that name and version. Raises UnknownCodecError."""
    if (name, version) not in _by_name and name in _providers:
        _providers[name]()
    codec = _by_name.get((name, version))
    if codec is None:
        raise UnknownCodecError(name, version)
    return codec
