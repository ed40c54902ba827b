"""Memoised functions: the object that stands in for a function.

Owns what a memoised function looks like to its callers, and the questions that can be asked of it.
Refuses to know how a call is keyed or recorded: `call` and `record` do.
"""

import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial, update_wrapper
from types import CodeType, FunctionType, MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    NamedTuple,
    ParamSpec,
    TypeVar,
    cast,
    overload,
)

from hitsave.code.dependencies import Dependency
from hitsave.code.project import canonical_name
from hitsave.code.tracker import Declared
from hitsave.digest import digest_parts
from hitsave.errors import DamagedError, MissError, UnkeyedError
from hitsave.memo import call as spine
from hitsave.memo.arguments import make_binder, plain_function
from hitsave.memo.around import spoil
from hitsave.memo.known import KnownSets
from hitsave.memo.modes import REFRESH_ALWAYS, mode_now
from hitsave.memo.options import Options
from hitsave.memo.record import end, history_prefix, keep
from hitsave.session import Session, current
from hitsave.store import CallRecord, Table

if TYPE_CHECKING:
    from hitsave.memo.explain import Explanation

P = ParamSpec("P")
Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
M = TypeVar("M", bound="Memo[..., Any]")


class CacheInfo(NamedTuple):
    """How often a memoised function hit and missed in this process."""

    hits: int
    misses: int


