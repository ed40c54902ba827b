"""Bound: how a name of a module that is not loaded comes to lead to what it leads to.

Owns what decides between several statements that may bind it: their order and their conditions.
Refuses to say what it leads to, which is the resolver's. In a loaded module, the name says it.
"""

from typing import TYPE_CHECKING

from hitsave.code.definition import Binding, Part, StarImport
from hitsave.code.dependencies import Via
from hitsave.code.project import Module
from hitsave.code.resolve import ExternalTarget, MissingTarget, ModuleTarget, Target
from hitsave.code.symbol import Facet
from hitsave.digest import digest_parts

if TYPE_CHECKING:
    from hitsave.code.closure import Closure

Statement = Binding | StarImport


def count_conditions(closure: "Closure", module: Module, name: str, via: Via) -> None:
    """Count what decides how a global of a module that is not loaded is bound.

    Also where it is imported from a second module, and so on. Of a name bound once, without a
    condition, there is nothing to count; of one bound to values only, their statements say it all.
    """
    record = module.record
    if module.namespace is not None or record is None:
        return
    if not closure.once(("condition", module.source.module, name)):
        return
    bindings = record.bindings.get(name, ())
    stars = tuple(star for star in record.stars if _may_bind(closure, module, star, name))
    if stars or any(binding.kind != "value" for binding in bindings):
        _count(closure, module, name, sorted((*bindings, *stars), key=_line), via)
    for binding in bindings:
        if binding.kind == "import" and binding.attribute:
            imported = closure.resolver.imported(module, binding.level, binding.module)
            source = closure.resolver.project_module(imported)
            if source is not None:
                count_conditions(closure, source, binding.attribute, via)
    for star in stars:
        _reach_starred(closure, module, star, name, len(bindings) + len(stars), via)


def _count(
    closure: "Closure", module: Module, name: str, statements: list[Statement], via: Via
) -> None:
    conditions = [condition for condition in map(_condition, statements) if condition is not None]
    if len(statements) == 1 and not conditions:
        return
    first = conditions[0] if conditions else None
    lines = (first.line, first.end_line) if first else (_line(statements[0]),)
    place = module.place(*lines)
    symbol = module.symbol(name)
    token = digest_parts("conditions", [_token(statement) for statement in statements])
    closure.count(symbol, Facet.DEFINITION, token, place, via, (module, place))
    for condition in conditions:
        closure.follow(condition, module, symbol)
        for reference in condition.references.imports:
            source = closure.resolver.imported(module, reference.level, reference.module)
            # What is imported from a package may be a module.
            _count_success(closure, ".".join((source, *reference.attributes[:1])), via)


def _count_success(closure: "Closure", name: str, via: Via) -> None:
    """Count what decides whether an import succeeds: what the module does besides binding names.

    That a value cannot be computed is not foreseen.
    """
    package = name.rpartition(".")[0]
    if package:
        _count_success(closure, package, via)
    module = closure.resolver.project_module(name)
    if module is None or module.namespace is not None or module.record is None:
        return
    if not closure.once(("success", name)):
        return
    for effect in module.record.effects:
        part = effect.part
        symbol = module.symbol(f"<statement {part.digest.hex()[:8]}>")
        place = module.place(part.line, part.end_line)
        closure.count(symbol, Facet.SHAPE, part.digest, place, via, (module, place))
        closure.follow(part, module, symbol)
    bindings = (binding for found in module.record.bindings.values() for binding in found)
    imports = [(b.level, b.module) for b in bindings if b.kind == "import" and not b.condition]
    stars = [(star.level, star.module) for star in module.record.stars if not star.condition]
    for level, source in dict.fromkeys((*imports, *stars)):
        _count_success(closure, closure.resolver.imported(module, level, source), via)


def _token(statement: Statement) -> bytes:
    """What tells a statement from the others that bind the name, other than what it binds."""
    condition = _condition(statement)
    digest = condition.digest.hex() if condition is not None else ""
    if isinstance(statement, StarImport):
        return f"* {statement.level} {statement.module} {digest}".encode()
    if statement.kind != "import":
        return f"{statement.kind} {digest}".encode()
    where = f"{statement.level} {statement.module} {statement.attribute}"
    return f"import {where} {digest}".encode()


def _condition(statement: Statement) -> Part | None:
    return statement.condition


def _line(statement: Statement) -> int:
    return statement.line if isinstance(statement, StarImport) else statement.part.line


# -- star imports -------------------------------------------------------------------------------


def _may_bind(closure: "Closure", module: Module, star: StarImport, name: str) -> bool:
    if closure.resolver.through_star(module, star, name) is not None:
        return True
    # Not found, or not the project's: whether it binds the name is for others to say.
    return star.condition is not None and _origin(closure, module, star) is None


def _origin(closure: "Closure", module: Module, star: StarImport) -> Target | None:
    return closure.resolver.module(closure.resolver.imported(module, star.level, star.module))


def _reach_starred(
    closure: "Closure", module: Module, star: StarImport, name: str, ways: int, via: Via
) -> None:
    origin = _origin(closure, module, star)
    if not isinstance(origin, ModuleTarget):
        return
    source = origin.module
    count_conditions(closure, source, name, via)
    target = closure.resolver.name(source, name)
    if ways > 1 and not isinstance(target, (MissingTarget, ExternalTarget)):
        # Which of them wins is decided when the module is executed: each counts.
        closure.reach(target, via)
