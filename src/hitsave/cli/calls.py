"""`hitsave ls`, `show`, `forget`, `pin` and `gc`: what is recorded, and what stays of it."""

import sys
import time
from heapq import nlargest
from typing import Annotated, Any

import typer

from hitsave.cli.console import seconds
from hitsave.cli.output import confirm_removal, print_data
from hitsave.cli.usage import UsageError
from hitsave.code.dependencies import Dependency
from hitsave.collect.calls import KeptCall, delete_calls, find_calls, kept_calls, pin, unpin
from hitsave.collect.collector import Options, Report, collect
from hitsave.digest import short
from hitsave.errors import HitsaveError, StoreUnavailableError
from hitsave.session import Session, current
from hitsave.units import counted, read_size, size_text

SCHEMA = 1
"""Grows whenever the JSON changes in a way that its readers would notice."""

SHOWN = 40
"""How many dependencies are shown to people."""

LONGEST = 120
"""How many characters of a call are shown."""

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="CALL...",
        help="A function (module:name), a module, or the first digits of a call's key.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def list_calls(
    words: Annotated[
        str,
        typer.Argument(
            metavar="[CALL]", help="A function, a module, or a key.", show_default=False
        ),
    ] = "",
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the calls that are recorded, the latest first."""
    store = lasting(current()).store
    calls = find_calls(store, words) if words else kept_calls(store)
    latest = nlargest(limit, calls, key=lambda call: call.record.started)
    sizes = _object_sizes(latest)
    if as_json:
        print_data(SCHEMA, {"calls": [_as_data(call, sizes) for call in latest]})
        return
    for call in latest:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(call.record.started))
        took, size = seconds(call.record.seconds), size_text(_size(call, sizes))
        print(f"{short(call.key)}  {when}  {took:>8} {size:>9}  {sentence_of(call)}{_marks(call)}")


def show_call(
    digest: Annotated[
        str, typer.Argument(metavar="CALL", help="The first digits of a key.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Show all that is recorded of a call, and what it depends on."""
    session = lasting(current())
    found = find_calls(session.store, digest)
    call, sizes = found[0], _object_sizes(found[:1])
    manifest = session.manifest(call.record.code)
    dependencies = () if manifest is None else manifest.dependencies
    if as_json:
        rows = [_dependency_as_data(each) for each in dependencies]
        print_data(SCHEMA, {**_as_data(call, sizes), "dependencies": rows})
        return
    print(f"{sentence_of(call)}{_marks(call)}")
    for name, value in _facts(call, sizes):
        print(f"  {name:<9} {value}")
    print(f"  depends on {counted(len(dependencies), 'thing')}:" if dependencies else "")
    for each in dependencies[:SHOWN]:
        print(f"    {short(each.digest)}  {each.symbol} ({each.facet})")
    if len(dependencies) > SHOWN:
        print(f"    and {len(dependencies) - SHOWN} more, which --json shows")
    if len(found) > 1:
        more = counted(len(found) - 1, "earlier call")
        print(f"hitsave: note: {more} more; `hitsave ls {digest}` lists them", file=sys.stderr)


