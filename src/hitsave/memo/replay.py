"""Recordings of generators: the items of a run, and their replay.

Owns when a run can be replayed: it came to its end, and nobody sent or threw anything into it.
Refuses to drive a generator: `shapes` does.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from hitsave.codec import decode, encode
from hitsave.codec.sharing import is_immutable
from hitsave.errors import NotEncodableError
from hitsave.memo import call as spine
from hitsave.memo.record import end, keep
from hitsave.memo.trouble import bypass, unexpected

MOST_BYTES = 1 << 30
"""A run that yields more than this is not recorded: it may have no end."""


class Recording:
    """What one run of a generator yields."""

    def __init__(self, call: spine.Call) -> None:
        self._call = call
        self._before = spine.start(call)
        self._items: list[Any] | None = []
        self._bytes = 0
        self._seconds = 0.0

    def add(self, item: Any, clock: float) -> None:
        """Note an item, which took the time since `clock`."""
        self._seconds += time.perf_counter() - clock
        if self._items is None:
            return
        try:
            self._items.append(self._copied(item))
        except NotEncodableError as error:
            where = f"item [{len(self._items)}]{error.path}"
            self._give_up("result", f"{where} cannot be stored: {error.message}", error.hint)
        except Exception as error:
            self._items = None
            unexpected(self._call.session, self._call.memo.symbol, error)
        if self._bytes > MOST_BYTES:
            hint = "decorate what makes the items instead"
            self._give_up("size", f"it yields more than {MOST_BYTES >> 30} GiB", hint)

    def _copied(self, item: Any) -> Any:
        """Return what nobody can change any more: the caller has the item itself."""
        if is_immutable(item):
            self._bytes += sys.getsizeof(item)
            return item
        encoded = encode(item)
        buffers = [bytearray(buffer) for buffer in encoded.buffers]
        self._bytes += len(encoded.payload) + sum(map(len, buffers))
        return decode(
            encoded.payload, [memoryview(buffer) for buffer in buffers], allow_pickle=True
        )

    def follow(self, answer: Any) -> None:
        """Note what the caller sent or threw: a run that depends on it cannot be replayed."""
        if answer is not None:
            self._items = None

    def end(self) -> None:
        """Observe no more: the run is over, or nobody goes on with it."""
        end(self._before)

    def keep(self, returned: Any, clock: float) -> None:
        """Record the run, which has come to its end."""
        self._seconds += time.perf_counter() - clock
        if self._items is not None:
            keep(self._call, (self._items, returned), self._before, self._seconds)

    def _give_up(self, kind: str, reason: str, hint: str) -> None:
        self._items = None
        bypass(self._call.memo.symbol, kind, reason, hint)


class Replay:
    """Gives what was recorded, until the caller sends or throws something in.

    What the function makes of that is not recorded: it runs then, past what it yielded already.
    """

    def __init__(self, found: Any, function: Callable[[], Any]) -> None:
        self._items, self._returned = found
        self._position = 0
        self._function = function
        self._live: Any = None

    def __iter__(self) -> "Replay":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """As a generator's."""
        if value is not None or self._live is not None:
            return self._advanced().send(value)
        if self._position == len(self._items):
            raise StopIteration(self._returned)
        self._position += 1
        return self._items[self._position - 1]

    def throw(self, error: BaseException) -> Any:
        """As a generator's."""
        return self._advanced().throw(error)

    def close(self) -> None:
        """As a generator's."""
        if self._live is not None:
            self._live.close()

    def _advanced(self) -> Any:
        if self._live is None:
            self._live = self._function()
            for _ in range(self._position):
                next(self._live)
        return self._live


class AsyncReplay:
    """As `Replay`, of an asynchronous generator."""

    def __init__(self, found: Any, function: Callable[[], Any]) -> None:
        self._items, _ = found
        self._position = 0
        self._function = function
        self._live: Any = None

    async def asend(self, value: Any) -> Any:
        """As an asynchronous generator's."""
        if value is not None or self._live is not None:
            return await (await self._advanced()).asend(value)
        if self._position == len(self._items):
            raise StopAsyncIteration
        self._position += 1
        return self._items[self._position - 1]

    async def athrow(self, error: BaseException) -> Any:
        """As an asynchronous generator's."""
        return await (await self._advanced()).athrow(error)

    async def aclose(self) -> None:
        """As an asynchronous generator's."""
        if self._live is not None:
            await self._live.aclose()

    async def _advanced(self) -> Any:
        if self._live is None:
            self._live = self._function()
            for _ in range(self._position):
                await anext(self._live)
        return self._live
