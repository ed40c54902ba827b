"""Functions without a source: their digest and references from the live code object.

Owns the fallback for what was made by `exec`, in a shell, or whose file changed after it was
loaded. Its digests hold within one minor version of Python, which every code digest names.
"""

from collections.abc import Iterator
from opcode import opmap
from types import CodeType
from typing import Any

from hitsave.code.collect import Collector
from hitsave.code.definition import References
from hitsave.code.names import format_attributes
from hitsave.digest import digest_parts


def code_digest(code: CodeType) -> bytes:
    """Return the digest of what a code object does, without names of files and lines."""
    shape = (
        code.co_name,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
    )
    constants = [_constant(value) for value in code.co_consts]
    parts = [repr(shape).encode(), code.co_code, code.co_exceptiontable, *constants]
    return digest_parts("code object", parts)


def _constant(value: Any) -> bytes:
    if isinstance(value, CodeType):
        return code_digest(value)
    if isinstance(value, frozenset):
        # Constant sets are written in an order that the hash seed decides.
        return digest_parts("frozenset", sorted(_constant(item) for item in value))
    if isinstance(value, tuple):
        return digest_parts("tuple", [_constant(item) for item in value])
    return f"{type(value).__name__} {value!r}".encode("utf-8", "surrogatepass")


def code_references(code: CodeType) -> References:
    """Return what a code object may read: each name as a global and as an attribute.

    A name by which attributes or modules are looked up (`getattr`) is taken to be used so.
    """
    found = Collector((), {})
    line = code.co_firstlineno
    for current in _codes_in(code):
        for name in current.co_names:
            found.refer((name,), line)
            found.ask(name, line)
        for level, module in _imports_in(current):
            found.add_import(level, module, (), line)
        for text in filter(_is_text, current.co_consts):
            for name in format_attributes(text):
                found.ask(name, line)
    return found.references()


def _is_text(value: object) -> bool:
    return type(value) is str


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)


def _imports_in(code: CodeType) -> Iterator[tuple[int, str]]:
    """Yield (level, module) of the imports in a code object.

    The level is a constant, loaded two instructions before: not worth decoding, so a name that
    can be relative is reported both ways.
    """
    levels = {value for value in code.co_consts if type(value) is int and 0 <= value <= 9}
    argument = 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2], strict=True):
        argument = argument << 8 | low
        if operation == opmap["EXTENDED_ARG"]:
            continue
        if operation == opmap["IMPORT_NAME"]:
            yield from ((level, code.co_names[argument]) for level in sorted(levels | {0}))
        argument = 0
