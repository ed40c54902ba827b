"""`hitsave demo`: a small analysis, run cold, from the cache, and after an edit.

Owns what the demo does and the check that it happened: what it shows is what real processes wrote,
and it fails where they did not compute, and serve, exactly what they should. Refuses to touch any
folder but its own.
"""

import difflib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from hitsave import queries
from hitsave.cli.console import seconds
from hitsave.cli.usage import UsageError
from hitsave.errors import HitsaveError
from hitsave.units import counted

SCRIPT = "analysis.py"
EVENTS = "events.jsonl"
TEMPLATE = "-tpl"
"""What the names of the project's sources end in here, where they are data and no modules."""


class Edit(NamedTuple):
    """One line that the demo changes, what that is in, and the steps that depend on it."""

    file: str
    before: str
    after: str
    symbol: str
    dependents: frozenset[str]


EDIT = Edit(
    "letters.py",
    'return letter in "aeiou"',
    'return letter in "aeiouy"',
    "letters:is_vowel",
    frozenset({"analysis:readability", "analysis:longest_words"}),
)
STEPS = EDIT.dependents | {"analysis:collocations", "analysis:lookalikes"}


class Outcome(NamedTuple):
    """What one run did: what it printed, the steps that hit, and why the others missed."""

    printed: tuple[str, ...]
    hits: frozenset[str]
    misses: dict[str, str]


class DemoError(HitsaveError):
    """What the demo set out to show did not happen."""


def demo(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Work in DIR, a new or empty folder, and keep it."),
    ] = None,
) -> None:
    """Run a small text analysis, run it again from the cache, edit it, and run it a third time.

    It works in a temporary folder, with a cache of its own, and takes a few seconds.
    """
    with _folder(keep) as folder:
        _write_project(folder)
        _say(f"A small analysis of a book, in {folder}: four memoised steps, in {SCRIPT}.")
        _run_again(folder, _run_cold(folder))
        _edit(folder)
        _run_edited(folder)
    _say_goodbye(keep)


# -- the folder ---------------------------------------------------------------------------------


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="hitsave-demo-") as made:
            yield Path(made)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(f"{keep} is there already, and not empty.", "name a new folder")
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{keep} cannot be made: {reason}.", "name another folder") from error
    yield keep.absolute()


def _write_project(folder: Path) -> None:
    for entry in files("hitsave.cli").joinpath("demo_project").iterdir():
        if entry.is_file():
            (folder / entry.name.removesuffix(TEMPLATE)).write_bytes(entry.read_bytes())
    # A cache of its own, also for who goes on working in the folder.
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[tool.hitsave]\nhome = {json.dumps(str(folder / 'cache'))}\n")


# -- the steps of the demo ----------------------------------------------------------------------


def _run_cold(folder: Path) -> Outcome:
    _title("1. The first run: nothing is recorded yet, so every step is computed.")
    outcome = _run(folder)
    _require(not outcome.hits and outcome.misses.keys() == STEPS, "every step to be computed")
    return outcome


def _run_again(folder: Path, first: Outcome) -> None:
    _title("2. The same again, in a new process: every step is served from the cache.")
    outcome = _run(folder)
    _require(outcome.hits == STEPS and not outcome.misses, "every step to be served")
    _require(outcome.printed == first.printed, "the results to be the same")


def _edit(folder: Path) -> None:
    _title(f"3. One line is edited in {EDIT.file}, a helper of a helper:")
    file = folder / EDIT.file
    before = file.read_text(encoding="utf-8")
    after = before.replace(EDIT.before, EDIT.after)
    _require(before.count(EDIT.before) == 1, f"one line to edit in {EDIT.file}")
    file.write_text(after, encoding="utf-8", newline="\n")
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    _say("\n".join(f"   {line}".rstrip() for line in list(lines)[2:]))


def _run_edited(folder: Path) -> None:
    _say("\n   Only the steps that depend on it are computed again; each says why.")
    outcome = _run(folder)
    _require(outcome.misses.keys() == EDIT.dependents, "the steps that depend on it to be computed")
    _require(outcome.hits == STEPS - EDIT.dependents, "the other steps to be served")
    for detail in outcome.misses.values():
        _require(EDIT.symbol in detail and f"+    {EDIT.after}" in detail, "each to say why")
    _say("\n   How the first of them comes to depend on it, by `hitsave graph --why`:")
    steps = queries.path_between(f"{folder / SCRIPT}:readability", EDIT.symbol)
    _require(bool(steps), "a path of references to the edit")
    _say("     " + " → ".join(str(step.symbol) for step in steps))


# -- running ------------------------------------------------------------------------------------


def _run(folder: Path) -> Outcome:
    """Run the script in a process of its own, show what it writes, and return what it did."""
    events = folder / EVENTS
    events.unlink(missing_ok=True)
    _say(f"\n   $ python -m hitsave run --verbose {SCRIPT}")
    words = ["-m", "hitsave", "run", "--verbose", "--events", EVENTS, SCRIPT]
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        check=False,
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    took = time.perf_counter() - started
    _say("\n".join(f"   {line}" for line in done.stdout.splitlines()))
    _require(done.returncode == 0, f"{SCRIPT} to end with exit code 0, not {done.returncode}")
    outcome = _outcome(done.stdout, events)
    computed, served = counted(len(outcome.misses), "step"), counted(len(outcome.hits), "step")
    _say(f"   So: {computed} computed, {served} served, in {seconds(took)} with Python's start.")
    return outcome


def _outcome(written: str, events: Path) -> Outcome:
    printed = [line for line in written.splitlines() if not line.startswith(("hitsave:", " "))]
    hits, misses, stored = set(), {}, set()
    for line in events.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "hit":
            hits.add(event["symbol"])
        elif event["event"] == "miss":
            misses[event["symbol"]] = f"{event['reason']}\n{event['detail']}"
        elif event["event"] == "stored":
            stored.add(event["symbol"])
    _require(stored == misses.keys(), "what was computed to be recorded")
    return Outcome(tuple(printed), frozenset(hits), misses)


def _environment(folder: Path) -> dict[str, str]:
    """The environment without the user's settings, which could change what is shown."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HITSAVE_")}
    kept |= {
        "XDG_CONFIG_HOME": str(folder),
        # One stream, in the order in which things happen.
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }
    source = Path(__file__).parents[2]
    if source.name not in ("site-packages", "dist-packages"):
        # Where this hitsave is no installed one, it may have been found by the working folder.
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(source), kept.get("PYTHONPATH"))))
    return kept


# -- telling ------------------------------------------------------------------------------------


def _require(holds: bool, expected: str) -> None:
    if not holds:
        message = f"the demo expected {expected}, and that did not happen"
        raise DemoError(message, "what it showed above is what did; please report it")


def _title(text: str) -> None:
    _say(f"\n{text}")


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, errors="replace").decode(encoding), flush=True)


def _say_goodbye(keep: Path | None) -> None:
    where = keep or "hitsave-demo"
    kept = "" if keep else f"  python -m hitsave demo --keep {where}\n"
    _say(
        f"\nWhat to try next:\n{kept}"
        f"  cd {where}, edit a line, add a comment, and: python -m hitsave run -v {SCRIPT}\n"
        f"  python -m hitsave graph {SCRIPT}:readability\n"
        f"  python -m hitsave graph --reverse {EDIT.symbol}"
    )
