"""Options of the decorators, checked at decoration so that a mistake is told where it was made."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from hitsave.errors import OptionError


class Options(NamedTuple):
    """How a function is memoised; see `hitsave.memo`."""

    ignore: tuple[str, ...] = ()
    version: int | str | None = None
    key: Callable[..., Any] | None = None
    local_only: bool = False
    ttl: float | None = None
    depends_on: tuple[Any, ...] = ()
    kind: str = "memo"


def checked_options(
    *,
    ignore: str | Iterable[str],
    version: int | str | None,
    key: Callable[..., Any] | None,
    local_only: bool,
    ttl: float | timedelta | None,
    depends_on: Iterable[Any],
    kind: str,
) -> Options:
    """Return the options. Raises `OptionError` for one that cannot be accepted."""
    if key is not None and not callable(key):
        raise _refused("key", key, "a function of the same arguments that returns what to key by")
    if not isinstance(local_only, bool):
        raise _refused("local_only", local_only, "True or False")
    if version is not None and (isinstance(version, bool) or not isinstance(version, (int, str))):
        raise _refused("version", version, "an int or a str")
    names = _names(ignore)
    if key is not None and names:
        raise OptionError("key and ignore cannot be used together.", "key stands for all arguments")
    return Options(
        ignore=names,
        version=version,
        key=key,
        local_only=local_only,
        ttl=_seconds(ttl),
        depends_on=_added(depends_on),
        kind=kind,
    )


def _names(ignore: Any) -> tuple[str, ...]:
    names = (ignore,) if isinstance(ignore, str) else ignore
    if not isinstance(names, (tuple, list, set, frozenset)):
        raise _refused("ignore", ignore, "a parameter's name, or several")
    if not all(isinstance(name, str) for name in names):
        raise _refused("ignore", ignore, "a parameter's name, or several")
    return tuple(names)


def _seconds(ttl: Any) -> float | None:
    if ttl is None:
        return None
    if isinstance(ttl, (int, float)) and not isinstance(ttl, bool) and ttl > 0:
        return float(ttl)
    if isinstance(ttl, timedelta) and ttl > timedelta(0):
        return ttl.total_seconds()
    raise _refused("ttl", ttl, "a number of seconds above 0, or a timedelta")


def _added(depends_on: Any) -> tuple[Any, ...]:
    if isinstance(depends_on, (str, bytes)) or not isinstance(depends_on, (tuple, list)):
        raise _refused("depends_on", depends_on, "a list of functions, classes or modules")
    for added in depends_on:
        if not callable(added) and not hasattr(added, "__spec__"):
            raise _refused("depends_on", added, "a list of functions, classes or modules")
    return tuple(depends_on)


def _refused(name: str, value: Any, takes: str) -> OptionError:
    return OptionError(f"{name}={value!r} cannot be used.", f"{name} takes {takes}")
