"""Targets: what a user's words mean: `module`, `module:name`, `script.py`, `script.py:name`.

Owns reading those words and finding what they name, and the nearest name where that is nothing.
"""

import difflib
import os
from collections.abc import Iterable
from typing import NamedTuple

from hitsave.code.analyze import analyze
from hitsave.code.definition import Part
from hitsave.code.project import Module, Project
from hitsave.code.resolve import (
    ClassTarget,
    ExternalTarget,
    FunctionTarget,
    MissingTarget,
    ModuleTarget,
    Resolver,
    Target,
)
from hitsave.code.source import locate, read_source
from hitsave.config import find_root
from hitsave.errors import SourceError, TargetError
from hitsave.queries.files import SOURCES, file_at, files_under

DECORATORS = ("memo", "experiment")


class Words(NamedTuple):
    """What the words say: a module, its file where they name that, and a name in it or ""."""

    text: str
    module: str
    path: str
    name: str
    folder: str
    root: str


class StaticResolver(Resolver):
    """Resolves from the project's files alone, whatever is loaded in this process."""

    def view(self, module: Module) -> Module:
        """The module as if it were not loaded."""
        return module if module.namespace is None else module.hidden()


def read_words(text: str) -> Words:
    """Read a target. Raises TargetError where it names a file that does not exist."""
    head, colon, name = text.rpartition(":")
    if not colon or os.path.isfile(text):
        head, name = text, ""
    if not head:
        raise TargetError(f"{text!r} names no module.", "write module:name or script.py:name")
    if not _is_path(head):
        folder = os.getcwd()
        return Words(text, head, "", name, folder, find_root(folder))
    file = file_at(_existing(head))
    return Words(text, file.module, file.path, name, file.folder, find_root(file.folder))


def _is_path(head: str) -> bool:
    if head.endswith(SOURCES) or os.sep in head or os.path.isfile(head):
        return True
    return os.path.isdir(head) and not head.replace(".", "_").strip("_")


def _existing(path: str) -> str:
    if os.path.isfile(path):
        return path
    for inside in ("__main__.py", "__init__.py"):
        if os.path.isfile(os.path.join(path, inside)):
            return os.path.join(path, inside)
    folder = os.path.dirname(path)
    what = "a folder, with no __main__.py or __init__.py" if os.path.isdir(path) else "not a file"
    raise TargetError(f"{path} is {what}.", _nearest_file(os.path.basename(path), folder))


def _nearest_file(name: str, folder: str) -> str:
    try:
        names = [entry for entry in os.listdir(folder or os.curdir) if entry.endswith(SOURCES)]
    except OSError:
        return ""
    return nearest(name, names, folder)


def nearest(name: str, known: Iterable[str], folder: str = "") -> str:
    """Return a hint that names what is nearest to `name` among `known`; empty where nothing is."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    if not found:
        return ""
    whole = folder + found[0] if folder.endswith(":") else os.path.join(folder, found[0])
    return f"did you mean {whole}?"


# -- modules ------------------------------------------------------------------------------------


def find_module(words: Words, project: Project, resolver: Resolver) -> Module:
    """Return the module that a target names. Raises TargetError."""
    if words.path:
        _check_source(words.path)
        module = module_at(words.module, words.path, project)
        if module is None:
            raise TargetError(f"{words.path} cannot be read.", "check who may read it")
        return module
    located = locate(words.module)
    if located is not None and located.path.endswith(SOURCES):
        _check_source(located.path)
    found = resolver.module(words.module)
    if isinstance(found, ModuleTarget):
        return found.module
    if isinstance(found, ExternalTarget):
        message = f"{words.module} is not project code: it counts by its version."
        raise TargetError(message, "name a module or a script of the project")
    message = f"the project has no module {words.module!r}."
    raise TargetError(message, _nearest_module(words, resolver))


def _nearest_module(words: Words, resolver: Resolver) -> str:
    parent, _, name = words.module.rpartition(".")
    owner = resolver.module(parent) if parent else None
    if isinstance(owner, ModuleTarget) and name in names_in(owner.module):
        return f"did you mean {parent}:{name}?"
    return nearest(words.module, {file.module for file in files_under(words.root)})


def module_at(name: str, path: str, project: Project) -> Module | None:
    """Return the module `name` of the file at `path`; None where it cannot be read.

    The name need not lead to the file: a script may be called as a module elsewhere is.
    """
    known = project.module(name)
    if known is not None and os.path.realpath(known.source.path) == os.path.realpath(path):
        return known
    source = read_source(name, path, os.path.basename(path) == "__init__.py")
    if source is None:
        return None
    try:
        return Module(name, source, analyze(source.content), None)
    except SourceError:
        return Module(name, source, None, None)


def _check_source(path: str) -> None:
    """Raise TargetError where a target's own source cannot be read or parsed.

    Before the project meets it: of a module that something else needs, it only warns.
    """
    try:
        with open(path, "rb") as file:
            analyze(file.read())
    except OSError as error:
        reason = error.strerror or error
        raise TargetError(f"{path} cannot be read: {reason}.", "check who may read it") from error
    except SourceError as error:
        flaw = error.__cause__
        line = f":{flaw.lineno}" if isinstance(flaw, SyntaxError) and flaw.lineno else ""
        reason = flaw.msg if isinstance(flaw, SyntaxError) else error.message
        raise TargetError(f"{path}{line}: {reason}.", "mend it and ask again") from error


# -- names --------------------------------------------------------------------------------------


def find_name(module: Module, name: str, resolver: Resolver) -> Target:
    """Return what a qualified name in a module is. Raises TargetError."""
    first, _, rest = name.partition(".")
    target = resolver.name(module, first)
    if isinstance(target, ClassTarget) and rest:
        target = _member(target, rest, resolver)
    elif rest or isinstance(target, (MissingTarget, ExternalTarget)):
        target = resolver.static_function(module, name)
    if isinstance(target, MissingTarget):
        message = f"{module.source.module} has no {name!r}."
        raise TargetError(message, nearest(name, names_in(module), f"{module.source.module}:"))
    return target


def _member(target: ClassTarget, rest: str, resolver: Resolver) -> Target:
    qualified = f"{target.name}.{rest}"
    found = resolver.static_function(target.module, qualified)
    return (
        found
        if not isinstance(found, MissingTarget)
        else resolver.static_class(target.module, qualified)
    )


def names_in(module: Module) -> set[str]:
    """Return the names that can be asked for in a module."""
    record = module.record
    if record is None:
        return set()
    qualified = {*record.functions, *record.classes}
    return {name for name in qualified if "<" not in name} | set(record.bindings)


def memoised_in(module: Module, resolver: Resolver) -> list[FunctionTarget]:
    """Return the functions of a module that hitsave's decorators are on, in order."""
    found = []
    for definitions in (module.record.functions if module.record else {}).values():
        if any(_is_decorator(part, module, resolver) for d in definitions for part in d.decorators):
            found.append(FunctionTarget(module, definitions, None))
    return sorted(found, key=lambda target: target.definitions[0].first_line)


def _is_decorator(part: Part, module: Module, resolver: Resolver) -> bool:
    for chain in part.references.chains[:1]:
        target = resolver.name(module, chain.names[0])
        if isinstance(target, ExternalTarget) and target.module.partition(".")[0] == "hitsave":
            return (target.name or chain.names[-1]) in DECORATORS
    return False
