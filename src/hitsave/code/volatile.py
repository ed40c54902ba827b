"""Volatile globals: those that have another value in each process.

Owns telling them by the statements that bind them: the clock, chance without a seed, identities,
and what is computed from such a global. Comparing their values would never find two alike.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hitsave.code.calls import line_of_call
from hitsave.code.definition import Chain, Part
from hitsave.code.project import Module
from hitsave.code.resolve import (
    ClassTarget,
    ExternalTarget,
    ModuleTarget,
    ValueTarget,
)
from hitsave.code.symbol import Symbol
from hitsave.code.varying import GENERATORS, NO_ARGUMENT, VOLATILE

if TYPE_CHECKING:
    from hitsave.code.closure import Closure


class Volatile:
    """The globals and class-level bindings that were asked about."""

    def __init__(self, closure: "Closure") -> None:
        self._closure = closure
        self._known: dict[Symbol, bool] = {}

    def is_volatile(self, symbol: Symbol) -> bool:
        """Whether a statement draws a global's value, or computes it from what is drawn."""
        if symbol not in self._known:
            self._known[symbol] = False  # one that is computed from itself
            self._known[symbol] = any(
                self._draws(module, chain, part)
                or any(map(self.is_volatile, self._read(module, owner, chain)))
                for module, owner, part in self._parts(symbol)
                for chain in part.references.chains
            )
        return self._known[symbol]

    def _draws(self, module: Module, chain: Chain, part: Part) -> bool:
        names = chain.names
        if names[-1] in ("id", "hash") or ".".join(names[-2:]) in VOLATILE:
            return True
        if not any(name in GENERATORS for name in self._external_names(module, names)):
            return False
        last = max(chain.line, part.end_line)
        return line_of_call(module, names[-1], chain.line, last, NO_ARGUMENT) is not None

    def _external_names(self, module: Module, names: tuple[str, ...]) -> Iterator[str]:
        """The names that something of the outside goes by: its own, and as it was imported."""
        target = self._closure.resolver.name(module, names[0])
        if isinstance(target, ExternalTarget):
            yield ".".join(filter(None, (target.module, target.name, *names[1:])))
        for binding in module.bindings_of(names[0]):
            if binding.kind == "import":
                yield ".".join(filter(None, (binding.module, binding.attribute, *names[1:])))

    # -- what a statement reads -----------------------------------------------------------------

    def _parts(self, symbol: Symbol) -> Iterator[tuple[Module, str, Part]]:
        """The statements that bind a symbol, with their module and the class they are in."""
        module = self._closure.resolver.named(symbol.module)
        if module is None or module.record is None:
            return
        owner = symbol.name.rpartition(".")[0]
        for binding in module.bindings_of(symbol.name):
            if binding.kind == "value":
                yield module, owner, binding.part

    def _read(self, module: Module, owner: str, chain: Chain) -> Iterator[Symbol]:
        """The global or class-level binding that a chain of names reads."""
        resolver, names = self._closure.resolver, chain.names
        if owner and module.bindings_of(f"{owner}.{names[0]}"):
            yield module.symbol(f"{owner}.{names[0]}")
            return
        target, rest = resolver.name(module, names[0]), names[1:]
        while rest and isinstance(target, ModuleTarget):
            target, rest = resolver.name(target.module, rest[0]), rest[1:]
        if isinstance(target, ValueTarget):
            yield target.module.symbol(target.name)
        elif isinstance(target, ClassTarget) and rest:
            yield target.module.symbol(f"{target.name}.{rest[0]}")
