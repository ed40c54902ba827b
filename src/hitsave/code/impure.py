"""Impurity: sources of results that differ from run to run, where reached code touches them.

Owns telling that a reference leads to such a source. Refuses to let sources count: they are told
of, and change no digest. Which there are is next door, in `varying`.
"""

import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from hitsave.code.calls import line_of_call
from hitsave.code.dependencies import Via
from hitsave.code.inert import is_inert
from hitsave.code.project import Module
from hitsave.code.resolve import ABSENT, is_compiled
from hitsave.code.symbol import Place, Symbol
from hitsave.code.varying import (
    CLIENTS,
    CLOCK,
    DRAWING,
    NAMED,
    NETWORK,
    NO_ARGUMENT,
    RANDOM,
    SEEDS,
    TIMER,
    WHERE_CALLED_WITH,
)
from hitsave.raw import class_name, is_class, namespace_of

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

_KINDS = {name: kind for kind, names in NAMED.items() for name in names}
_OWNERS = tuple({name.rpartition(".")[0] for name in (*_KINDS, *WHERE_CALLED_WITH)})
_CLIENT_PREFIXES = tuple(f"{name}." for name in CLIENTS)
_FUNCTIONS = (FunctionType, BuiltinFunctionType)


Names = tuple[str, ...]


class Impurity(NamedTuple):
    """One source, what it gives, and the code that touches it.

    `subject` is what to name to `hitsave.inert` for this source to be passed over.
    """

    source: str
    kind: str
    owner: Symbol
    place: Place
    subject: str

    @property
    def is_timer(self) -> bool:
        """Whether it measures time only, which few results are made of."""
        return self.kind == TIMER

    def __str__(self) -> str:
        return f"uses {self.kind}: {self.source} in {self.owner} at {self.place}"


class _Found(NamedTuple):
    """What a chain of names leads to: names it goes by, and the object where it is loaded.

    `rest` are the attributes that are read of that object.
    """

    names: Names
    live: Any
    rest: Names


class _Use(NamedTuple):
    """Where a source may be touched: the module, the names as they are written, and by what.

    `passed` are the names in other modules that following these has led through.
    """

    module: Module
    names: Names
    via: Via
    passed: set[tuple[str, Names]]

    def spoken(self, found: _Found) -> str:
        """How the code itself names the object that was found."""
        length = len(self.names) - (0 if found.live is ABSENT else len(found.rest))
        return ".".join(self.names[:length])

    def called_with(self, arguments: str) -> int | None:
        """The line at which the owner calls the names with such arguments, as its text shows."""
        last = _end_line(self.module, self.via)
        return line_of_call(self.module, self.names[-1], self.via.line, last, arguments)


