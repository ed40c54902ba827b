"""The decorators.

Owns what can be memoised, and which kind of memoised function it becomes. Refuses to run it.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, overload

from hitsave.memo.arguments import plain_function
from hitsave.memo.memoised import Memo, MemoClassMethod
from hitsave.memo.options import Options, checked_options
from hitsave.memo.shapes import AsyncGeneratorMemo, CoroutineMemo, GeneratorMemo

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

NOT_GIVEN: Any = object()
"""Stands for no function: the decorator is used with options, or with brackets."""

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200
"""Flags of code objects; `inspect`, which names them, costs 17 ms to import."""


def _make(function: Any, options: Options) -> Any:
    if isinstance(function, staticmethod):
        return staticmethod(_make(function.__func__, options))
    if isinstance(function, classmethod):
        return MemoClassMethod(_make(function.__func__, options))
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
    ttl: float | timedelta | None = ...,
    depends_on: Iterable[Any] = ...,
) -> Callable[[Callable[P, R]], Memo[P, R]]: ...
def memo(
    function: Any = NOT_GIVEN,
    /,
    *,
    ignore: str | Iterable[str] = (),
    version: int | str | None = None,
    key: Callable[..., Any] | None = None,
    local_only: bool = False,
    ttl: float | timedelta | None = None,
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
    function: Any = NOT_GIVEN,
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
    if function is not NOT_GIVEN:
        return _make(function, options)
    return lambda given: _make(given, options)
