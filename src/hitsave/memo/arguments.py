"""Arguments: from how a call is written to the values of its parameters.

Owns the binder, generated once per function with the function's own parameter list: Python then
binds, twenty times as fast as `Signature.bind`. Refuses to digest.
"""

from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from hitsave.config import suggestion
from hitsave.errors import OptionError


class Parameters(NamedTuple):
    """A function's parameters by kind, with the defaults it has now."""

    positional_only: tuple[str, ...]
    positional: tuple[str, ...]
    variadic: str
    keyword_only: tuple[str, ...]
    keywords: str
    defaults: dict[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter, in the order of the signature."""
        found = [*self.positional_only, *self.positional]
        found += [self.variadic] if self.variadic else []
        found += self.keyword_only
        found += [self.keywords] if self.keywords else []
        return tuple(found)


Bind = Callable[..., tuple[Any, ...]]


class Binder(NamedTuple):
    """Binds a call: `bind(*args, **kwargs)` gives one value for each of `names`."""

    names: tuple[str, ...]
    bind: Bind

    def fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether these arguments can be bound at all."""
        try:
            self.bind(*args, **kwargs)
        except TypeError:
            return False
        return True


def parameters_of(function: FunctionType) -> Parameters:
    """Read a function's parameters from its code object."""
    code = function.__code__
    names = code.co_varnames
    count, only = code.co_argcount, code.co_kwonlyargcount
    positional = names[:count]
    end = count + only
    variadic = names[end] if code.co_flags & 0x04 else ""
    keywords = names[end + bool(variadic)] if code.co_flags & 0x08 else ""
    given = function.__defaults__ or ()
    defaults = dict(zip(positional[count - len(given) :], given, strict=True))
    defaults.update(function.__kwdefaults__ or {})
    return Parameters(
        positional[: code.co_posonlyargcount],
        positional[code.co_posonlyargcount :],
        variadic,
        names[count:end],
        keywords,
        defaults,
    )


def plain_function(given: Any) -> FunctionType:
    """Return the Python function inside what was decorated. Raises `OptionError`."""
    seen: Any = given
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
    if isinstance(given, property) or type(given).__name__ == "cached_property":
        return f"put @{type(given).__name__} above @memo"
    if isinstance(given, type):
        return "decorate a function that makes the instance, or the methods"
    if callable(given):
        return "wrap it in a Python function (def or lambda)"
    return "decorate a function, and give options by name"


def make_binder(function: Any, ignore: tuple[str, ...]) -> Binder:
    """Make the binder of what is memoised, leaving the parameters in `ignore` out.

    Raises `OptionError` where `ignore` names no parameter.
    """
    if isinstance(function, partial):
        inner = make_binder(function.func, ignore)
        return Binder(inner.names, partial(inner.bind, *function.args, **function.keywords))
    if isinstance(function, MethodType):
        inner = make_binder(function.__func__, ignore)
        return Binder(inner.names, partial(inner.bind, function.__self__))
    plain = plain_function(function)
    parameters = parameters_of(plain)
    for name in ignore:
        if name not in parameters.names:
            raise OptionError(
                f"ignore names {name!r}, which is no parameter of {plain.__qualname__}.",
                suggestion(name, list(parameters.names)),
            )
    kept = tuple(name for name in parameters.names if name not in ignore)
    bind = _compile(parameters, kept)
    # Python names it where arguments do not fit.
    bind.__qualname__ = plain.__qualname__
    return Binder(kept, bind)


def _compile(parameters: Parameters, kept: tuple[str, ...]) -> Bind:
    """Compile a function with the same parameters that returns those in `kept` as a tuple."""
    # Names of parameters are identifiers, so nothing else can get into the text.
    held = {name: f"default_{number}" for number, name in enumerate(parameters.defaults)}

    def written(name: str) -> str:
        return f"{name}={held[name]}" if name in held else name

    texts = [written(name) for name in parameters.positional_only]
    texts += ["/"] if parameters.positional_only else []
    texts += [written(name) for name in parameters.positional]
    if parameters.variadic:
        texts.append("*" + parameters.variadic)
    elif parameters.keyword_only:
        texts.append("*")
    texts += [written(name) for name in parameters.keyword_only]
    texts += ["**" + parameters.keywords] if parameters.keywords else []
    result = "".join(f"{name}, " for name in kept)
    namespace = {held[name]: value for name, value in parameters.defaults.items()}
    exec(f"def bind({', '.join(texts)}):\n    return ({result})", namespace)
    bind: Bind = namespace["bind"]
    return bind
