"""Setting: what changes the state of code outside the project.

Owns which names and which targets that is: seeds, options, settings of libraries. Refuses to find
the statements that do it; `effects` does.
"""

import sys
from types import FunctionType, ModuleType

from hitsave.code.definition import References, Store
from hitsave.code.names import Names
from hitsave.code.project import Module
from hitsave.code.resolve import (
    ABSENT,
    ExternalTarget,
    MissingTarget,
    ObjectTarget,
    Resolver,
    Target,
    ValueTarget,
)
from hitsave.raw import namespace_of

INERT = frozenset(
    "builtins sys warnings logging typing hitsave atexit gc faulthandler pprint traceback "
    "argparse unittest doctest pytest rich tqdm click typer asyncio contextlib functools "
    "abc enum dataclasses collections itertools operator types time importlib pkgutil "
    "multiprocessing signal threading concurrent subprocess shutil json csv pickle copyreg".split()
)
"""External modules whose functions, called at module level, change no later result: but setters."""

_SETTERS = frozenset(
    "setstate setlocale setrecursionlimit unregister_dialect field_size_limit simplefilter "
    "filterwarnings resetwarnings setcontext setdefaulttimeout setfirstweekday seterr seterrcall "
    "add_type".split()
)

_CHANGERS = frozenset(
    "add append clear discard extend insert pop popitem remove setdefault update".split()
)
"""Methods that set state where the object they are called on is a library's."""

_REGISTERS = frozenset({"atexit", "pytest"})
"""Modules with a register that no result depends on."""

_APART = frozenset({"warnings", "logging"})
"""Modules of whose tables and attributes no result depends."""

_PROCESS = {
    "os": frozenset({"environ", "environb"}),
    "sys": frozenset(
        "argv breakpointhook displayhook dont_write_bytecode excepthook meta_path modules path "
        "path_hooks path_importer_cache pycache_prefix stderr stdin stdout unraisablehook".split()
    ),
}
"""What belongs to the process: no result depends on it, or what is read of it is observed."""

Found = tuple[Target, Names]
"""What a chain leads to through modules, and the names asked of that."""


def is_setter_name(name: str) -> bool:
    """Whether a function of this name, called for its effect, sets state: a seed, an option."""
    return "seed" in name or name.startswith(("set_", "register")) or name in _SETTERS


def is_setter(resolver: Resolver, found: Found, name: str) -> bool:
    """Whether calling what was found, by a chain that ends with `name`, sets state outside."""
    is_change = name in _CHANGERS
    outside = _outside(resolver, found[0]) if is_change or is_setter_name(name) else None
    if outside is None:
        return False
    steps = found[1]
    if is_change:
        # A function of that name, `operator.add`, changes nothing.
        return bool(steps) and _is_relevant(outside, steps) and _is_object(outside, steps[:-1])
    return outside.module not in _REGISTERS


def sets_outside(resolver: Resolver, module: Module, references: References) -> bool:
    """Whether a function sets state outside through what it imports itself, or stores into."""
    return any(
        imported.attributes
        and is_setter(
            resolver,
            _imported(resolver, module, imported.level, imported.module, imported.attributes),
            imported.attributes[-1],
        )
        for imported in references.imports
    ) or any(stores_outside(resolver, module, store) for store in references.stores)


def stores_outside(resolver: Resolver, module: Module, store: Store) -> bool:
    """Whether setting an attribute or item sets state outside the project."""
    if store.level or store.module:
        target, steps = _imported(resolver, module, store.level, store.module, store.names)
    else:
        target, steps = resolver.chain(module, store.names)
    outside = _outside(resolver, target)
    return outside is not None and _is_relevant(outside, (*steps, store.attribute))


def _imported(resolver: Resolver, module: Module, level: int, name: str, names: Names) -> Found:
    """Return what a chain leads to that begins with a module which a function imports."""
    whole = resolver.imported(module, level, name)
    return resolver.along(resolver.module(whole) or MissingTarget(whole), names)


def _outside(resolver: Resolver, target: Target) -> ExternalTarget | None:
    """Return a target that is outside the project, by the name that it has there."""
    return target if isinstance(target, ExternalTarget) else foreign_singleton(resolver, target)


def _is_relevant(target: ExternalTarget, steps: Names) -> bool:
    """Whether a result may depend on what is set of a module, and nobody would observe it."""
    top = target.module.partition(".")[0]
    return top not in _APART and (target.name or steps[0]) not in _PROCESS.get(top, ())


def _is_object(target: ExternalTarget, steps: Names) -> bool:
    """Whether steps lead through modules to an object that is none: to a table, to options."""
    owner: object = sys.modules.get(target.module)
    for step in (target.name, *steps) if target.name else steps:
        if not isinstance(owner, ModuleType):
            return False
        owner = (namespace_of(owner) or {}).get(step)
    return owner is not None and not isinstance(owner, (ModuleType, FunctionType, type))


def foreign_singleton(resolver: Resolver, target: Target) -> ExternalTarget | None:
    """Return where a name is imported from outside: `os.environ`, a library's global settings."""
    if not isinstance(target, ValueTarget):
        return None
    module, name, live = target
    bindings = module.bindings_of(name)
    if not bindings or any(binding.kind != "import" for binding in bindings):
        return None
    for binding in bindings:
        source = resolver.imported(module, binding.level, binding.module)
        if resolver.project_module(source) is None:
            return ExternalTarget(source, binding.attribute)
    imported = resolver.imported_outside(module, name, live)
    return None if imported is None else ExternalTarget(*imported)


def is_external_state(resolver: Resolver, target: Target) -> bool:
    """Whether a statement that touches a target may change a later result."""
    if isinstance(target, ExternalTarget):
        return target.module.partition(".")[0] not in INERT
    if isinstance(target, ValueTarget) and target.live is not ABSENT:
        found = resolver.of_object(target.live)
        return isinstance(found, ObjectTarget) and _outside(resolver, target) is not None
    return False
