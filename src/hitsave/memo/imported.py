"""Imported: what was executed and read when the modules of this process were imported.

Where a global has another value than the one that was recorded, it tells whether it was made in the
same way. Owns what is kept of that. Refuses to compare values (`fresh` does).
"""

import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple
from weakref import WeakKeyDictionary

import msgpack

from hitsave import observe
from hitsave.code.definition import Binding, FunctionDefinition, Part
from hitsave.code.on_import import changed_functions, executed_parts
from hitsave.code.project import Module
from hitsave.code.source import Source
from hitsave.digest import Digest, digest_bytes, digest_parts
from hitsave.memo.evaluation import ran_before
from hitsave.session import Session
from hitsave.store import Table, Write

HasRun = Callable[[Module, FunctionDefinition], bool]


class Loaded(NamedTuple):
    """A project module that is loaded: the digest of its source, and of all it read on import.

    The latter is the same in another process where it read the same; where that is not known, it is
    as in no other process.
    """

    content: Digest
    read: Digest


class Imported(NamedTuple):
    """The project modules that are loaded, and how strings are hashed where the user said how."""

    modules: dict[str, Loaded]
    seed: str

    def has_seed_of(self, other: "Imported") -> bool:
        """Whether two processes hash strings in the same way, because the user said how."""
        return self.seed == other.seed and self.seed not in ("", "random")


_known: WeakKeyDictionary[Session, dict[str, tuple[Source, Loaded]]] = WeakKeyDictionary()


def imported_now(session: Session) -> Imported:
    """Return what is loaded now.

    What a module read is told when it is first asked about: before the first evaluation, as in
    another process that looks the same call up.
    """
    known, has_run, modules = _known.setdefault(session, {}), ran_before(session), {}
    for module in session.project.loaded():
        name, source = module.source.module, module.source
        if name not in known or known[name][0] is not source:
            loaded = Loaded(digest_bytes(source.content), _read_on_import(module, has_run))
            known[name] = (source, loaded)
        modules[name] = known[name][1]
    return Imported(modules, os.environ.get("PYTHONHASHSEED", ""))


def _read_on_import(module: Module, has_run: HasRun) -> Digest:
    path, tokens = os.path.abspath(module.source.path), []
    if observe.was_loaded_before(path):
        tokens.append(_HERE)
    # What the main program does with its arguments concerns its own values, which nobody compares
    # with those of another process.
    is_main = module.source.module in ("__main__", "__mp_main__")
    if not is_main and _may_read_arguments(module, has_run):
        tokens += [os.fsencode(argument) for argument in sys.argv]
    for reading in observe.journal.readings_on_import(path):
        tokens += [reading.facet.encode(), os.fsencode(reading.name)]
        tokens.append(observe.journal.state(reading))
    return digest_parts("read on import", tokens)


def _may_read_arguments(module: Module, has_run: HasRun) -> bool:
    """Whether anything that was executed in a module may look at the program's arguments."""
    if module.record is None or not _MENTIONED.search(module.source.content):
        return module.record is None
    if any(map(_is_renamed, chain(*module.record.bindings.values()))):
        return True
    parts = executed_parts(module.record, lambda function: has_run(module, function))
    return any(not _ARGUMENTS.isdisjoint(names) for part in parts for names in _names_in(part))


def _is_renamed(binding: Binding) -> bool:
    name = binding.attribute or binding.module
    return name in _ARGUMENTS and name != binding.name


def _names_in(part: Part) -> Iterator[Iterable[str]]:
    yield (name for name, _ in part.references.attributes)
    for each in part.references.chains:
        yield each.names


_ARGUMENTS = frozenset(
    "argv orig_argv argparse ArgumentParser parse_args parse_known_args optparse OptionParser "
    "getopt gnu_getopt docopt click typer fire tyro absl hydra".split()
)
"""What code goes by that reads the arguments of the program, or of what does."""

_MENTIONED = re.compile("|".join(_ARGUMENTS).encode())

_HERE = os.urandom(16)
"""What no other process has."""


def executed_alike(session: Session, then: Imported) -> bool:
    """Whether the same was executed on import then as in this process.

    The sources of then may differ in the bodies of functions that have not run.
    """
    now, has_run = imported_now(session), ran_before(session)
    for module in session.project.loaded():
        name = module.source.module
        if name not in then.modules:
            return False
        content = then.modules[name].content
        if now.modules[name].content != content:
            old = session.project.kept_record(content)
            if old is None or module.record is None:
                return False
            changed = changed_functions(old, module.record)
            if changed is None or any(has_run(module, each) for each in changed):
                return False
    return True


def read_alike(now: Imported, then: Imported) -> bool:
    """Whether modules read the same on import then as they did in this process."""
    return all(
        name in then.modules and loaded.read == then.modules[name].read
        for name, loaded in now.modules.items()
    )


# -- keeping it -----------------------------------------------------------------------------------


def imported_write(session: Session) -> Write:
    """Return what is to be written so that what is loaded now can be compared with later."""
    modules, seed = imported_now(session)
    rows = [(name, *loaded) for name, loaded in sorted(modules.items())]
    packed = zlib.compress(bytes(msgpack.packb((rows, seed)) or b""), 1)
    return Write(Table.IMPORTED, digest_bytes(packed), packed)


def imported_then(session: Session, key: bytes) -> Imported | None:
    """Return what was written under `key`; None where it is gone."""
    packed = session.store.get(Table.IMPORTED, key) if key else None
    if packed is None:
        return None
    rows, seed = msgpack.unpackb(zlib.decompress(packed), use_list=False)
    return Imported({name: Loaded(*loaded) for name, *loaded in rows}, seed)
