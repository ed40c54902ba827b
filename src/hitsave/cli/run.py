"""`hitsave run`: a program with hitsave active from its first line.

Owns the command's words and the order of things: the session and its hook first, whoever listens to
the events next, the program last. Refuses to load anything that the program could notice: no typer,
no rich.
"""

import os
import sys
from typing import Any, NamedTuple

from hitsave import session
from hitsave.cli.console import Console
from hitsave.cli.listeners import Listener
from hitsave.cli.usage import UsageError
from hitsave.code.external import Boundary
from hitsave.config import find_root
from hitsave.errors import TargetError
from hitsave.hook import install
from hitsave.runner import INTERRUPTED, run_module, run_script

HINT = "hitsave run [-v] [--events FILE] (SCRIPT | -m MODULE) [ARGUMENT...]"


class Words(NamedTuple):
    """What the command line of `hitsave run` asks for."""

    program: str
    is_module: bool
    arguments: list[str]
    verbose: bool
    events: str


def run(words: list[str]) -> Any:
    """Run the program that `words` name. Returns what to call `sys.exit` with.

    Raises UsageError where the words name none, TargetError where there is no such program.
    """
    asked = parse(words)
    begun = session.start(workspace_of(asked))
    # The session's own boundary: the hook that the import put in place knew the working folder.
    install(begun.project.boundary.is_project, session.ledger())
    # The setting `verbose` is heeded by the session itself, here as under plain Python.
    listeners = _listeners(asked, asked.verbose and not begun.settings.verbose)
    for listener in listeners:
        listener.start()
    try:
        code = _run_program(asked)
    except TargetError:
        for listener in listeners:
            listener.stop()
        raise
    if code == INTERRUPTED:
        # The process dies of the signal, before the exit handlers that would do this.
        begun.finish()
        for listener in listeners:
            listener.finish()
    return code


def _run_program(asked: Words) -> Any:
    if asked.is_module:
        return run_module(asked.program, asked.arguments)
    return run_script(asked.program, asked.arguments, session.ledger().keep)


def _listeners(asked: Words, is_verbose: bool) -> list[Listener]:
    listeners: list[Listener] = []
    if is_verbose and sys.stderr is not None:
        listeners.append(Console(sys.stderr))
    if asked.events:
        # Only where asked for: it loads `json`, which a program need not find loaded.
        from hitsave.cli.eventfile import EventFile

        listeners.append(EventFile(asked.events))
    return listeners


def workspace_of(asked: Words) -> str:
    """Return the root of the workspace that the program belongs to.

    A program that is no project's (a tool installed in an environment) works on the project
    around the working folder.
    """
    path = os.path.abspath(asked.program)
    if asked.is_module or not Boundary("").is_project(path):
        return find_root(os.getcwd())
    return find_root(path if os.path.isdir(path) else os.path.dirname(path))


def parse(words: list[str]) -> Words:
    """Read the words after `run`; those after the program are its own. Raises UsageError."""
    rest, verbose, events = list(words), False, ""
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("-m"):
            module = word[2:] or _value(word, "a module", rest)
            return Words(module, True, rest, verbose, events)
        if word in ("-v", "--verbose"):
            verbose = True
        elif word == "--events":
            events = _value(word, "a file", rest)
        elif word.startswith("--events="):
            events = word.partition("=")[2]
        else:
            raise UsageError(f"hitsave run has no option {word}.", HINT)
    if not rest:
        raise UsageError("hitsave run needs a script, or a module after -m.", HINT)
    return Words(rest[0], False, rest[1:], verbose, events)


def _value(option: str, what: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"{option} needs {what}.", HINT)
    return rest.pop(0)