class Impure:
    """The sources that the code of a closure touches."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._found: dict[str, Impurity] = {}
        self._seeded: set[str] = set()

    def found(self) -> tuple[Impurity, ...]:
        """Return the sources, each once; not those of a module that is given a seed."""
        return tuple(sorted(i for i in self._found.values() if not self._is_seeded(i.source)))

    def _is_seeded(self, source: str) -> bool:
        # An object made by calling a class has a seed of its own.
        return source.rpartition(".")[0] in self._seeded and _family(source) != ""

    def note(self, module: Module, names: Names, via: Via) -> None:
        """Note what a chain of names in `module` leads to, where that is a source."""
        self._follow(module, names, _Use(module, names, via, set()))

    def note_import(self, name: str, names: Names, importer: Module, via: Via) -> None:
        """Note what is read of the module `name`, imported inside a function of `importer`."""
        if names:
            self._follow_import(name, names, _Use(importer, (name, *names), via, set()))

    # -- following ------------------------------------------------------------------------------

    def _follow(self, module: Module, names: Names, use: _Use) -> None:
        if module.namespace is not None:
            live = module.namespace.get(names[0], ABSENT)
            if live is not ABSENT:
                self._judge(self._walk("", live, names[1:]), use)
            return
        for binding in module.bindings_of(names[0]):
            if binding.kind == "import":
                name = self._closure.resolver.imported(module, binding.level, binding.module)
                first = (binding.attribute,) if binding.attribute else ()
                self._follow_import(name, first + names[1:], use)

    def _follow_import(self, name: str, names: Names, use: _Use) -> None:
        known = self._closure.resolver.project_module(name)
        if known is None:
            self._judge(self._walk(name, sys.modules.get(name, ABSENT), names), use)
        elif names and (name, names) not in use.passed:
            # Modules may import names from each other in a circle.
            use.passed.add((name, names))
            self._follow(known, names, use)

    def _walk(self, path: str, live: Any, rest: Names) -> _Found | None:
        """Follow attributes of modules; None where the user said that what is met is inert."""
        while not is_inert(live) and rest and issubclass(type(live), ModuleType):
            names = namespace_of(live) or {}
            name = str(names.get("__name__", ""))
            path = "" if self._is_ours(name) else f"{name}.{rest[0]}"
            live, rest = names.get(rest[0], ABSENT), rest[1:]
        if is_inert(live):
            return None
        known = [path] if path else []
        if live is not ABSENT and not issubclass(type(live), ModuleType):
            module, name = _name_of(_definition_of(live))
            if not self._is_ours(module):
                known.append(_own_name(live, module, name))
        return _Found(tuple(".".join((name, *rest)) for name in known), live, rest)

    def _is_ours(self, module: str) -> bool:
        return module in sys.modules and self._closure.resolver.project_module(module) is not None

    # -- judging --------------------------------------------------------------------------------

    def _judge(self, found: _Found | None, use: _Use) -> None:
        for name in found.names if found is not None else ():
            if name in SEEDS:
                if use.called_with(NO_ARGUMENT) is None:
                    self._seeded.add(SEEDS[name])
                return
            if found is not None and self._judge_one(name, found, use):
                return

    def _judge_one(self, name: str, found: _Found, use: _Use) -> bool:
        kind, line = _kind_of(name, found), use.via.line
        if name in WHERE_CALLED_WITH:
            called = use.called_with(WHERE_CALLED_WITH[name])
            if called is None:
                return False
            kind, line = CLOCK if name.startswith("time.") else RANDOM, called
        if kind and name not in self._found:
            place = use.module.place(line, line)
            subject = use.spoken(found)
            self._found[name] = Impurity(name, kind, use.via.owner, place, subject)
        return kind != ""


def _end_line(module: Module, via: Via) -> int:
    """The last line of the function that `via` tells of; of anything else, that very line."""
    name = via.owner.name.partition("#")[0]
    for definition in module.record.functions.get(name, ()) if module.record else ():
        if definition.first_line <= via.line <= definition.end_line:
            return definition.end_line
    return via.line


def _definition_of(live: Any) -> Any:
    """What says by which name an object goes: itself, the function of a method, or its class."""
    function = live.__func__ if type(live) is MethodType else live
    is_named = (
        type(function) in _FUNCTIONS or issubclass(type(function), type) or is_compiled(function)
    )
    return function if is_named else type(live)


def _name_of(definition: Any) -> tuple[str, str]:
    if is_class(definition):
        return class_name(definition)
    return str(definition.__module__), definition.__qualname__


def _own_name(live: Any, module: str, name: str) -> str:
    """The name that an object goes by wherever it is met."""
    own = name.rpartition(".")[2]
    for owner in _OWNERS:
        names = namespace_of(sys.modules.get(owner)) or {}
        if names.get(own) is live:
            return f"{owner}.{own}"
    return f"{module}.{name}"


def _family(name: str) -> str:
    """The module whose seed decides what a function draws; empty where none does."""
    module, _, last = name.rpartition(".")
    if module in DRAWING and last[:1].islower() and last not in DRAWING[module]:
        return module
    return module if _KINDS.get(name) == RANDOM else ""


def _kind_of(name: str, found: _Found) -> str:
    """What a source of this name gives; empty where it is none."""
    if name in _KINDS:
        return _KINDS[name]
    if _family(name):
        return RANDOM
    return NETWORK if name.startswith(_CLIENT_PREFIXES) and _is_of_use(name, found) else ""


def _is_of_use(name: str, found: _Found) -> bool:
    """Whether a client's object can ask anything: not an exception to catch, nor a constant."""
    live = found.live
    if live is ABSENT:
        last = name.rpartition(".")[2]
        return not (last.isupper() or last.endswith(("Error", "Exception")))
    if issubclass(type(live), type):
        return not issubclass(live, BaseException)
    return bool(found.rest) or callable(live)
