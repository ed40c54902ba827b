"""The commands that answer and show: everything but `run`, which has no time to load typer.

Owns what they have in common: the help, the version, and how warnings look here.
"""

import sys
import warnings
from typing import Annotated, Any

import typer

from hitsave import __version__
from hitsave.cli.calls import collect_now, forget, list_calls, pin_calls, show_call
from hitsave.cli.demo import demo
from hitsave.cli.doctor import doctor
from hitsave.cli.graph import graph
from hitsave.cli.run import run
from hitsave.cli.snapshot import app as snapshot_app
from hitsave.cli.verify import verify
from hitsave.errors import HitsaveWarning
from hitsave.events import Event, Warned, Widened, subscribe

# Plain help: it is read in logs and through pipes as often as on a terminal.
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(graph)
app.command()(demo)
app.command("ls")(list_calls)
app.command("show")(show_call)
app.command()(forget)
app.command("pin")(pin_calls)
app.command("gc")(collect_now)
app.command()(doctor)
# What follows the program is the program's.
app.command(
    "verify",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)(verify)
app.add_typer(snapshot_app, name="snapshot")


def dispatch(words: list[str]) -> Any:
    """Run the command that `words` name; ends with SystemExit."""
    warnings.simplefilter("ignore", HitsaveWarning)
    end = subscribe(_Warnings().hear)
    try:
        return app(words, prog_name="hitsave")
    finally:
        end()


class _Warnings:
    """Shows warnings without the place in hitsave that they come from, which helps nobody here."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def hear(self, event: Event) -> None:
        if isinstance(event, Widened):
            # It is part of the answer, where the command shows it.
            self._told.add(event.reason)
        elif isinstance(event, Warned) and not event.message.endswith(tuple(self._told)):
            hint = f"\n  hint: {event.hint}" if event.hint else ""
            print(f"hitsave: warning: {event.message}{hint}", file=sys.stderr)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"hitsave {__version__}")
        raise typer.Exit


@app.callback()
def hitsave(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """functools.cache that survives restarts, knows when your code changed, and explains a miss."""


@app.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[-v] [--events FILE]",
)
def run_help(
    program: Annotated[
        list[str], typer.Argument(metavar="SCRIPT | -m MODULE [ARGUMENT]...", show_default=False)
    ],
) -> None:
    """Run a program as plain Python does, with hitsave active from its first line.

    -v, --verbose says on stderr what hits, what misses and why, and sums up at the end.

    --events FILE appends every event to FILE, as JSON, one object a line.

    The exit code is the program's own.
    """
    raise typer.Exit(run(program))
