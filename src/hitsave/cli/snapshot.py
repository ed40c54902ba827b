"""`hitsave snapshot`: files and folders into the store, and out of it again."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hitsave import snapshot
from hitsave.cli.output import confirm_removal, print_data
from hitsave.cli.usage import UsageError
from hitsave.digest import short
from hitsave.errors import SnapshotError
from hitsave.events import Copied, Event, subscribe
from hitsave.session import current
from hitsave.snapshot import DirectorySnapshot, FileSnapshot, catalog
from hitsave.units import counted, size_text

SCHEMA = 1
"""Grows whenever the JSON changes in a way that its readers would notice."""


class _TakesPaths(TyperGroup):
    """Commands by name, and a path that is none of them is to be snapped."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["take", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(cls=_TakesPaths, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def snapshots() -> None:
    """Keep a file or folder, and give it back: hitsave snapshot PATH [--ignore PATTERN] [--json],
    hitsave snapshot --restore DIGEST OUT_PATH, or one of the commands below.

    A PATH that is called like a command is written ./ls.
    """


@app.command(hidden=True)
def take(
    path: Annotated[str, typer.Argument(metavar="PATH", show_default=False)],
    restore: Annotated[
        str | None,
        typer.Option("--restore", metavar="DIGEST", help="Restore this snapshot at PATH."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Leave out what matches, as in a .gitignore.")
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Restore copies rather than links to the store.")
    ] = False,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Remove from a folder what its snapshot has not.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files without keeping what they held.")
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Make it available to everybody.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Keep the file or folder at PATH and print its digest, or restore a snapshot there."""
    if public:
        raise SnapshotError(
            "No remote is set up, so that nothing can be made public.",
            "snapshots stay in the local store of this computer",
        )
    with _progress():
        if restore is not None:
            _restore(restore, path, copy=copy, mirror=mirror, overwrite=overwrite, data=as_json)
        else:
            _take(path, ignore or [], as_json)


def _take(path: str, ignore: list[str], as_json: bool) -> None:
    if not current().store.lasts:
        # Of which was warned, with the reason.
        raise SnapshotError("Nothing can be kept: the store cannot be used.")
    try:
        taken: FileSnapshot | DirectorySnapshot = DirectorySnapshot.snap(path, ignore)
    except SnapshotError as error:
        if error.hint != "use FileSnapshot.snap":
            raise
        taken = FileSnapshot.snap(path)
    print_data(SCHEMA, _as_data(taken)) if as_json else print(taken.digest)


def _restore(
    digest: str, path: str, *, copy: bool, mirror: bool, overwrite: bool, data: bool
) -> None:
    found = snapshot.from_digest(digest)
    link, replace = ("copy" if copy else "symlink"), (True if overwrite else None)
    if isinstance(found, DirectorySnapshot):
        restored = found.restore_at(path, link, overwrite=replace, mirror=mirror)  # type: ignore[arg-type]
    elif mirror:
        raise UsageError("--mirror is for folders.", f"{digest} is a file's")
    else:
        restored = found.restore_at(path, link, replace)  # type: ignore[arg-type]
    print_data(SCHEMA, {**_as_data(found), "restored": str(restored)}) if data else print(restored)


@app.command("ls")
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """List the snapshots in the store, the newest first."""
    found = catalog.everything(current().store)
    if as_json:
        print_data(SCHEMA, {"snapshots": [_listed_as_data(each) for each in found]})
        return
    for each in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.created))
        kind = counted(each.files, "file") if each.is_folder else "file"
        by = "  [by a call]" if each.by_call else ""
        size = f"{size_text(each.size):>9}"
        print(f"{short(each.digest)}  {when}  {size}  {kind:<12} {each.path}{by}")


@app.command()
def show(
    digest: str, as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False
) -> None:
    """Show what is in a snapshot."""
    found = catalog.find(current().store, digest)
    tree = catalog.read_tree(current().store, found.digest) if found.is_folder else ()
    if as_json:
        print_data(
            SCHEMA,
            {**_listed_as_data(found), "entries": [_entry_as_data(each) for each in tree]},
        )
        return
    print(f"{found.digest.hex()}  {size_text(found.size)}  {found.path}")
    for entry in tree:
        name = entry.path + "/" * entry.is_folder
        size = "" if entry.is_folder else size_text(entry.size)
        print(f"{entry.mode:04o} {size:>9}  {short(entry.digest):<12}  {name}")


@app.command()
def diff(
    first: str,
    second: str,
    as_json: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Show how the folders of two snapshots differ. The exit code is 1 where they do."""
    found = DirectorySnapshot.from_digest(first).diff(DirectorySnapshot.from_digest(second))
    if as_json:
        print_data(SCHEMA, found._asdict())
    else:
        marks = zip("+-~", found, strict=True)
        lines = sorted((path, mark) for mark, paths in marks for path in paths)
        for path, mark in lines:
            print(f"{mark} {path}")
    if found:
        raise typer.Exit(1)


@app.command()
def rm(
    digests: list[str],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take snapshots out of the list. Results that hold them keep their content."""
    store = current().store
    found = [catalog.find(store, digest) for digest in digests]
    for each in found:
        print(f"{short(each.digest)}  {size_text(each.size)}  {each.path}")
    if dry_run:
        return
    confirm_removal(f"Remove {counted(len(found), 'snapshot')}?", yes)
    for each in found:
        catalog.remove(store, each)


def _as_data(taken: FileSnapshot | DirectorySnapshot) -> dict[str, Any]:
    is_folder = isinstance(taken, DirectorySnapshot)
    files = taken.files if isinstance(taken, DirectorySnapshot) else 1
    kind = "folder" if is_folder else "file"
    return {
        "kind": kind,
        "digest": taken.digest,
        "path": taken.path,
        "size": taken.size,
        "files": files,
    }


def _listed_as_data(found: catalog.Listed) -> dict[str, Any]:
    return {
        "kind": "folder" if found.is_folder else "file",
        "digest": found.digest.hex(),
        "path": found.path,
        "size": found.size,
        "files": found.files,
        "created": found.created,
        "by_call": found.by_call,
    }


def _entry_as_data(entry: Any) -> dict[str, Any]:
    return {
        "path": entry.path,
        "mode": f"{entry.mode:04o}",
        "size": entry.size,
        "digest": entry.digest.hex() or None,
    }


@contextmanager
def _progress() -> Iterator[None]:
    """Say on a terminal, while it goes on, how far long work has come."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, counts = bar.add_task("", total=None), [0, 0]

        def hear(event: Event) -> None:
            if isinstance(event, Copied):
                counts[:] = counts[0] + 1, counts[1] + event.size
                done = f"{counted(counts[0], 'file')}, {size_text(counts[1])}"
                bar.update(task, description=done)

        end = subscribe(hear)
        try:
            yield
        finally:
            end()
