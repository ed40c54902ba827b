"""The decorators, and the object that stands in for a memoised function.

Owns what a memoised function looks like to its callers, as a function, method, coroutine function
or generator. Refuses to know how a call is keyed or recorded: `call` does.
"""

import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from functools import partial, update_wrapper
from types import FunctionType, MethodType
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast, overload

from hitsave.code.dependencies import Dependency
from hitsave.code.project import canonical_name
from hitsave.code.tracker import Declared
from hitsave.errors import MissError, OptionError
from hitsave.memo import call as spine
from hitsave.memo.arguments import make_binder
from hitsave.memo.options import Options, checked_options
from hitsave.session import current
from hitsave.store import CallRecord, Table

P = ParamSpec("P")
R = TypeVar("R")

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200
"""Flags of code objects; `inspect`, which names them, costs 17 ms to import."""


class CacheInfo(NamedTuple):
    """How often a memoised function hit and missed in this process."""

    hits: int
    misses: int


class Memo(Generic[P, R]):
    """A memoised function. Called like the function itself, which is `__wrapped__`."""

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        inner = plain_function(function)
        self.options = options
        self.root: Any = function
        self.roots = (function,)
        binder = make_binder(_signature_of(function, inner), options.ignore)
        self.binder = binder
        self.argument_names = ("key",) if options.key is not None else binder.names
        version = "" if options.version is None else repr(options.version)
        self.declared = Declared(version, options.depends_on)
        self._hits = 0
        self._misses = 0
        update_wrapper(self, function)
        self.__wrapped__ = function
        named: Any = function if isinstance(function, FunctionType) else inner
        self.symbol = f"{canonical_name(named.__module__)}:{named.__qualname__}"
        self.symbol_bytes = self.symbol.encode()

    # -- calling --------------------------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the recorded result of this call, or run the function and record it."""
        mode = spine.mode_now()
        if mode == "off":
            return self.__wrapped__(*args, **kwargs)
        call = spine.prepare(self, args, kwargs)
        if call is not None and mode != "refresh":
            found = spine.find(self, call)
            if found is not spine.ABSENT:
                return cast("R", found)
        if call is None or mode in ("read-only", "require"):
            spine.tell_miss(self, call)
            return self.__wrapped__(*args, **kwargs)
        with spine.lease(call) as waited:
            if waited and mode != "refresh":
                found = spine.find(self, call)
                if found is not spine.ABSENT:
                    return cast("R", found)
            spine.tell_miss(self, call)
            started, clock = time.time(), time.perf_counter()
            result = self.__wrapped__(*args, **kwargs)
            spine.keep(self, call, result, started, time.perf_counter() - clock)
        return result

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to an instance, as a function in a class does."""
        return self if instance is None else BoundMemo(self, instance)

    def __reduce__(self) -> str:
        # Like a function: by name, so that it can be sent to another process.
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<memo {self.symbol}>"

    def count_hit(self) -> None:
        """Note a hit."""
        self._hits += 1

    def count_miss(self) -> None:
        """Note a miss."""
        self._misses += 1

    # -- questions ------------------------------------------------------------------------------

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Say whether this call hits; if not, what differs from the nearest earlier call.

        Returns an `Explanation`, whose text is `str(...)`. Nothing is run or recorded.
        """
        # Loaded when asked: it needs `difflib`.
        from hitsave.memo.explain import explain_call

        return explain_call(self, args, kwargs)

    def cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether this call would hit."""
        call = spine.prepare(self, args, kwargs)
        return call is not None and spine.find_record(call) is not None

    def peek(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the recorded result without ever running the function.

        Raises `MissError` where there is none.
        """
        call = spine.prepare(self, args, kwargs)
        found = spine.find(self, call) if call is not None else spine.ABSENT
        if found is spine.ABSENT:
            raise MissError(f"{self.symbol} has no recorded result for this call.", "call it")
        return cast("R", found)

    def dependencies(self) -> tuple[Dependency, ...]:
        """Return everything that a call of this function depends on, besides its arguments."""
        return current().tracker.track(self.roots, self.declared).manifest.dependencies

    def calls(self) -> list[CallRecord]:
        """Return the records of this function's latest calls, newest first."""
        from hitsave.memo.explain import recent_calls  # see `explain`

        return recent_calls(current(), self.symbol)

    def cache_info(self) -> CacheInfo:
        """How often this function hit and missed in this process."""
        return CacheInfo(self._hits, self._misses)

    # -- changing what is recorded --------------------------------------------------------------

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function whatever is recorded, and record the result."""
        with spine.mode("refresh"):
            return self(*args, **kwargs)

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Remove the recorded result of this call. Returns whether there was one."""
        call = spine.prepare(self, args, kwargs)
        if call is None or spine.find_record(call) is None:
            return False
        current().store.delete(Table.CALLS, [call.key])
        return True

    def cache_clear(self) -> None:
        """Remove every recorded result of this function, and reset `cache_info`."""
        store, prefix = current().store, spine.history_prefix(self.symbol)
        while found := store.scan(Table.HISTORY, prefix, limit=1000):
            store.delete(Table.CALLS, [key for _, key in found])
            store.delete(Table.HISTORY, [moment for moment, _ in found])
        self._hits = self._misses = 0


