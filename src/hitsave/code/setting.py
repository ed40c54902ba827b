"""Setting: what changes the state of code outside the project.

Owns which names and which targets that is: seeds, options, settings of libraries. Refuses to find
the statements that do it; `effects` does.
"""

from hitsave.code.resolve import ABSENT, ExternalTarget, ObjectTarget, Resolver, Target, ValueTarget

INERT = frozenset(
    "builtins sys warnings logging typing hitsave atexit gc faulthandler pprint traceback "
    "argparse unittest doctest pytest rich tqdm click typer asyncio contextlib functools "
    "abc enum dataclasses collections itertools operator types time importlib pkgutil "
    "multiprocessing signal threading concurrent subprocess shutil json csv pickle copyreg".split()
)
"""External modules whose functions, called at module level, change no later result: but setters."""

_SETTERS = frozenset(
    "setstate setlocale setrecursionlimit register_dialect unregister_dialect field_size_limit "
    "simplefilter filterwarnings resetwarnings".split()
)


def is_setter_name(name: str) -> bool:
    """Whether a function of this name, called for its effect, sets state: a seed, an option."""
    return "seed" in name or name.startswith("set_") or name in _SETTERS


def is_setter(resolver: Resolver, target: Target, name: str) -> bool:
    """Whether calling a target by a name sets state outside the project."""
    is_outside = isinstance(target, ExternalTarget) or is_foreign_singleton(resolver, target)
    return is_outside and is_setter_name(name)


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


def is_external_state(resolver: Resolver, target: Target, is_stored: bool) -> bool:
    """Whether a statement that touches a target, or stores into it, may change a later result."""
    if isinstance(target, ExternalTarget):
        top = target.module.partition(".")[0]
        return top not in INERT or (is_stored and top not in ("sys", "warnings", "logging"))
    if isinstance(target, ValueTarget) and target.live is not ABSENT:
        found = resolver.of_object(target.live)
        return isinstance(found, ObjectTarget) and is_foreign_singleton(resolver, target)
    return False
