"""Workspaces: a project read from its files, without loading any of it.

Owns the session that a question is answered in, and which symbols a target stands for. Refuses to
make that session the process's own, or to see what is loaded in this process.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from hitsave.code.closure import Closure
from hitsave.code.definition import Effect
from hitsave.code.dependencies import Via
from hitsave.code.project import Module
from hitsave.code.resolve import (
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    ModuleTarget,
    Target,
    ValueTarget,
    definition_name,
)
from hitsave.code.symbol import Symbol
from hitsave.events import Event, Untracked, Widened, subscribe
from hitsave.hook import Ledger
from hitsave.queries.files import files_under, search_path, searching
from hitsave.queries.targets import (
    StaticResolver,
    Words,
    find_module,
    find_name,
    memoised_in,
    module_at,
    read_words,
)
from hitsave.session import Session

STATEMENTS = "<module>"
"""What a module's statements for effect go by, as the code object that holds them does."""


class Workspace:
    """The project around one target."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self._session = Session(words.root, Ledger())
        self.project = self._session.project
        self._options = self._session.closure_options()
        self.resolver = StaticResolver(self.project)
        self.notes: list[str] = []

    def hear(self, event: Event) -> None:
        """Note what could not be known exactly."""
        if isinstance(event, (Widened, Untracked)):
            self.notes.append(f"{event.symbol}: {event.reason}")

    def finish(self) -> None:
        """Keep what was analysed."""
        self._session.finish()

    def closure(self) -> Closure:
        """Return an empty closure that sees the project's files alone."""
        closure = Closure(self.project, self._options)
        closure.resolver = self.resolver
        return closure

    def modules(self) -> Iterator[Module]:
        """Yield every module of the project that can be read."""
        for file in files_under(self.words.root):
            module = module_at(file.module, file.path, self.project)
            if module is not None and module.record is not None:
                yield module

    # -- targets --------------------------------------------------------------------------------

    def find(self, words: Words) -> tuple[Module, Target | None]:
        """Return the module of a target and what is named in it, or None for all of it."""
        module = find_module(words, self.project, self.resolver)
        return module, find_name(module, words.name, self.resolver) if words.name else None

    def matching(self, words: Words, known: Iterable[Symbol]) -> set[Symbol]:
        """Return those of the known symbols that a target stands for."""
        module, target = self.find(words)
        stands_for = _symbols_of(module, target)
        return {symbol for symbol in known if stands_for(symbol)}

    def is_external(self, name: str) -> bool:
        """Whether `name` is a module that is installed, and not the project's."""
        return isinstance(self.resolver.module(name), ExternalTarget)

    def memoised(self, module: Module) -> list[FunctionTarget]:
        """Return the memoised functions of a module."""
        return memoised_in(module, self.resolver)


@contextmanager
def opened(target: str) -> Iterator[Workspace]:
    """Open the workspace of a target. Raises TargetError where its file does not exist."""
    words = read_words(target)
    with searching(search_path(words.folder, words.root)):
        workspace = Workspace(words)
        end = subscribe(workspace.hear)
        try:
            yield workspace
        finally:
            end()
            workspace.finish()


def _symbols_of(module: Module, target: Target | None) -> Callable[[Symbol], bool]:
    """Return the test for the symbols that a target stands for: of a class, its members too."""
    if target is None:
        return lambda symbol: symbol.module == module.name
    if isinstance(target, FunctionTarget):
        names = {definition_name(target.module, found) for found in target.definitions}
        return lambda symbol: symbol.module == target.module.name and symbol.name in names
    name = target.name if isinstance(target, (ClassTarget, ValueTarget)) else ""
    owner = target.module.name if isinstance(target, (ClassTarget, ValueTarget)) else module.name
    return lambda symbol: (
        symbol.module == owner and (symbol.name == name or symbol.name.startswith(f"{name}."))
    )


def reach_all(closure: Closure, module: Module, workspace: Workspace, owner: Symbol) -> None:
    """Reach everything that a module defines or uses at module level."""
    closure.visit_module(module, Via(owner, "the target", 0))
    record = module.record
    for name, bindings in (record.bindings if record else {}).items():
        via = Via(owner, "defined in", bindings[-1].part.line)
        target = workspace.resolver.name(module, name)
        if isinstance(target, ModuleTarget):
            # That a module is imported says nothing of what is used of it; the uses do.
            closure.visit_module(target.module, via)
            closure.link(target.module.symbol(""), via)
        else:
            closure.reach(target, via)
    statements = module.symbol(STATEMENTS)
    for effect in record.effects if record else ():
        if not _is_in_definition(effect, module):
            closure.link(statements, Via(owner, "executed by", effect.part.line))
            closure.follow(effect.part, module, statements)


def _is_in_definition(effect: Effect, module: Module) -> bool:
    """Whether an effect is that of a decorator: what is decorated is reached by itself."""
    bindings = module.record.bindings if module.record else {}
    return any(
        binding.kind in ("function", "class")
        and binding.part.line <= effect.part.line <= binding.part.end_line
        for found in bindings.values()
        for binding in found
    )