class Memo(Generic[P, R_co]):
    """A memoised function. Called like the function itself, which is `__wrapped__`."""

    # In slots, so that `functools.wraps` over a memo copies nothing but what a function has.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_hits",
        "_known",
        "_misses",
        "_plans",
        "argument_names",
        "binder",
        "declared",
        "identity",
        "options",
        "root",
        "roots",
        "symbol",
    )

    __name__: str
    __qualname__: str
    __wrapped__: Callable[P, R_co]

    def __init__(self, function: Callable[P, R_co], options: Options) -> None:
        named = plain_function(function)
        update_wrapper(self, function if isinstance(function, FunctionType) else named)
        self.__wrapped__ = function
        self.options = options
        self.root: Any = function
        self.roots = (function,)
        self.binder = make_binder(function, options.ignore)
        own_key = options.key
        self.argument_names = self.binder.names if own_key is None else ("key",)
        added = options.depends_on if own_key is None else (*options.depends_on, own_key)
        version = "" if options.version is None else repr(options.version)
        self.declared = Declared(version, added)
        self.symbol = f"{canonical_name(str(named.__module__))}:{named.__qualname__}"
        self.identity = _identity(self.symbol, self.argument_names, own_key)
        self._known: KnownSets | None = None
        self._plans: KnownSets | None = None
        self._hits = 0
        self._misses = 0

    # -- calling --------------------------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Return the recorded result of this call, or run the function and record it."""
        mode = mode_now()
        if mode.name == "off":
            spoil()
            return self.__wrapped__(*args, **kwargs)
        call = spine.begin(self, args, kwargs, mode)
        found = spine.find(call)
        if found is not spine.ABSENT:
            if mode.name == "verify":
                self._verify(call, found, args, kwargs)
            return cast("R_co", found)
        if call is None or not spine.is_recorded(call):
            return self.__wrapped__(*args, **kwargs)
        with spine.lease(call):
            found = spine.find_after_waiting(call)
            if found is not spine.ABSENT:
                if mode.name == "verify":
                    self._verify(call, found, args, kwargs)
                return cast("R_co", found)
            before = spine.start(call)
            try:
                result = self.__wrapped__(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - before.clock
                end(before)
            keep(call, result, before, seconds)
        return result

    def _verify(self, call: spine.Call | None, found: Any, args: Any, kwargs: Any) -> None:
        from hitsave.memo.verify import verify  # only that mode needs it

        function: Any = self.__wrapped__
        verify(call, found, lambda: self._contents(function(*args, **kwargs)))

    def _contents(self, given: Any) -> Any:
        """Return what is recorded of what the function gives."""
        return given

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Run the function whatever is recorded of this call, and record the result.

        Memoised functions that it calls in turn are looked up as ever.
        """
        call = spine.begin(self, args, kwargs, REFRESH_ALWAYS)
        if call is None:
            return self.__wrapped__(*args, **kwargs)
        before = spine.start(call)
        try:
            result = self.__wrapped__(*args, **kwargs)
        finally:
            seconds = time.perf_counter() - before.clock
            end(before)
        keep(call, result, before, seconds)
        return result

    # Reached through its class, a class method has a first argument less; mypy cannot tell.
    @overload
    def __get__(self, instance: None, owner: type | None = None) -> "Memo[..., R_co]": ...
    @overload
    def __get__(
        self: "Memo[Concatenate[Any, Q], T]", instance: object, owner: type | None = None
    ) -> "BoundMemo[Q, T]": ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to an instance, as a function in a class does."""
        return self if instance is None else BoundMemo(self, instance)

    def count_hit(self) -> None:
        """Note a hit."""
        self._hits += 1

    def count_miss(self) -> None:
        """Note a miss."""
        self._misses += 1

    # -- questions ------------------------------------------------------------------------------

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> "Explanation":
        """Say whether this call hits; if not, what differs from the nearest earlier call.

        Returns an `Explanation`, whose text is `str(...)`. Nothing is run or recorded.
        """
        # Loaded when asked: it needs `difflib`.
        from hitsave.memo.explain import explain_call

        return explain_call(self, args, kwargs)

    def cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether this call would hit, as far as can be told without running anything.

        See `Explanation.deciding`.
        """
        try:
            return spine.find_record(spine.ask(self, args, kwargs)) is not None
        except (UnkeyedError, DamagedError):
            return False

    @overload
    def peek(self: "Memo[Q, Coroutine[Any, Any, T]]", *args: Q.args, **kwargs: Q.kwargs) -> T: ...
    @overload
    def peek(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    def peek(self, *args: Any, **kwargs: Any) -> Any:
        """Return the recorded result without ever running the function.

        Of a coroutine function, what awaiting it would give. Raises `MissError` where there is
        none.
        """
        try:
            found = spine.find(spine.ask(self, args, kwargs))
        except UnkeyedError as error:
            raise MissError(f"{self.symbol} has no recorded result: {error.message}") from error
        if found is spine.ABSENT:
            raise MissError(f"{self.symbol} has no recorded result for this call.", "call it")
        return self._replayed(found)

    def _replayed(self, found: Any) -> Any:
        """Return what was recorded in the form in which a call gives it."""
        return found

    def dependencies(self) -> tuple[Dependency, ...]:
        """Return everything that a call of this function depends on, besides its arguments."""
        session = current()
        # Of the latest kind of call; of all that is reachable where none is recorded.
        among = self.known_sets(session).latest
        return session.tracker.track(self.roots, self.declared, among).manifest.dependencies

    def known_sets(self, session: Session) -> KnownSets:
        """The dependency sets that this function's results may be recorded under."""
        if self._known is None or self._known.session is not session:
            self._known = KnownSets(session, self.identity)
        return self._known

    def known_plans(self, session: Session) -> KnownSets:
        """The dependency sets that this function's plans for early cutoff are kept under."""
        from hitsave.memo.cutoff import known_plans  # only a miss asks

        if self._plans is None or self._plans.session is not session:
            self._plans = known_plans(session, self.identity)
        return self._plans

    def calls(self) -> list[CallRecord]:
        """Return the records of this function's latest calls, newest first."""
        from hitsave.memo.recent import recent_calls  # see `explain`

        return recent_calls(current(), self.symbol)

    def cache_info(self) -> CacheInfo:
        """How often this function hit and missed in this process."""
        return CacheInfo(self._hits, self._misses)

    # -- changing what is recorded --------------------------------------------------------------

    def forget(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Remove the recorded result of this call. Returns whether there was one."""
        try:
            call = spine.ask(self, args, kwargs)
        except UnkeyedError:
            return False
        store = call.session.store
        keys = [candidate.key for candidate in call.candidates()]
        found = [key for key in keys if store.get(Table.CALLS, key) is not None]
        if found:
            for table in (Table.CALLS, Table.PINS, Table.USES):
                store.delete(table, found)
        return bool(found)

    def cache_clear(self) -> None:
        """Remove every recorded result of this function, and reset `cache_info`."""
        store, prefix = current().store, history_prefix(self.symbol)
        while found := store.scan(Table.HISTORY, prefix, limit=1000):
            store.delete(Table.CALLS, [key for _, key in found])
            store.delete(Table.HISTORY, [moment for moment, _ in found])
        self._hits = self._misses = 0

    # -- looking like the function --------------------------------------------------------------

    # With these three `inspect` sees what kind of function this is.

    @property
    def __code__(self) -> CodeType:
        return plain_function(self.__wrapped__).__code__

    @property
    def __defaults__(self) -> tuple[Any, ...] | None:
        return plain_function(self.__wrapped__).__defaults__

    @property
    def __kwdefaults__(self) -> dict[str, Any] | None:
        return plain_function(self.__wrapped__).__kwdefaults__

    def __copy__(self: M) -> M:
        return self

    def __deepcopy__(self: M, copied: dict[int, Any]) -> M:
        # Like a function: its copy is itself.
        return self

    def __reduce__(self) -> Any:
        # By name like a function, so that it can be sent to another process; from the function
        # where the name leads to that (`quick = memo(slow)`).
        is_found = _named(self.__module__, self.__qualname__) is self
        if is_found and not (self.__module__ == "__main__" and _is_pickled_by_value()):
            return self.__qualname__
        return type(self), (self.__wrapped__, self.options)

    def __hitsave_digest__(self) -> object:
        """What counts where this is an argument of another call."""
        return self.identity, self.options.version, self.__wrapped__

    def __repr__(self) -> str:
        return f"<memo {self.symbol}>"


def _identity(symbol: str, names: tuple[str, ...], own_key: Any) -> bytes:
    """What tells the calls of this memo from those of others, and under other options."""
    parts = [symbol, *names]
    if own_key is not None:
        parts.append(f"{getattr(own_key, '__module__', '')}:{getattr(own_key, '__qualname__', '')}")
    return digest_parts("call", [part.encode() for part in parts])


def _named(module: str, qualified: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in qualified.split("."):
        found = getattr(found, name, None)
    return found


def _is_pickled_by_value() -> bool:
    """Whether cloudpickle (of joblib, dask, ray) asks, which sends the main program's functions.

    Its workers have another main program, so a name would lead nowhere there.
    """
    frame = sys._getframe(2)
    return "cloudpickle" in str(frame.f_globals.get("__name__"))


if TYPE_CHECKING:

    class _Partial(Generic[Q, R_co]):
        """What a bound memo has of `partial`, with the types of the method."""

        func: Any
        args: tuple[Any, ...]

        def __init__(self, memo: Any, instance: Any) -> None: ...
        def __call__(self, *args: Q.args, **kwargs: Q.kwargs) -> R_co: ...

else:

    class _Partial(partial, Generic[Q, R_co]):
        """Python itself calls the function then: no frame more, in time and stack."""


class BoundMemo(_Partial[Q, R_co]):
    """A memoised method bound to its instance, which is its first argument."""

    @property
    def __self__(self) -> Any:
        return self.args[0]

    @property
    def __func__(self) -> Any:
        # A memo; as that, type checkers would bind it again.
        return self.func

    @property
    def __wrapped__(self) -> Callable[Q, R_co]:
        """The method itself, bound."""
        return MethodType(self.__func__.__wrapped__, self.__self__)

    def explain(self, *args: Q.args, **kwargs: Q.kwargs) -> "Explanation":
        """See `Memo.explain`."""
        found: Explanation = self.__func__.explain(self.__self__, *args, **kwargs)
        return found

    def cached(self, *args: Q.args, **kwargs: Q.kwargs) -> bool:
        """See `Memo.cached`."""
        found: bool = self.__func__.cached(self.__self__, *args, **kwargs)
        return found

    @overload
    def peek(
        self: "BoundMemo[Q, Coroutine[Any, Any, T]]", *args: Q.args, **kwargs: Q.kwargs
    ) -> T: ...
    @overload
    def peek(self, *args: Q.args, **kwargs: Q.kwargs) -> R_co: ...
    def peek(self, *args: Any, **kwargs: Any) -> Any:
        """See `Memo.peek`."""
        return self.__func__.peek(self.__self__, *args, **kwargs)

    def refresh(self, *args: Q.args, **kwargs: Q.kwargs) -> R_co:
        """See `Memo.refresh`."""
        found: R_co = self.__func__.refresh(self.__self__, *args, **kwargs)
        return found

    def forget(self, *args: Q.args, **kwargs: Q.kwargs) -> bool:
        """See `Memo.forget`."""
        found: bool = self.__func__.forget(self.__self__, *args, **kwargs)
        return found

    def __get__(self, instance: Any, owner: type | None = None) -> "BoundMemo[Q, R_co]":
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__func__, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundMemo):
            return NotImplemented
        return self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def __copy__(self) -> "BoundMemo[Q, R_co]":
        return self

    def __deepcopy__(self, copied: dict[int, Any]) -> "BoundMemo[Q, R_co]":
        from copy import deepcopy  # loaded already by whoever asks

        return BoundMemo(self.__func__, deepcopy(self.__self__, copied))

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.__self__, self.__func__.__name__)

    def __hitsave_digest__(self) -> object:
        """What counts where this is an argument of another call."""
        return self.__func__, self.__self__

    def __repr__(self) -> str:
        return f"<bound {self.__func__!r} of {type(self.__self__).__qualname__}>"


class MemoClassMethod(classmethod):  # type: ignore[type-arg]
    """A memoised class method: `@memo` above `@classmethod`."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind to the class, by which the method is reached."""
        # From Python 3.13 a class method no longer asks what it wraps to bind itself.
        memo: Any = self.__func__
        return BoundMemo(memo, type(instance) if owner is None else owner)
