"""The project: its modules, each with its source, its record and its live namespace.

Owns which module a name, a namespace or a file belongs to, and the analysed records. Refuses to
decide what a call depends on.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import is_
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from hitsave.code.columns import lambda_column
from hitsave.code.definition import Binding, FunctionDefinition, ModuleRecord
from hitsave.code.external import Boundary, Distributions, is_standard
from hitsave.code.initial import Initial
from hitsave.code.made import Made, MadeMembers, Wrappers
from hitsave.code.records import pack_module, unpack_module
from hitsave.code.source import (
    Executed,
    Source,
    compiled_functions,
    file_of,
    locate,
    may_differ_from_executed,
    namespace_folders,
    namespace_package,
    read_source,
    submodules,
)
from hitsave.code.symbol import Place, Symbol
from hitsave.digest import digest_bytes
from hitsave.errors import SourceError
from hitsave.events import Widened, emit, warn
from hitsave.raw import class_name, is_class, names_of_class, namespace_of

Namespace = dict[str, Any]


class Started(NamedTuple):
    """A function as its code object shows it; `column` is -1 except for lambdas."""

    path: str
    line: int
    name: str
    column: int


class RecordKeeper(NamedTuple):
    """Where analysed records are kept by the digest of their source."""

    load: Callable[[bytes], bytes | None]
    keep: Callable[[bytes, bytes], None]


class Module:
    """One project module: its source, what the analyser found, and its namespace when loaded."""

    def __init__(
        self, name: str, source: Source, record: ModuleRecord | None, namespace: Namespace | None
    ) -> None:
        self.name = name
        self.source = source
        self.record = record
        self.namespace = namespace
        self.made: dict[str, Made] = {}
        """What evaluations put into the namespace; a later process begins without it."""

    @classmethod
    def unnamed(cls, namespace: Namespace) -> "Module":
        """A stand-in for a namespace that is no module's: a shell's, or one made for `exec`."""
        name = str(namespace.get("__name__", ""))
        return cls(name, Source(name, "", b"", False, executed=True), None, namespace)

    def is_made(self, name: str, value: object) -> bool:
        """Whether an evaluation put `value` into the namespace."""
        return name in self.made and self.made[name].value is value

    def unmade(self, name: str, value: Any, absent: Any) -> Any:
        """Return what a later process finds where this one finds `value`, or `absent`."""
        if not self.is_made(name, value):
            return value
        return next(iter(self.made[name].before), absent)

    @property
    def package(self) -> str:
        """The package that a relative import in this module starts from."""
        real = self.source.module
        return real if self.source.is_package else real.rpartition(".")[0]

    def hidden(self) -> "Module":
        """The same module as if it were not loaded."""
        return Module(self.name, self.source, self.record, None)

    def symbol(self, name: str) -> Symbol:
        """The symbol of something in this module."""
        return Symbol(self.name, name)

    def place(self, line: int = 0, end_line: int = 0) -> Place:
        """Where some lines of this module stand."""
        return Place(self.source.path, line, end_line)

    def functions_of(self, code: CodeType) -> tuple[FunctionDefinition, ...]:
        """Return the definitions that a live code object can come from; usually one.

        Lambdas on one line are returned together where the code object has no position.
        """
        if self.record is None:
            return ()
        found = self.record.functions.get(code.co_qualname, ())
        found = tuple(d for d in found if d.first_line == code.co_firstlineno)
        if len(found) < 2:
            return found
        column = lambda_column(code)
        there = tuple(definition for definition in found if definition.covers(column))
        # Should the positions be wrong, as after a tool has rewritten the code, each may be it.
        return there or found

    def definitions_at(self, started: Started) -> tuple[FunctionDefinition, ...]:
        """Return the definitions of a function that was seen to run; line 0 means any."""
        found = self.record.functions.get(started.name, ()) if self.record else ()
        if not started.line:
            return found
        there = (d for d in found if d.first_line == started.line)
        return tuple(d for d in there if d.covers(started.column))

    def is_within(self, name: str) -> bool:
        """Whether code of this qualified name is a part of something that the source defines."""
        top = name.partition(".<locals>")[0]
        record = self.record
        is_defined = record is not None and (top in record.functions or top in record.classes)
        return is_defined or top.startswith("<")

    def bindings_of(self, name: str) -> tuple[Binding, ...]:
        """Return the statements that bind a global, or of `Class.name` a class-level name."""
        if self.record is None:
            return ()
        owner, _, last = name.rpartition(".")
        if owner not in self.record.classes:
            return self.record.bindings.get(name, ())
        return tuple(
            binding
            for definition in self.record.classes[owner]
            for binding in definition.bindings
            if binding.name == last
        )

    def place_of(self, name: str) -> Place:
        """Where a global is bound last."""
        bindings = self.bindings_of(name)
        if not bindings:
            return self.place()
        return self.place(bindings[-1].part.line, bindings[-1].part.end_line)

    def names(self) -> set[str]:
        """Every name that this module binds, as far as is known, except special ones."""
        bindings = self.record.bindings if self.record else {}
        # The driver's own variables are nobody's to look up.
        driver = {name for name, found in bindings.items() if all(b.driver for b in found)}
        # What `from __future__ import` leaves behind is no binding of the module's.
        items = tuple((self.namespace or {}).items())
        live = {name for name, value in items if class_name(type(value))[0] != "__future__"}
        live -= {name for name, made in self.made.items() if not made.before}
        names = (live | bindings.keys()) - driver
        return {name for name in names if not is_special(name)}

    def has(self, name: str) -> bool:
        """Whether this module binds `name`."""
        if self.record is not None and name in self.record.bindings:
            return True
        return self.namespace is not None and name in self.namespace


class _Loaded(NamedTuple):
    """The project modules that were loaded when `names` and `lives` were in `sys.modules`."""

    generation: int
    names: tuple[str, ...]
    lives: tuple[object, ...]
    modules: tuple[Module, ...]
    by_path: dict[str, list[Module]]


class Project:
    """The modules under one workspace root, and those next to it.

    `executed` gives the source that a module was executed from; `generation` grows whenever it
    would give another one.
    """

    def __init__(
        self,
        boundary: Boundary,
        executed: Executed,
        generation: Callable[[], int],
        records: RecordKeeper,
    ) -> None:
        self.boundary = boundary
        self.distributions = Distributions()
        self.wrappers = Wrappers()
        self.call_graph: Any = None
        """What the statements of the loaded modules lead to: kept here for `effects`."""
        self.made_members = MadeMembers()
        self.initial = Initial()
        self._told: set[tuple[str, str]] = set()
        self._executed = executed
        self._generation = generation
        self._records = records
        self._modules: dict[str, tuple[object, Source | None, Module | None]] = {}
        self._analysed: dict[bytes, ModuleRecord | None] = {}
        self._read: dict[str, Source] = {}
        self._seen_on_disk: dict[str, tuple[object, Module | None]] = {}
        self._last_loaded: _Loaded | None = None

    def tell_widened(self, symbol: str, reason: str) -> None:
        """Say once that something counts by more than it has to."""
        if (symbol, reason) not in self._told:
            self._told.add((symbol, reason))
            emit(Widened(symbol, reason))

    # -- finding modules ------------------------------------------------------------------------

    def module(self, name: str) -> Module | None:
        """Return the project module imported as `name`, loaded or not; None for anything else."""
        live = sys.modules.get(name)
        executed = self._executed(name)
        known = self._modules.get(name)
        if known is not None and known[0] is live and known[1] is executed and live is not None:
            return known[2]
        module = self._loaded(name, live, executed) if live is not None else self._on_disk(name)
        self._modules[name] = (live, executed, module)
        return module

    def _loaded(self, name: str, live: object, executed: Source | None) -> Module | None:
        namespace = namespace_of(live)
        source = executed
        if source is None or not _is_of(source, live):
            source = self._source_of_loaded(name, live)
        if source is None or not self.boundary.is_project(source.path):
            return None
        module = Module(canonical_name(name), source, self._record(source), namespace)
        if namespace is not None and may_differ_from_executed(source):
            return self._checked(module, namespace)
        return module

    def _checked(self, module: Module, namespace: Namespace) -> Module:
        """Give up a source that is not the one the live functions came from."""
        expected = compiled_functions(module.source)
        if all(code in expected for code in live_code(namespace, module.source.path)):
            return module
        reason = "its file was edited after it was loaded; nothing it is part of can be reused"
        emit(Widened(module.name, reason))
        warn(f"edited:{module.source.path}", f"{module.source.path}: {reason}")
        unknown = module.source._replace(content=os.urandom(16))
        return Module(module.name, unknown, None, namespace)

    def _source_of_loaded(self, name: str, live: object) -> Source | None:
        # Loaded before the hook was in place, or by another loader.
        if name in self._read:
            return self._read[name]
        path = file_of(live)
        source = self._namespace_package(name, namespace_folders(live))
        if path.endswith((".py", ".pyw")) and self.boundary.is_project(path):
            source = read_source(name, path, os.path.basename(path) == "__init__.py")
        if source is not None:
            self._read[name] = source
        return source

    def _namespace_package(self, name: str, folders: Iterable[str]) -> Source | None:
        packages = (namespace_package(name, folder) for folder in folders)
        return next((each for each in packages if self.boundary.is_project(each.path)), None)

    def read_loaded(self) -> None:
        """Read the sources of the project modules that are loaded already, before they change."""
        for name, live in tuple(sys.modules.items()):
            if self._executed(name) is None:
                self._source_of_loaded(name, live)

    def _on_disk(self, name: str) -> Module | None:
        located = None if is_standard(name.partition(".")[0]) else locate(name)
        if located is None:
            return None
        package = self._namespace_package(name, () if located.path else located.folders)
        if package is not None:
            return self._unloaded(name, package.path, lambda: package)
        if not located.path.endswith(".py") or not self.boundary.is_project(located.path):
            return None
        read = partial(read_source, name, located.path, bool(located.folders))
        return self._unloaded(name, located.path, read)

    def _unloaded(self, name: str, path: str, read: Callable[[], Source | None]) -> Module | None:
        try:
            status = os.stat(path)
        except OSError:
            return None
        signature = (path, status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._seen_on_disk.get(name)
        if known is not None and known[0] == signature:
            return known[1]
        source = read()
        module = Module(name, source, self._record(source), None) if source else None
        self._seen_on_disk[name] = (signature, module)
        return module

    def module_of(self, namespace: Namespace) -> Module | None:
        """Return the module whose globals `namespace` is; None where it is no project module's."""
        name = namespace.get("__name__")
        if not isinstance(name, str):
            return None
        module = self.module(name)
        if module is None or module.namespace is namespace:
            return module
        # `multiprocessing` copies the main program of a spawned child into the module from the
        # namespace that it ran in, which its functions go on using.
        is_spawned = name == "__mp_main__" and namespace.get("__file__") == module.source.path
        return module if is_spawned else None

    def loaded(self) -> tuple[Module, ...]:
        """Return every project module that is loaded now."""
        return self._now_loaded().modules

    def at(self, path: str) -> list[Module]:
        """Return the loaded modules whose source lies at `path`; usually one."""
        known = self._last_loaded
        if (
            known is None
            or known.generation != self._generation()
            or len(known.names) != len(sys.modules)
            or path not in known.by_path
        ):
            # The whole comparison only for a path that is new: it is asked for thousands of them.
            known = self._now_loaded()
        return known.by_path.setdefault(path, [])

    def _now_loaded(self) -> _Loaded:
        generation = self._generation()
        names, lives = tuple(sys.modules), tuple(sys.modules.values())
        known = self._last_loaded
        if (
            known is None
            or known.generation != generation
            or known.names != names
            or not all(map(is_, known.lives, lives))
        ):
            found = tuple(self._loaded_among(names))
            by_path: dict[str, list[Module]] = {}
            for module in found:
                by_path.setdefault(os.path.abspath(module.source.path), []).append(module)
            known = self._last_loaded = _Loaded(generation, names, lives, found, by_path)
        return known

    def _loaded_among(self, names: tuple[str, ...]) -> Iterator[Module]:
        for name in names:
            module = self.module(name)
            if module is not None and module.namespace is not None and name != "__mp_main__":
                yield module

    def extension(self, name: str) -> str:
        """Return the path of an extension module inside the project, or an empty string."""
        live = sys.modules.get(name)
        path = file_of(live)
        is_compiled = path.endswith((".so", ".pyd"))
        return path if is_compiled and self.boundary.is_project(path) else ""

    def modules_like(self, prefix: str, suffix: str) -> list[str]:
        """Return the names of the project modules on disk that a computed name can mean."""
        main = file_of(sys.modules["__main__"]) if "__main__" in sys.modules else ""
        package, dot, _ = prefix.rpartition(".")
        if dot:
            located = locate(package)
            folders = located.folders if located else ()
            names = (f"{package}.{name}" for folder in folders for name, _ in submodules(folder))
        else:
            folders = tuple(entry or os.getcwd() for entry in sys.path)
            names = (
                name
                for folder in folders
                for name, path in submodules(folder)
                # The main program is driver code, and is not imported by its name.
                if self.boundary.is_project(path) and path != main
            )
        return sorted({n for n in names if n.startswith(prefix) and n.endswith(suffix)})

    # -- records --------------------------------------------------------------------------------

    def _record(self, source: Source) -> ModuleRecord | None:
        digest = digest_bytes(source.content)
        if digest not in self._analysed:
            self._analysed[digest] = self._load_or_analyse(source, digest)
        return self._analysed[digest]

    def kept_record(self, content: bytes) -> ModuleRecord | None:
        """Return what was found in a source whose content had this digest, where that is kept."""
        kept = self._records.load(content)
        return None if kept is None else unpack_module(kept)

    def _load_or_analyse(self, source: Source, digest: bytes) -> ModuleRecord | None:
        kept = self.kept_record(digest)
        if kept is not None:
            return kept
        # Only where a source is new: the analyser and `ast` cost 10 ms to import.
        from hitsave.code.analyze import analyze

        try:
            record = analyze(source.content)
        except SourceError as error:
            reason = f"{error.message}; it counts by its bytes"
            emit(Widened(source.module, reason))
            warn(f"source:{source.path}", f"{source.path}: {reason}")
            return None
        self._records.keep(digest, pack_module(record))
        return record


