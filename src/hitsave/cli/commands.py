"""The commands that only talk: everything but `run`, which has no time to load this."""

from typing import Any

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def hitsave() -> None:
    """functools.cache that survives restarts."""


def dispatch(words: list[str]) -> Any:
    return app(words, prog_name="hitsave", standalone_mode=False)
