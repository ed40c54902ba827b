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
    ModuleTarget,
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
    target, steps = found
    if isinstance(target, ExternalTarget):
        if name in _CHANGERS:
            return _is_relevant(target, steps) and _is_object(target, steps[:-1])
        return is_setter_name(name) and target.module not in _REGISTERS
    sets = is_setter_name(name) or (name in _CHANGERS and len(steps) == 1)
    return sets and is_foreign_singleton(resolver, target)


def sets_outside(resolver: Resolver, module: Module, references: References) -> bool:
    """Whether a function sets state outside through what it imports itself, or stores into."""
    for level, name, attributes, _ in references.imports:
        if attributes:
            found = _imported(resolver, module, level, name, attributes)
            if is_setter(resolver, found, attributes[-1]):
                return True
    return any(stores_outside(resolver, module, store) for store in references.stores)


def stores_outside(resolver: Resolver, module: Module, store: Store) -> bool:
    """Whether setting an attribute or item sets state outside the project."""
    level, name, names, attribute = store
    is_global = not level and not name
    target, steps = (
        resolver.chain(module, names)
        if is_global
        else _imported(resolver, module, level, name, names)
    )
    if isinstance(target, ExternalTarget):
        return _is_relevant(target, (*steps, attribute))
    return is_external_state(resolver, target)


def _imported(resolver: Resolver, module: Module, level: int, name: str, names: Names) -> Found:
    whole = resolver.imported(module, level, name)
    source = resolver.project_module(whole)
    if source is None:
        return ExternalTarget(whole, ""), names
    return resolver.chain(source, names) if names else (ModuleTarget(source), ())


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


def is_foreign_singleton(resolver: Resolver, target: Target) -> bool:
    """Whether a name is imported from outside: `os.environ`, a library's global settings."""
    if not isinstance(target, ValueTarget):
        return False
    module, name, live = target
    bindings = module.bindings_of(name)
    if not bindings or any(binding.kind != "import" for binding in bindings):
        return False
    sources = [resolver.imported(module, b.level, b.module) for b in bindings]
    if any(resolver.project_module(source) is None for source in sources):
        return True
    return resolver.imported_outside(module, name, live) is not None


def is_external_state(resolver: Resolver, target: Target) -> bool:
    """Whether a statement that touches a target may change a later result."""
    if isinstance(target, ExternalTarget):
        return target.module.partition(".")[0] not in INERT
    if isinstance(target, ValueTarget) and target.live is not ABSENT:
        found = resolver.of_object(target.live)
        return isinstance(found, ObjectTarget) and is_foreign_singleton(resolver, target)
    return False
