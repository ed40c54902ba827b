"""Warm-up: whether a code object ever ran, on Python 3.11.

Owns the reading of the counter by which CPython 3.11 decides when a code object is worth
specialising. It counts up from a negative number to zero with every start, so it differs from the
number that fresh code has exactly where the code ran. Refuses to trust it before it has been seen
to do so in this interpreter.
"""

from collections.abc import Callable, Iterable
from types import CodeType, FunctionType

Read = Callable[[CodeType], int]

_FRESH = -8
_SAMPLES = (
    "def f(x=1): return x",
    "def f():\n    yield 1",
    "def f():\n    for i in range(3): pass",
    "async def f(): return 1",
    "def f():\n    x = 1\n    return lambda: x",
)

_read: Read | None = None
_is_tested = False


def any_ran(codes: Iterable[CodeType]) -> bool:
    """Whether any of these code objects ran, or may have; True where there are none."""
    known = tuple(codes)
    read = _reader()
    if not known or read is None:
        return True
    return any(read(code) != _FRESH for code in known)


def _reader() -> Read | None:
    """Return the function that reads the counter; None where it does not do so reliably."""
    global _read, _is_tested
    if not _is_tested:
        found = _make_reader()
        _read = found if all(_is_right(found, sample) for sample in _SAMPLES) else None
        _is_tested = True
    return _read


def _make_reader() -> Read:
    # Here, since only Python 3.11 has a use for it and it takes milliseconds to load.
    import ctypes

    # Behind the head of an object with a size come three pointers and an integer.
    offset = tuple.__basicsize__ + 3 * ctypes.sizeof(ctypes.c_void_p) + ctypes.sizeof(ctypes.c_int)

    def read(code: CodeType) -> int:
        # In CPython, the identity of an object is its address.
        return ctypes.c_short.from_address(id(code) + offset).value

    return read


def _is_right(read: Read, sample: str) -> bool:
    """Whether the counter of a fresh function is as expected, and another after one start."""
    namespace: dict[str, FunctionType] = {}
    exec(compile(sample, "<hitsave>", "exec"), namespace)
    function = namespace["f"]
    before = read(function.__code__)
    _start(function)
    return before == _FRESH < read(function.__code__)


def _start(function: FunctionType) -> None:
    made = function()
    if hasattr(made, "__next__"):
        next(made)
    elif hasattr(made, "send"):
        try:
            made.send(None)
        except StopIteration:
            return