def is_special(name: str) -> bool:
    """Whether Python itself asks for `name`."""
    return name.startswith("__") and name.endswith("__")


def _is_of(source: Source, live: object) -> bool:
    """Whether a source executed under a name is that of the module that has the name now."""
    path = (namespace_of(live) or {}).get("__file__")
    return not isinstance(path, str) or os.path.abspath(path) == os.path.abspath(source.path)


def live_code(namespace: Namespace, path: str) -> Iterator[CodeType]:
    """Yield the code objects of the functions and methods in a namespace that come from `path`."""
    holders = [namespace]
    holders += [dict(names_of_class(each)) for each in namespace.values() if is_class(each)]
    for holder in holders:
        for value in tuple(holder.values()):
            if type(value) is FunctionType and value.__code__.co_filename == path:
                yield value.__code__


def canonical_name(name: str) -> str:
    """Return the name a module goes by: for the main module, the one it could be imported by."""
    if name not in ("__main__", "__mp_main__"):
        return name
    main = sys.modules.get(name)
    namespace = namespace_of(main) or {}
    spec = namespace.get("__spec__")
    if spec is not None and isinstance(getattr(spec, "name", None), str):
        return str(spec.name)
    path = namespace.get("__file__")
    if not isinstance(path, str):
        return "__main__"
    return os.path.splitext(os.path.basename(path))[0]