def forget(words: Words, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Remove calls, which are then computed again. Their results go with the next gc."""
    store = lasting(current()).store
    found = _all_meant(words)
    for call in found:
        print(f"{short(call.key)}  {sentence_of(call)}{_marks(call)}")
    if dry_run:
        return
    confirm_removal(f"Forget {counted(len(found), 'call')}?", yes)
    delete_calls(store, found)


def pin_calls(
    words: Words,
    remove: Annotated[bool, typer.Option("--remove", help="Let them go again.")] = False,
) -> None:
    """Let calls stay recorded, however little room there is."""
    store = lasting(current()).store
    found = _all_meant(words)
    (unpin if remove else pin)(store, found)
    for call in found:
        print(f"{short(call.key)}  {sentence_of(call)}")


def collect_now(
    dry_run: DryRun = False,
    max_size: Annotated[
        str,
        typer.Option(metavar="SIZE", help="How much may stay; the setting says, by default."),
    ] = "",
    now: Annotated[
        bool,
        typer.Option(
            "--now",
            help="Remove also what was used within the last day. Only while nothing else uses the "
            "store.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what nothing refers to, what has expired, and what is worth least of what is too much.

    The same is done now and then while results are stored. What is quickest to compute again for
    the room that it takes goes first, and of that what has not been used for longest. Experiments,
    pinned calls, snapshots and what restored links lead to stay.
    """
    session = lasting(current())
    try:
        limit = read_size(max_size) if max_size else session.settings.max_size
    except ValueError as error:
        raise UsageError(f"{max_size!r} is no size.", f"it takes {error}") from error
    options = Options(limit, dry_run=dry_run)
    report = collect(session, options._replace(grace=0.0) if now else options)
    if report is None:
        raise HitsaveError("Another process is at it.", "try again later")
    if report.trouble:
        raise HitsaveError(f"Nothing was removed from the store: {report.trouble}.")
    if as_json:
        print_data(SCHEMA, _report_as_data(report))
    else:
        _print_report(report, dry_run)


def _print_report(report: Report, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for calls, why in ((report.expired, "expired"), (report.evicted, "too much")):
        for call in calls:
            print(f"{short(call.key)}  {why:<8}  {sentence_of(call)}")
    gone = counted(len(report.expired) + len(report.evicted), "call")
    freed = f"{counted(report.files, 'file')} ({size_text(report.freed)})"
    print(f"{gone} and {freed} {would}removed")
    print(f"{size_text(report.after)} of {size_text(report.limit)} {would}used")
    if report.fresh:
        print(
            f"{size_text(report.fresh)} that nothing refers to stays for now: it was used within "
            "the last day"
        )


def lasting(session: Session) -> Session:
    """Return a session. Raises StoreUnavailableError where its store could not be opened."""
    if not session.store.lasts:
        # Of which was warned, with the reason.
        raise StoreUnavailableError("The store cannot be used.")
    return session


def _all_meant(words: list[str]) -> list[KeptCall]:
    store = current().store
    found = {call.key: call for each in words for call in find_calls(store, each)}
    return list(found.values())


def _object_sizes(calls: list[KeptCall]) -> dict[bytes, int]:
    if all(call.record.object is None for call in calls):
        return {}
    return {held.digest: held.size for held in current().store.objects()}


def _size(call: KeptCall, sizes: dict[bytes, int]) -> int:
    stored = call.record.object
    return call.size + (0 if stored is None else sizes.get(stored, 0))


def sentence_of(call: KeptCall) -> str:
    """Return a call with its arguments and its result, as summaries, in one line."""
    record = call.record
    given = ", ".join(f"{name}={summary}" for name, _, summary in record.arguments)
    return _one_line(f"{record.symbol}({given}) -> {record.result}")


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _marks(call: KeptCall) -> str:
    marks = ["pinned"] * call.is_pinned + ["experiment"] * (call.record.kind == "experiment")
    return f"  [{', '.join(marks)}]" if marks else ""


def _facts(call: KeptCall, sizes: dict[bytes, int]) -> list[tuple[str, str]]:
    record = call.record
    facts = [
        ("key", call.key.hex()),
        ("code", record.code.hex()),
        ("recorded", _moment(record.started)),
        ("used", _moment(call.used)),
        ("took", seconds(record.seconds)),
        ("size", size_text(_size(call, sizes))),
    ]
    if record.expires is not None:
        facts.append(("expires", _moment(record.expires)))
    facts += [("keeps", digest.hex()) for digest in record.keeps]
    return facts + [(name, str(value)) for name, value in record.context.items()]


def _moment(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _as_data(call: KeptCall, sizes: dict[bytes, int]) -> dict[str, Any]:
    record = call.record
    return {
        "key": call.key.hex(),
        "symbol": record.symbol,
        "code": record.code.hex(),
        "arguments": [
            {"name": name, "digest": digest.hex(), "summary": summary}
            for name, digest, summary in record.arguments
        ],
        "result": record.result,
        "kind": record.kind,
        "started": record.started,
        "seconds": record.seconds,
        "used": call.used,
        "expires": record.expires,
        "size": _size(call, sizes),
        "pinned": call.is_pinned,
        "keeps": [digest.hex() for digest in record.keeps],
        "context": record.context,
    }


def _dependency_as_data(dependency: Dependency) -> dict[str, Any]:
    return {
        "symbol": str(dependency.symbol),
        "facet": str(dependency.facet),
        "digest": dependency.digest.hex(),
    }


def _report_as_data(report: Report) -> dict[str, Any]:
    return {
        "expired": [call.key.hex() for call in report.expired],
        "evicted": [call.key.hex() for call in report.evicted],
        **{
            name: getattr(report, name)
            for name in ("files", "freed", "kept", "fresh", "before", "after", "limit")
        },
    }
