"""Run a script or a module in this process, as Python itself would run it.

Owns what the interpreter does around a program: `sys.argv`, `sys.path[0]`, a fresh `__main__`,
the exit code, and what is shown of an uncaught exception, from which the frames of this module are
taken out. Refuses to set up the hook or a session (its callers do, beforehand), and to put
anything back: a process runs one program, and exits with what is returned here.
"""

import atexit
import builtins
import importlib.util
import os
import pkgutil
import runpy
import signal
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any

from hitsave.errors import TargetError
from hitsave.hook import ExecutedSource

Keep = Callable[[ExecutedSource], None]

INTERRUPTED = 130
"""What a shell reports for a process that died of Ctrl-C."""


def run_script(path: str, argv: list[str], keep: Keep | None = None) -> Any:
    """Run the program at `path`: a script, a directory or a zip file with a `__main__.py`.

    `argv` is what follows the script on the command line. `keep` is given the source of a script
    before it is executed, as the module `"__main__"`; of a directory or a zip file, and with
    `run_module`, the hook keeps it.

    Returns what to call `sys.exit` with, an int (as large as the program made it). An uncaught
    KeyboardInterrupt makes the process die of the signal when it exits, after its exit handlers.
    Raises TargetError, before anything is run or changed, where there is no such program.
    """
    importer = _importer(path)
    if importer is None:
        content = _read(path)
        _prepare([path, *argv], os.path.dirname(os.path.realpath(path)))
        return _outcome(_run_content, path, content, keep)
    if importer.find_spec("__main__") is None:
        raise TargetError(f"{path} has no __main__.py to run", "name the script inside it")
    _prepare([path, *argv], None)
    sys.path.insert(0, _absolute(path))
    return _outcome(_run_as_main, "__main__", False)


def run_module(name: str, argv: list[str]) -> Any:
    """Run the module `name` as `python -m` does; otherwise as `run_script`.

    Raises TargetError where there is no such module, or it cannot be run; for a submodule, its
    parent packages are imported before this is known.
    """
    directory = os.getcwd()
    _check_top_level(name, directory)
    _prepare(["-m", *argv], directory)
    return _outcome(_run_as_main, name, True)


# What there is to run


def _importer(path: str) -> Any:
    """Return what imports from `path`; None for a plain file."""
    return pkgutil.get_importer(_absolute(path)) if os.path.exists(path) else None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        folder = os.path.dirname(path)
        hint = ""
        if isinstance(error, FileNotFoundError):
            hint = _did_you_mean(os.path.basename(path), _listing(folder), folder)
        message = f"cannot read the script {path}: {error.strerror or error}"
        raise TargetError(message, hint) from error


def _check_top_level(name: str, directory: str) -> None:
    """Raise TargetError where no module can be `name`, without running anything to find out."""
    top = name.partition(".")[0]
    if not top:
        raise TargetError(f"{name!r} is not the name of a module", "relative names cannot be run")
    former = list(sys.path)
    if not sys.flags.safe_path:
        sys.path[0] = directory
    try:
        if top not in sys.modules and importlib.util.find_spec(top) is None:
            raise TargetError(f"no module is named {top!r}", _did_you_mean(top, _modules(None)))
    finally:
        sys.path[:] = former


def _modules(path: Iterable[str] | None) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(path)]


def _listing(folder: str) -> list[str]:
    try:
        return os.listdir(folder or ".")
    except OSError:
        return []


def _did_you_mean(name: str, names: list[str], folder: str = "") -> str:
    # Only on the way to an error: it loads `re`.
    from difflib import get_close_matches

    nearest = get_close_matches(name, names, n=1)
    return f"did you mean {os.path.join(folder, nearest[0])}?" if nearest else ""


def _absolute(path: str) -> str:
    """Return `path` as the interpreter makes it absolute for `__file__`: not normalised."""
    return os.getcwd() if path == "." else os.path.join(os.getcwd(), path)


# The interpreter's part


def _prepare(argv: list[str], directory: str | None) -> None:
    """Set what the interpreter sets before a program; `directory` takes the driver's place."""
    sys.argv = argv
    # The driver's own entry, which there is none of under -P.
    if not sys.flags.safe_path:
        sys.path[:1] = [] if directory is None else [directory]
    main = ModuleType("__main__")
    main.__loader__ = BuiltinImporter
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    vars(main)["__builtins__"] = builtins
    sys.modules["__main__"] = main


def _run_content(path: str, content: bytes, keep: Keep | None) -> None:
    """Execute the script at `path`, whose bytes are `content`, in `__main__`."""
    space = vars(sys.modules["__main__"])
    file = _absolute(path)
    if path.endswith(".pyc"):
        loader: Any = SourcelessFileLoader("__main__", file)
        code = loader.get_code("__main__")
    else:
        loader = SourceFileLoader("__main__", file)
        code = _compile(content, file)
        if keep is not None:
            keep(ExecutedSource("__main__", file, content, False, code=code))
    space.update(__loader__=loader, __file__=file, __cached__=None)
    try:
        exec(code, space)
    finally:
        # So does the interpreter: exit handlers do not see them.
        space.pop("__file__", None)
        space.pop("__cached__", None)
        _flush()


