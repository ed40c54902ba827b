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
    """The project modules that are loaded, and what else decides what their globals are.

    `arguments` is the digest of the program's; `reads_arguments`, whether any module may have
    looked at them. `seed` says how strings are hashed, where the user said how.
    """

    modules: dict[str, Loaded]
    reads_arguments: bool
    arguments: Digest
    seed: str

    def has_seed_of(self, other: "Imported") -> bool:
        """Whether two processes hash strings in the same way, because the user said how."""
        return self.seed == other.seed and self.seed not in ("", "random")


class _Kept(NamedTuple):
    """What is known of a module for as long as it is of one source."""

    source: Source
    loaded: Loaded
    mentions_arguments: bool


_known: WeakKeyDictionary[Session, dict[str, _Kept]] = WeakKeyDictionary()


def imported_now(session: Session) -> Imported:
    """Return what is loaded now."""
    kept = {
        module.source.module: (module, _kept(session, module))
        for module in session.project.loaded()
    }
    has_run = ran_before(session)
    # What the main program does with its arguments concerns its own values, which nobody compares
    # with those of another process.
    reads_arguments = any(
        known.mentions_arguments and _may_read_arguments(module, has_run)
        for name, (module, known) in kept.items()
        if name not in ("__main__", "__mp_main__")
    )
    return Imported(
        {name: known.loaded for name, (_, known) in kept.items()},
        reads_arguments,
        digest_parts("arguments", map(os.fsencode, sys.argv)),
        os.environ.get("PYTHONHASHSEED", ""),
    )


def _kept(session: Session, module: Module) -> _Kept:
    known, source = _known.setdefault(session, {}), module.source
    kept = known.get(source.module)
    if kept is None or kept.source is not source:
        loaded = Loaded(digest_bytes(source.content), _read_on_import(source))
        mentions = _MENTIONED.search(source.content) is not None
        kept = known[source.module] = _Kept(source, loaded, mentions)
    return kept


def _read_on_import(source: Source) -> Digest:
    path, tokens = os.path.abspath(source.path), []
    if observe.was_loaded_before(path):
        tokens.append(_HERE)
    for reading in observe.journal.readings_on_import(path):
        tokens += [reading.facet.encode(), os.fsencode(reading.name)]
        tokens.append(observe.journal.state(reading))
    return digest_parts("read on import", tokens)


def _may_read_arguments(module: Module, has_run: HasRun) -> bool:
    """Whether anything that was executed in a module may look at the program's arguments."""
    if module.record is None:
        return True
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


def executed_alike(session: Session, now: Imported, then: Imported) -> bool:
    """Whether the same was executed on import then as in this process.

    The sources of then may differ in the bodies of functions that have not run.
    """
    has_run = ran_before(session)
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
    if (now.reads_arguments or then.reads_arguments) and now.arguments != then.arguments:
        return False
    return all(
        name in then.modules and loaded.read == then.modules[name].read
        for name, loaded in now.modules.items()
    )


# -- keeping it -----------------------------------------------------------------------------------


def imported_write(session: Session) -> Write:
    """Return what is to be written so that what is loaded now can be compared with later."""
    modules, *rest = imported_now(session)
    rows = [(name, *loaded) for name, loaded in sorted(modules.items())]
    packed = zlib.compress(bytes(msgpack.packb((rows, *rest)) or b""), 1)
    return Write(Table.IMPORTED, digest_bytes(packed), packed)


def imported_then(session: Session, key: bytes) -> Imported | None:
    """Return what was written under `key`; None where it is gone."""
    packed = session.store.get(Table.IMPORTED, key) if key else None
    if packed is None:
        return None
    rows, *rest = msgpack.unpackb(zlib.decompress(packed), use_list=False)
    return Imported({name: Loaded(*loaded) for name, *loaded in rows}, *rest)
