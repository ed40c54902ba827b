"""What commands share: data for programs, and asking before anything is removed."""

import json
import sys
from typing import Any

import typer

from hitsave.cli.usage import UsageError


def print_data(schema: int, data: dict[str, Any]) -> None:
    """Print an answer as JSON; `schema` grows with changes that its readers would notice."""
    print(json.dumps({"schema": schema, **data}, indent=2, default=str))


def confirm_removal(question: str, is_sure: bool) -> None:
    """Ask on a terminal, unless the user is sure. Raises UsageError where nobody can be asked."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nothing is removed without being asked.", "say --yes")
    typer.confirm(question, abort=True)
