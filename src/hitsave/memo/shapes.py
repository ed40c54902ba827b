"""Memoised coroutine functions and generators.

Owns what is recorded of a function whose call is not over when it returns. Generators take no
lease: to wait for another evaluation would hold up whoever has half read one.
"""

import sys
import time
from collections.abc import AsyncGenerator, Generator
from functools import partial
from typing import Any, ParamSpec, TypeVar

from hitsave.memo import call as spine
from hitsave.memo.around import spoil
from hitsave.memo.memoised import Memo
from hitsave.memo.modes import REFRESH_ALWAYS, Mode, mode_now
from hitsave.memo.record import end, keep
from hitsave.memo.replay import AsyncReplay, Recording, Replay
from hitsave.memo.tasks import TaskLease

P = ParamSpec("P")
R = TypeVar("R")


class LateMemo(Memo[P, R]):
    """A function whose call returns before its body runs. The mode is that of the call."""

    __slots__ = ()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return what the function would return, with recorded contents where there are any."""
        mode = mode_now()
        # Arguments that do not fit are refused by the call itself, not once the body runs.
        # Whatever is not over when it returns, no evaluation around it can follow.
        spoil()
        if mode.name == "off" or not self.binder.fits(args, kwargs):
            return self.__wrapped__(*args, **kwargs)
        return self._run(mode, args, kwargs)

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """See `Memo.refresh`."""
        if not self.binder.fits(args, kwargs):
            return self.__wrapped__(*args, **kwargs)
        return self._run(REFRESH_ALWAYS, args, kwargs)

    def _run(self, mode: Mode, args: Any, kwargs: Any) -> Any:
        raise NotImplementedError

    async def _verify_awaited(
        self, call: spine.Call | None, found: Any, args: Any, kwargs: Any
    ) -> None:
        from hitsave.memo.verify import verify_awaited  # only that mode needs it

        function: Any = self.__wrapped__
        await verify_awaited(call, found, lambda: self._awaited(function(*args, **kwargs)))

    async def _awaited(self, given: Any) -> Any:
        """Return what is recorded of what the function gives, which has to be awaited."""
        return await given


class CoroutineMemo(LateMemo[P, R]):
    """A memoised coroutine function: what is awaited is recorded."""

    __slots__ = ()

    async def _run(self, mode: Mode, args: Any, kwargs: Any) -> Any:
        call = spine.begin(self, args, kwargs, mode)
        found = spine.find(call)
        if found is not spine.ABSENT:
            if mode.name == "verify":
                await self._verify_awaited(call, found, args, kwargs)
            return found
        function: Any = self.__wrapped__
        if call is None or not spine.is_recorded(call):
            return await function(*args, **kwargs)
        async with TaskLease(call):
            found = spine.find_after_waiting(call)
            if found is not spine.ABSENT:
                if mode.name == "verify":
                    await self._verify_awaited(call, found, args, kwargs)
                return found
            before = spine.start(call)
            try:
                result = await function(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - before.clock
                end(before)
            keep(call, result, before, seconds)
        return result

    # `inspect` and `asyncio` each look for an object of their own, which only they have; neither
    # is loaded for it.

    @property
    def _is_coroutine_mark(self) -> Any:
        return getattr(sys.modules.get("inspect"), "_is_coroutine_mark", None)

    @property
    def _is_coroutine(self) -> Any:
        return getattr(sys.modules.get("asyncio.coroutines"), "_is_coroutine", None)


class GeneratorMemo(LateMemo[P, R]):
    """A memoised generator function: recorded when exhausted, replayed when it hits."""

    __slots__ = ()

    # One function, and the loop in it, so that a traceback has one frame of ours.
    def _run(self, mode: Mode, args: Any, kwargs: Any) -> Generator[Any, Any, Any]:
        function: Any = self.__wrapped__
        call = spine.begin(self, args, kwargs, mode)
        found = spine.find(call)
        if found is not spine.ABSENT:
            if mode.name == "verify":
                self._verify(call, found, args, kwargs)
            return (yield from Replay(found, partial(function, *args, **kwargs)))
        generator = function(*args, **kwargs)
        if call is None or not spine.is_recorded(call):
            return (yield from generator)
        recording = Recording(call)
        value, resume = None, generator.send
        try:
            while True:
                clock = time.perf_counter()
                try:
                    item = resume(value)
                except StopIteration as stop:
                    recording.keep(stop.value, clock)
                    return stop.value
                recording.add(item, clock)
                try:
                    value, resume = (yield item), generator.send
                except GeneratorExit:
                    generator.close()
                    raise
                except BaseException as error:
                    value, resume = error, generator.throw
                recording.follow(value)
        finally:
            recording.end()

    def _contents(self, given: Any) -> Any:
        items = []
        while True:
            try:
                items.append(next(given))
            except StopIteration as stop:
                return items, stop.value

    def _replayed(self, found: Any) -> Generator[Any, Any, Any]:
        items, returned = found
        yield from items
        return returned


class AsyncGeneratorMemo(LateMemo[P, R]):
    """A memoised asynchronous generator function: recorded when exhausted, and replayed."""

    __slots__ = ()

    async def _awaited(self, given: Any) -> Any:
        return [item async for item in given], None

    async def _run(self, mode: Mode, args: Any, kwargs: Any) -> AsyncGenerator[Any, Any]:
        function: Any = self.__wrapped__
        call = spine.begin(self, args, kwargs, mode)
        found = spine.find(call)
        recording = None
        if found is not spine.ABSENT:
            if mode.name == "verify":
                await self._verify_awaited(call, found, args, kwargs)
            generator: Any = AsyncReplay(found, partial(function, *args, **kwargs))
        else:
            generator = function(*args, **kwargs)
            if call is not None and spine.is_recorded(call):
                recording = Recording(call)
        value, resume = None, generator.asend
        try:
            while True:
                clock = time.perf_counter()
                try:
                    item = await resume(value)
                except StopAsyncIteration:
                    if recording is not None:
                        recording.keep(None, clock)
                    return
                if recording is not None:
                    recording.add(item, clock)
                try:
                    value, resume = (yield item), generator.asend
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:
                    value, resume = error, generator.athrow
                if recording is not None:
                    recording.follow(value)
        finally:
            if recording is not None:
                recording.end()

    async def _replayed(self, found: Any) -> AsyncGenerator[Any, Any]:
        for item in found[0]:
            yield item
