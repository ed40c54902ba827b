"""Recalled digests: of large results that were handed out, and that nobody can have changed.

Such a result is often the argument of the next call. Its digest was kept with it, so that nothing
of it has to be read again.

Owns which values these are. Refuses to look into them.
"""

import sys
from collections.abc import Iterable
from typing import Any

from hitsave.codec.sharing import identity, is_immutable
from hitsave.digest import Digest

MOST = 8
"""How many results are recalled. Each is held on to; those that nobody else holds are let go."""

# By the table, and by the call that counts.
_UNHELD = 2


def is_read_only(value: Any) -> bool:
    """Whether a value is an array that says that it may not be written to."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray:
        return False
    return not (value.flags.writeable or value.dtype.hasobject)


def _is_fixed(value: Any) -> bool:
    """Whether an array cannot be made writable: none that it is a part of can."""
    if not is_read_only(value):
        return False
    numpy: Any = sys.modules["numpy"]
    while type(value) is numpy.ndarray:
        if value.flags.writeable:
            return False
        value = value.base
    return type(value) is memoryview and value.readonly


class Recalled:
    """The digests of the results that were handed out last, by what they are."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Digest]] = {}

    def note(self, result: object, digest: Digest) -> None:
        """Recall the digest of a result from now on, where nobody can change it."""
        if not (is_immutable(result) or _is_fixed(result)):
            return
        self._let_go()
        self._known[identity(result)] = (result, digest)
        for number in tuple(self._known)[:-MOST]:
            self._known.pop(number, None)

    def digest(self, value: object) -> Digest | None:
        """Return the digest of what is one of these results, if it is."""
        known = self._known.get(identity(value)) if self._known else None
        return None if known is None else known[1]

    def has_any(self, values: Iterable[object]) -> bool:
        """Whether any of `values` is one of these results."""
        return bool(self._known) and any(identity(value) in self._known for value in values)

    def _let_go(self) -> None:
        for number in tuple(self._known):
            known = self._known.get(number)
            if known is not None and sys.getrefcount(known[0]) <= _UNHELD:
                self._known.pop(number, None)
