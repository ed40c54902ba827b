"""Work that is done aside, in threads, as long as the program may have threads.

Owns what becomes of it at the program's end, when Python starts no threads and does not even let
their pool be loaded: it is done at once, by whoever asks for it.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

THREADS = min(os.cpu_count() or 1, 8)
"""How much is done at a time."""


class Aside:
    """A pool of threads in a `with` statement, at whose end all is done; or dropped, if it fails.

    Source: https://docs.python.org/3/library/concurrent.futures.html.
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> "Aside":
        try:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(THREADS)
        except RuntimeError:
            self._pool = None  # the interpreter is about to end
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=kind is not None)

    def begin(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin some work; return what waits for its result, and raises what it raised."""
        if self._pool is not None:
            with suppress(RuntimeError):  # there can be no more threads
                return self._pool.submit(work).result
        result = work()
        return lambda: result
