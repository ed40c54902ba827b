"""The session: the one place that builds a project, a store, a codec and a hook from settings.

Owns what there is one of in a process, and the policy that trouble with the store costs a warning
and the cache, never the program. Everything is built on first use.
"""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from hitsave.code.closure import Options
from hitsave.code.dependencies import Manifest, code_part, unpack_manifest
from hitsave.code.external import PYTHON, Boundary
from hitsave.code.instances import project_name
from hitsave.code.project import Project, RecordKeeper
from hitsave.code.records import SCHEMA
from hitsave.code.resolve import Resolver
from hitsave.code.source import Source
from hitsave.code.symbol import Symbol
from hitsave.code.tracker import Tracker
from hitsave.codec import Digested, Recalled, digest_value
from hitsave.config import Settings, find_root, load_settings
from hitsave.digest import digest_parts
from hitsave.errors import HitsaveError, OtherSchemaError, StoreUnavailableError
from hitsave.events import warn_error
from hitsave.hook import ExecutedSource, Ledger, install
from hitsave.observe import watch
from hitsave.store import UNAVAILABLE, MemoryStore, Store, Table, Write, open_local
from hitsave.units import DAY

T = TypeVar("T")

GLOBAL_LIMIT = 200
"""A global that holds more objects than this counts by its definition: digesting it takes long."""


MOST_USES = 100_000
"""How many calls are remembered that hit, to tell the collector of them."""


class Session:
    """One workspace in one process."""

    def __init__(self, root: str, ledger: Ledger) -> None:
        self.root = root
        self.settings: Settings = load_settings(root)
        self.ledger = ledger
        self.project = Project(
            Boundary(root),
            self._executed,
            ledger.generation,
            RecordKeeper(self._load_record, self._keep_record),
        )
        self.tracker = self._new_tracker()
        self._sources: dict[str, tuple[ExecutedSource, Source]] = {}
        self.recalled = Recalled()
        self._states: dict[bytes, bool] = {}
        self._store: Store | None = None
        self._pending: list[Write] = []
        self._used: dict[bytes, None] = {}
        self._lock = threading.RLock()

    def _new_tracker(self) -> Tracker:
        options, generation = self.closure_options(), self.ledger.generation
        return Tracker(self.project, options, self.mark_state, generation)

    def renew_in_child(self) -> None:
        """Make anew, in the child of a fork, what another thread was in the middle of."""
        self._lock = threading.RLock()
        if self.tracker.is_at_work():
            self.tracker = self._new_tracker()

    # -- the store ------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The local store; one that lives in memory where that cannot be used."""
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self._open()
        return self._store

    def _open(self) -> Store:
        try:
            return open_local(self.settings.home)
        except StoreUnavailableError as error:
            if self.settings.strict:
                raise
            warn_error(f"store:{self.settings.home}", error)
            return MemoryStore()

    def commit(
        self,
        writes: list[Write],
        *,
        durable: bool = False,
        replace: bool = False,
        soon: bool = False,
    ) -> bool:
        """Write to the store; False, with one warning, where that fails. See `Store.commit`."""
        pending, self._pending = self._pending, []
        # Where trouble is to be raised, it has to be known of here and now.
        soon = soon and not self.settings.strict
        try:
            self.store.commit([*pending, *writes], durable=durable, replace=replace, soon=soon)
        except StoreUnavailableError as error:
            self.trouble("commit", error)
            return False
        return True

    def grew(self, size: int) -> None:
        """Tell that the store has grown by so many bytes."""
        for tell in when_grown:
            tell(self, size)

    def note_use(self, key: bytes, since: float) -> None:
        """Note that a call hit that was recorded at `since`, in seconds since the epoch."""
        if len(self._used) < MOST_USES and time.time() - since > DAY:
            self._used[key] = None

    def finish(self) -> None:
        """Write what is left to write."""
        if self._store is not None or self._pending:
            self.commit(self._use_writes())

    def _use_writes(self) -> list[Write]:
        """What tells of calls that hit when they were last used, once a day for each."""
        used, self._used, now = self._used, {}, time.time()
        if self.settings.mode == "read-only":
            return []
        known = ((key, self.store.get(Table.USES, key)) for key in used)
        moment = b"%d" % now
        return [
            Write(Table.USES, key, moment)
            for key, last in known
            if last is None or now - float(last) > DAY
        ]

    def trouble(self, kind: str, error: HitsaveError) -> None:
        """Warn once of each kind of trouble of hitsave's own; raise it in strict mode."""
        if self.settings.strict:
            raise error
        # A lookup that fails for the same reason has been warned of by the store itself.
        is_store = isinstance(error, StoreUnavailableError)
        warn_error(UNAVAILABLE if is_store else f"trouble:{kind}", error)

    def closure_options(self) -> Options:
        """What closures in this session are computed with."""
        sensitivity = self.settings.version_sensitivity
        return Options(self._digest_global, self._is_state, sensitivity)

    # -- values ---------------------------------------------------------------------------------

    def digest_argument(self, value: Any) -> Digested:
        """Digest a value, with project definitions in it by name."""
        known = self.recalled.digest(value)
        if known is not None:
            is_builtin = type(value).__module__ == "builtins"
            outside = () if is_builtin else (type(value),)
            return Digested(known, (), mutable=False, outside=outside)
        return digest_value(value, name_symbol=self._name_symbol)

    def _digest_global(
        self, value: Any, name_symbol: Callable[[Any], str | None], /, shared: Any = None
    ) -> Digested:
        return digest_value(
            value,
            name_symbol=name_symbol,
            reduce=False,
            partial=True,
            limit=GLOBAL_LIMIT,
            shared=shared,
        )

    def _name_symbol(self, value: Any) -> str | None:
        return project_name(Resolver(self.project), value)

    # -- what `code` asks to be kept ------------------------------------------------------------

    def _executed(self, module: str) -> Source | None:
        kept = self.ledger.get(module)
        if kept is None:
            return None
        known = self._sources.get(module)
        if known is None or known[0] is not kept:
            source = Source(module, kept.path, kept.content, kept.is_package, executed=True)
            known = self._sources[module] = (kept, source)
        return known[1]

    def _load_record(self, source: bytes) -> bytes | None:
        return self.store.get(Table.MODULES, _record_key(source))

    def _keep_record(self, source: bytes, record: bytes) -> None:
        if self.settings.mode == "read-only":
            return
        # With the next commit, or at exit: one transaction for many modules.
        self._pending.append(Write(Table.MODULES, _record_key(source), record))

    def _is_state(self, symbol: Symbol, definition: bytes) -> bool:
        key = _state_key(symbol, definition)
        known = self._states.get(key)
        if known is None:
            known = self._states[key] = self.store.get(Table.STATE, key) is not None
        return known

    def mark_state(self, *found: tuple[Symbol, bytes]) -> None:
        """Let globals count by their definitions, for as long as these have the given digests."""
        keys = {_state_key(*each): str(each[0]).encode() for each in found}
        self._states.update(dict.fromkeys(keys, True))
        self.commit([Write(Table.STATE, key, symbol) for key, symbol in keys.items()])

    def is_steady(self, symbol: Symbol, definition: bytes) -> bool:
        """Whether fresh processes were asked about a global, and did not disagree."""
        return self.store.get(Table.STATE, _steady_key(symbol, definition)) is not None

    def mark_steady(self, *found: tuple[Symbol, bytes]) -> None:
        """Note that fresh processes did not disagree about the values of globals."""
        self.commit([Write(Table.STATE, _steady_key(*each), b"steady") for each in found])

    def manifest(self, code: bytes) -> Manifest | None:
        """Return the manifest of a code digest, where it is kept and can be read."""
        return self._read_manifest(code, lambda data: unpack_manifest(data, self._load_manifest))

    def code_part(self, code: bytes) -> bytes | None:
        """Return the digest of the code alone in a code digest, where its manifest is kept."""
        return self._read_manifest(code, lambda data: code_part(data, code))

    def _read_manifest(self, code: bytes, read: Callable[[bytes], T]) -> T | None:
        packed = self._load_manifest(code)
        try:
            return None if packed is None else read(packed)
        except OtherSchemaError:
            return None  # what was recorded before an upgrade is computed again
        except HitsaveError as error:
            self.trouble("manifest", error)
            return None

    def _load_manifest(self, code: bytes) -> bytes | None:
        return self.store.get(Table.MANIFESTS, code)


