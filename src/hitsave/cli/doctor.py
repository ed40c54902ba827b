"""`hitsave doctor`: what is well, what is not, and what to do about it."""

from typing import Annotated

import typer

from hitsave.cli.output import print_data
from hitsave.queries.doctor import examine
from hitsave.session import current

SCHEMA = 1
"""Grows whenever the JSON changes in a way that its readers would notice."""

PROBLEM = 1
"""The exit code where something is not well."""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Look at the installation, the settings and the store, and say what is not well.

    The exit status is 1 where there is a problem.
    """
    findings = list(examine(current()))
    if as_json:
        print_data(SCHEMA, {"findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            print(f"{finding.state:<8} {finding.subject:<9} {finding.text}")
            if finding.hint:
                print(f"{'':<8} {'':<9} hint: {finding.hint}")
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(PROBLEM)
