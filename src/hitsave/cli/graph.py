"""`hitsave graph`: what a function, script or module depends on, and what depends on it."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hitsave import queries
from hitsave.cli import render
from hitsave.cli.usage import UsageError


class Format(StrEnum):
    """The forms that a graph is shown in."""

    TREE = "tree"
    DOT = "dot"
    JSON = "json"


def graph(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="module, module:name, script.py or script.py:name.",
            show_default=False,
        ),
    ] = "",
    format: Annotated[  # noqa: A002 - the option's name
        Format, typer.Option("--format", help="A tree, a graph for Graphviz, or data.")
    ] = Format.TREE,
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Show what depends on TARGET instead.")
    ] = False,
    why: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Show how A comes to depend on B.", show_default=False),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show also names that only lead on to what is shown.")
    ] = False,
) -> None:
    """Show what a function, script or module depends on, where each thing is, and why.

    Of a script or module, what its memoised functions depend on; where it has none, all that it
    defines and uses. Each line gives a symbol, its facets with the digest of each, its place, and
    how the line above it leads there.

    Nothing is run: the answer comes from the source files. In a running program, names can be bound
    to other things, and f.dependencies() says what it sees. Packages count by their version, the
    standard library by Python's.
    """
    form = Format.JSON if json else format
    if why is not None:
        _show_path(*why, form)
        return
    if not target:
        raise UsageError("hitsave graph needs a TARGET.", "name a script, or module:function")
    answer = queries.dependents(target) if reverse else queries.dependencies(target)
    if form is Format.TREE:
        render.show(render.tree(answer, is_whole=show_all))
        _show_notes(answer.notes)
    else:
        print(render.as_json(answer) if form is Format.JSON else render.as_dot(answer))


def _show_path(start: str, end: str, form: Format) -> None:
    steps = queries.path_between(start, end)
    if form is Format.JSON:
        print(render.path_as_json(steps))
    elif steps:
        render.show(render.path(steps))
    else:
        print(f"{start} does not depend on {end}.")
    if not steps:
        raise typer.Exit(1)


def _show_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        print(f"hitsave: note: {note}", file=sys.stderr)
