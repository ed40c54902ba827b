"""Digests of globals: each value's found once, for as long as nothing can change it.

Owns how long that is. Refuses to digest: `codec` does.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hitsave.code.values import Digested, DigestValue, NameSymbol
from hitsave.errors import NotDigestibleError


class Digests:
    """Digests of globals; kept, for one thread, for as long as nothing can change them."""

    def __init__(self, digest_value: DigestValue) -> None:
        self._digest_value = digest_value
        self._here = threading.local()

    def __call__(self, value: Any, name_symbol: NameSymbol, /, shared: Any = None) -> Digested:
        """Digest a value. Raises NotDigestibleError."""
        kept: _Kept | None = getattr(self._here, "kept", None)
        if kept is None:
            return self._digest_value(value, name_symbol, shared)
        if id(value) not in kept.outcomes:
            # The value is kept beside its digest, so that its id cannot come to mean another.
            kept.outcomes[id(value)] = (value, self._outcome(value, name_symbol, kept.shared))
        found = kept.outcomes[id(value)][1]
        if isinstance(found, NotDigestibleError):
            raise found
        return found

    def _outcome(
        self, value: Any, name_symbol: NameSymbol, shared: Any
    ) -> Digested | NotDigestibleError:
        try:
            return self._digest_value(value, name_symbol, shared)
        except NotDigestibleError as error:
            return error

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Digest each value at most once in here."""
        if getattr(self._here, "kept", None) is not None:
            yield
            return
        self._here.kept = _Kept()
        try:
            yield
        finally:
            self._here.kept = None


class _Kept:
    """What the digests of values were, and of what is in them."""

    def __init__(self) -> None:
        self.outcomes: dict[int, tuple[Any, Digested | NotDigestibleError]] = {}
        self.shared: dict[int, Any] = {}