class CoroutineMemo(Memo[P, R]):
    """A memoised coroutine function: what is awaited is recorded."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return a coroutine that gives the recorded result, or runs the function."""
        return self._run(args, kwargs)

    async def _run(self, args: Any, kwargs: Any) -> Any:
        mode = spine.mode_now()
        call = spine.prepare(self, args, kwargs) if mode != "off" else None
        if call is not None and mode != "refresh":
            found = spine.find(self, call)
            if found is not spine.ABSENT:
                return found
        if mode == "off":
            return await self.__wrapped__(*args, **kwargs)  # type: ignore[misc]
        spine.tell_miss(self, call)
        started, clock = time.time(), time.perf_counter()
        result = await self.__wrapped__(*args, **kwargs)  # type: ignore[misc]
        if call is not None and mode in ("use", "refresh"):
            spine.keep(self, call, result, started, time.perf_counter() - clock)
        return result


class GeneratorMemo(Memo[P, R]):
    """A memoised generator function: recorded when exhausted, replayed when it hits."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return a generator of the recorded items, or of the function's own."""
        return self._run(args, kwargs)

    def _run(self, args: Any, kwargs: Any) -> Generator[Any, Any, Any]:
        mode = spine.mode_now()
        call = spine.prepare(self, args, kwargs) if mode != "off" else None
        if call is not None and mode != "refresh":
            found = spine.find(self, call)
            if found is not spine.ABSENT:
                items, returned = found
                yield from items
                return returned
        if mode != "off":
            spine.tell_miss(self, call)
        generator: Any = self.__wrapped__(*args, **kwargs)
        if call is None or mode not in ("use", "refresh"):
            return (yield from generator)
        return (yield from self._recorded(call, generator))

    def _recorded(self, call: spine.Call, generator: Any) -> Generator[Any, Any, Any]:
        started, seconds, items, driven = time.time(), 0.0, [], False
        sent: Any = None
        resume: Callable[[Any], Any] = generator.send
        while True:
            clock = time.perf_counter()
            try:
                item = resume(sent)
            except StopIteration as stop:
                seconds += time.perf_counter() - clock
                # What it gives when values are sent in cannot be replayed.
                if not driven:
                    spine.keep(self, call, (items, stop.value), started, seconds)
                return stop.value
            seconds += time.perf_counter() - clock
            items.append(item)
            try:
                sent, resume = (yield item), generator.send
            except GeneratorExit:
                generator.close()
                raise
            except BaseException as error:
                sent, resume = error, generator.throw
            driven = driven or sent is not None


class AsyncGeneratorMemo(Memo[P, R]):
    """A memoised asynchronous generator function: recorded when exhausted, and replayed."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return an asynchronous generator of the recorded items, or of the function's own."""
        return self._run(args, kwargs)

    async def _run(self, args: Any, kwargs: Any) -> AsyncGenerator[Any, Any]:
        mode = spine.mode_now()
        call = spine.prepare(self, args, kwargs) if mode != "off" else None
        if call is not None and mode != "refresh":
            found = spine.find(self, call)
            if found is not spine.ABSENT:
                for item in found:
                    yield item
                return
        if mode != "off":
            spine.tell_miss(self, call)
        generator: Any = self.__wrapped__(*args, **kwargs)
        started, clock, items = time.time(), time.perf_counter(), []
        try:
            async for item in generator:
                items.append(item)
                yield item
        finally:
            await generator.aclose()
        if call is not None and mode in ("use", "refresh"):
            spine.keep(self, call, items, started, time.perf_counter() - clock)


