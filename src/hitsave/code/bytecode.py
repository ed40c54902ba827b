"""Functions without a source: their digest and references from the live code object.

Owns the fallback for what was made by `exec`, in a shell, or whose file changed after it was
loaded. Its digests hold within one minor version of Python, which every code digest names.
"""

from types import CodeType
from typing import Any

from hitsave.code.definition import Chain, References
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
    """Return what a code object may read: each name as a global and as an attribute."""
    names: dict[str, None] = {}
    codes = [code]
    for current in codes:
        names.update(dict.fromkeys(current.co_names))
        codes.extend(c for c in current.co_consts if isinstance(c, CodeType))
    line = code.co_firstlineno
    chains = tuple(Chain((name,), line, opaque=True) for name in names)
    return References(chains, (), tuple((name, line) for name in names), ())
