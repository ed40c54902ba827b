"""`hitsave verify`: whether the store is sound, and whether results are what the code gives."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from typing import Annotated, Any

import typer

from hitsave.cli.calls import lasting, sentence_of
from hitsave.cli.output import print_data
from hitsave.cli.usage import UsageError
from hitsave.digest import short
from hitsave.queries.verify import Verification, verify_store
from hitsave.session import current
from hitsave.units import counted, read_share, size_text

SCHEMA = 1
"""Grows whenever the JSON changes in a way that its readers would notice."""

UNSOUND = 4
"""The exit code where something is damaged, lost, or not what the code gives."""

SHOWN = 20
"""How many lost calls and snapshots are shown to people."""

WRONG = {"differs", "varies", "raises"}

Program = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SCRIPT | -m MODULE [ARGUMENT]...]",
        help="The program whose calls are run, with --recompute.",
        show_default=False,
    ),
]


def verify(
    program: Program = None,
    sample: Annotated[
        str,
        typer.Option(metavar="SHARE", help="How much to look at, drawn by chance, such as 1%."),
    ] = "100%",
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Run a program, and in it also what hits.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Read all that is stored once more, and tell what is damaged or lost.

    With --recompute, run a program instead in which every call that hits is run as well, and tell
    which of them give another result than is recorded: because the function depends on something
    that hitsave does not see, or because it gives another result each time. The program goes on
    with what is recorded.

    The exit status is 4 where anything is wrong.
    """
    try:
        share = read_share(sample)
    except ValueError as error:
        raise UsageError(f"{sample!r} is no share.", f"it takes {error}") from error
    if not recompute:
        if program:
            raise UsageError("A program is only run with --recompute.", "say --recompute first")
        _verify_store(share, as_json)
        return
    if not program:
        raise UsageError("--recompute needs a program.", "the arguments of calls are not kept")
    if as_json:
        raise UsageError("The program has the standard output.", "run --events FILE gives data")
    _verify_program(program, sample)


# -- the store ------------------------------------------------------------------------------------


def _verify_store(share: float, as_json: bool) -> None:
    found = verify_store(lasting(current()), share)
    if as_json:
        print_data(SCHEMA, _as_data(found))
    else:
        _print(found)
    if not found.is_sound:
        raise typer.Exit(UNSOUND)


def _print(found: Verification) -> None:
    files = counted(found.objects + found.blobs, "file")
    print(f"{counted(found.records, 'record')} and {files} ({size_text(found.bytes)}) are sound")
    if found.damaged_records:
        print(f"{counted(found.damaged_records, 'record')} damaged, and removed")
    if found.damaged_files:
        print(f"{counted(found.damaged_files, 'file')} damaged, and set aside")
    if found.damaged_folders:
        print(f"{counted(found.damaged_folders, 'restored folder')} damaged, and removed")
    for call in found.lost[:SHOWN]:
        print(f"lost      {short(call.key)}  {sentence_of(call)}")
    for each in found.incomplete[:SHOWN]:
        print(f"lost      {short(each.digest)}  snapshot of {each.path}")
    more = len(found.lost[SHOWN:]) + len(found.incomplete[SHOWN:])
    if more:
        print(f"and {more} more, which --json shows")
    if found.lost:
        print("calls are computed again when they are asked for")


def _as_data(found: Verification) -> dict[str, Any]:
    return {
        **found._asdict(),
        "lost": [call.key.hex() for call in found.lost],
        "incomplete": [
            {"digest": each.digest.hex(), "path": each.path} for each in found.incomplete
        ],
    }


# -- a program ------------------------------------------------------------------------------------


def _verify_program(program: list[str], sample: str) -> None:
    """Run a program in a process of its own, as it would run without this one."""
    with tempfile.TemporaryDirectory() as folder:
        events = os.path.join(folder, "events")
        environment = os.environ | {"HITSAVE_MODE": "verify", "HITSAVE_SAMPLE": sample}
        command = [sys.executable, "-m", "hitsave", "run", "--events", events, *program]
        code = subprocess.run(command, env=environment, check=False).returncode
        outcomes = _outcomes(events)
    found = Counter(each["outcome"] for each in outcomes)
    said = ", ".join(f"{number} {outcome}" for outcome, number in sorted(found.items()))
    run = counted(len(outcomes), "call")
    print(f"hitsave: {run} that hit were run: {said or 'none hit'}", file=sys.stderr)
    for each in outcomes:
        if each["outcome"] != "same":
            print(f"hitsave: {_line_of(each)}", file=sys.stderr)
    raise typer.Exit(code or (UNSOUND if found.keys() & WRONG else 0))


def _outcomes(path: str) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8") as lines:
            told = [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []  # there is no such program
    return [each for each in told if each["event"] == "verified"]


def _line_of(outcome: dict[str, str]) -> str:
    key, what = outcome["key"][:12], outcome["outcome"]
    now = f": {outcome['now']}, and recorded is {outcome['recorded']}"
    return f"{what:<9} {key}  {outcome['symbol']}{now}"