def _record_key(source: bytes) -> bytes:
    return digest_parts(f"module {SCHEMA} {PYTHON}", [source])


def _state_key(symbol: Symbol, definition: bytes) -> bytes:
    return digest_parts("state", [str(symbol).encode(), definition])


def _steady_key(symbol: Symbol, definition: bytes) -> bytes:
    return digest_parts("steady", [str(symbol).encode(), definition])


when_grown: list[Callable[[Session, int], None]] = []
"""What is called with every session whose store has grown, and by how many bytes."""

when_started: list[Callable[[Session], None]] = []
"""What is called with every session that starts: how a window learns of one, unasked."""

_ledger = Ledger()
_session: Session | None = None
_lock = threading.RLock()


def _renew_in_child() -> None:
    global _lock
    _lock = threading.RLock()
    if _session is not None:
        _session.renew_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)


def current() -> Session:
    """Return this process's session, building it around the main program on first use."""
    if _session is None:
        with _lock:
            if _session is None:
                start(_root_of_main())
    assert _session is not None
    return _session


def start(root: str) -> Session:
    """Begin a session for the workspace at `root`, in place of any other."""
    global _session
    with _lock:
        if _session is not None:
            _session.finish()
        else:
            atexit.register(_finish)
        _session = Session(root, _ledger)
        _session.project.read_loaded()
        for tell in when_started:
            tell(_session)
        return _session


def _finish() -> None:
    if _session is not None:
        _session.finish()


def ledger() -> Ledger:
    """Return the ledger that the hook of this process writes to."""
    return _ledger


def install_hook() -> Callable[[], None]:
    """Watch this process from now on, with the hook in place; returns what takes that out again."""
    # Not the session's boundary: building the session imports, and importing asks the hook.
    is_project = Boundary(_root_of_main()).is_project
    watch(is_project)
    return install(is_project, _ledger)


def _root_of_main() -> str:
    """The workspace of the main program, or of the working folder where that is no project's."""
    main = sys.modules.get("__main__")
    path = vars(main).get("__file__") if isinstance(main, ModuleType) else None
    if isinstance(path, str) and Boundary("").is_project(os.path.abspath(path)):
        return find_root(os.path.dirname(os.path.abspath(path)))
    try:
        return find_root(os.getcwd())
    except OSError:
        # The working folder was deleted.
        return ""