def _compile(content: bytes, file: str) -> CodeType:
    """Compile a script; the errors are those that the interpreter gives for files."""
    said: Exception | None = _undecodable(content, file)
    code: CodeType | None = None
    try:
        code = compile(content, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        said = said or _as_for_files(error, content, file)
    if said is not None or code is None:
        raise (said or SyntaxError(file)).with_traceback(None)
    return code


def _undecodable(content: bytes, file: str) -> SyntaxError | None:
    """Return what is wrong with a file that is not UTF-8 and does not say so.

    `compile` minds only where such bytes are in its way, and not in comments.
    """
    if any(b"coding" in line for line in content.split(b"\n", 2)[:2]):
        return None
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return SyntaxError(
            f"Non-UTF-8 code starting with '\\x{content[error.start]:02x}' in file {file} on line "
            f"{line}, but no encoding declared; see https://peps.python.org/pep-0263/ for details"
        )
    return None


def _as_for_files(error: SyntaxError | ValueError, content: bytes, file: str) -> Exception:
    """Return what the interpreter says when it reads `file` itself, where `compile` differs."""
    text = str(error.args[0])
    if "null bytes" in text:
        before = content[: content.index(b"\0")]
        number = before.count(b"\n") + 1
        line = before.rpartition(b"\n")[2].decode(errors="replace")
        return SyntaxError("source code cannot contain null bytes", (file, number, 0, line))
    if text.startswith("unknown encoding: "):
        return SyntaxError(text.replace("unknown encoding", "encoding problem", 1))
    if text.startswith("encoding problem: "):
        return SyntaxError(text)
    return error


def _run_as_main(name: str, is_module: bool) -> None:
    """Do what `python -m name` does, or for a directory or zip file at `sys.path[0]`."""
    # The interpreter itself calls this; only so are the frames of tracebacks the same.
    runpy._run_module_as_main(name, is_module)  # type: ignore[attr-defined]


# What is left of it


def _outcome(run: Callable[..., None], *arguments: Any) -> Any:
    """Call `run` and return what to exit with, having shown what the interpreter shows."""
    interrupted = _DeathByInterrupt()
    error = _error_of(run, *arguments)
    # Out of every `except`: what the user's hooks raise must not get a context from here.
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        _raise_if_no_target(error)
        return _exit_code(error)
    code = _show(error)
    if isinstance(error, KeyboardInterrupt):
        interrupted.is_due = True
        return INTERRUPTED
    return code


def _error_of(run: Callable[..., None], *arguments: Any) -> BaseException | None:
    try:
        run(*arguments)
    except BaseException as error:
        return error.with_traceback(_users(error.__traceback__))
    return None


def _users(entry: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback below the frames of this module."""
    while entry is not None and entry.tb_frame.f_globals is globals():
        entry = entry.tb_next
    return entry


def _raise_if_no_target(error: SystemExit) -> None:
    """Raise TargetError where it is `runpy` itself that gives up, on a module not to be run."""
    entry = error.__traceback__
    if entry is None or entry.tb_next is not None or entry.tb_frame.f_globals is not vars(runpy):
        return
    message = str(error.code).removeprefix(f"{sys.executable}: ")
    parent, _, name = message.removeprefix("No module named ").rpartition(".")
    path = getattr(sys.modules.get(parent), "__path__", None)
    hint = "" if path is None else _did_you_mean(name, _modules(path))
    raise TargetError(message[:1].lower() + message[1:], hint)


def _exit_code(error: SystemExit) -> Any:
    """Return what the interpreter exits with for `error`; a message it prints."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    _flush()
    print(error.code, file=sys.stderr)
    return 1


def _show(error: BaseException) -> Any:
    """Show an uncaught `error` through the user's `sys.excepthook`. Returns the exit code."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    wrong = _error_of(sys.excepthook, type(error), error, error.__traceback__)
    if isinstance(wrong, SystemExit):
        return _exit_code(wrong)
    if wrong is not None:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(wrong), wrong, wrong.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)
    return 1


def _flush() -> None:
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except Exception:
            # As the interpreter does here; it reports a broken stream when it exits.
            continue


class _DeathByInterrupt:
    """Ends the process by the signal, as Python ends after Ctrl-C, once exit handlers have run.

    A shell's loop stops only for a process that died so, not for one that exits with 130.
    """

    def __init__(self) -> None:
        self.is_due = False
        # Registered before the program's own, hence called after them.
        atexit.register(self._die_if_due)

    def _die_if_due(self) -> None:
        if self.is_due:
            _flush()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