class BoundMemo:
    """A memoised method bound to its instance, which is its first argument."""

    def __init__(self, memo: Memo[..., Any], instance: Any) -> None:
        self.__func__ = memo
        self.__self__ = instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the method."""
        return self.__func__(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__func__, name)
        return partial(found, self.__self__) if name in _PER_CALL else found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundMemo):
            return NotImplemented
        return self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self.__func__.__name__)

    def __repr__(self) -> str:
        return f"<bound {self.__func__!r} of {type(self.__self__).__qualname__}>"


_PER_CALL = frozenset({"explain", "cached", "peek", "refresh", "forget"})


def plain_function(given: Any) -> FunctionType:
    """Return the Python function inside what was decorated. Raises `OptionError`."""
    seen = given
    for _ in range(100):
        if isinstance(seen, FunctionType):
            return seen
        if isinstance(seen, partial):
            seen = seen.func
        elif isinstance(seen, MethodType):
            seen = seen.__func__
        elif not isinstance(seen, type) and hasattr(seen, "__wrapped__"):
            seen = seen.__wrapped__
        else:
            break
    raise OptionError(f"{given!r} cannot be memoised.", _way_out(given))


def _way_out(given: Any) -> str:
    if isinstance(given, property):
        return "put @property above @memo"
    if isinstance(given, type):
        return "decorate a function that makes the instance"
    return "wrap it in a Python function (def or lambda)"


def _signature_of(given: Any, inner: FunctionType) -> Any:
    """What the binder is made from: partials bind arguments of their own."""
    return given if isinstance(given, (FunctionType, partial)) else inner


def _make(function: Any, options: Options) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_make(function.__func__, options))
    flags = plain_function(function).__code__.co_flags
    if flags & _COROUTINE:
        return CoroutineMemo(function, options)
    if flags & _ASYNC_GENERATOR:
        return AsyncGeneratorMemo(function, options)
    if flags & _GENERATOR:
        return GeneratorMemo(function, options)
    return Memo(function, options)


@overload
def memo(function: Callable[P, R], /) -> Memo[P, R]: ...
@overload
def memo(
    *,
    ignore: str | Iterable[str] = ...,
    version: int | str | None = ...,
    key: Callable[..., Any] | None = ...,
    local_only: bool = ...,
    ttl: Any = ...,
    depends_on: Iterable[Any] = ...,
) -> Callable[[Callable[P, R]], Memo[P, R]]: ...
def memo(
    function: Any = None,
    /,
    *,
    ignore: str | Iterable[str] = (),
    version: int | str | None = None,
    key: Callable[..., Any] | None = None,
    local_only: bool = False,
    ttl: Any = None,
    depends_on: Iterable[Any] = (),
) -> Any:
    """Memoise a function: each call is computed once, until code it depends on changes.

    Used bare or with options: `ignore` names parameters that cannot change the result; `version`
    stands for the function's own source, so that editing that alone changes nothing; `key` gives,
    from the same arguments, what to key by instead of them; `local_only` keeps results on this
    machine; `ttl` is how long a result is good for, in seconds or as a timedelta; `depends_on` adds
    functions, classes or modules that the source does not name.

    Raises `OptionError` for what cannot be memoised and for options that cannot be used.
    """
    options = checked_options(
        ignore=ignore,
        version=version,
        key=key,
        local_only=local_only,
        ttl=ttl,
        depends_on=depends_on,
        kind="memo",
    )
    return _decorate(function, options)


@overload
def experiment(function: Callable[P, R], /) -> Memo[P, R]: ...
@overload
def experiment(
    *,
    ignore: str | Iterable[str] = ...,
    version: int | str | None = ...,
    key: Callable[..., Any] | None = ...,
    local_only: bool = ...,
    depends_on: Iterable[Any] = ...,
) -> Callable[[Callable[P, R]], Memo[P, R]]: ...
def experiment(
    function: Any = None,
    /,
    *,
    ignore: str | Iterable[str] = (),
    version: int | str | None = None,
    key: Callable[..., Any] | None = None,
    local_only: bool = False,
    depends_on: Iterable[Any] = (),
) -> Any:
    """Memoise a function whose calls are kept for good and shown.

    Takes the options of `memo`, except `ttl`. Each record also keeps a summary of arguments and
    result, the time it took, the host, Python's version, and the Git commit with its dirty flag.
    """
    options = checked_options(
        ignore=ignore,
        version=version,
        key=key,
        local_only=local_only,
        ttl=None,
        depends_on=depends_on,
        kind="experiment",
    )
    return _decorate(function, options)


def _decorate(function: Any, options: Options) -> Any:
    if function is not None:
        return _make(function, options)
    return lambda given: _make(given, options)
