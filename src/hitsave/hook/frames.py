"""Frames: who asks for code, and tracebacks that show no frame of the hook.

Owns the two things that the hook has to know about the call stack. Refuses to hold on to frames.
"""

import sys
from importlib.machinery import SourceFileLoader
from types import FrameType, TracebackType

IMPORTLIB_EXEC_MODULE = SourceFileLoader.exec_module.__code__
"""The code that executes a module for `SourceFileLoader`, `zipimporter` and what derives."""


def executed_as(fullname: str, loader: object, asking: FrameType) -> str | None:
    """Return the name that the code about to be fetched by `asking` is executed under.

    None where it is not fetched in order to be executed: `inspect`, `pkgutil` and debuggers ask
    loaders for code as well, long after the module was executed from other text.
    """
    own = getattr(getattr(type(loader), "exec_module", None), "__code__", None)
    if asking.f_code is IMPORTLIB_EXEC_MODULE or asking.f_code is own:
        return fullname
    return "__main__" if _runs_main(asking) else None


def _runs_main(asking: FrameType) -> bool:
    """Whether `asking` belongs to a `python -m` (or a directory, or a zip file, being run)."""
    runpy = sys.modules.get("runpy")
    frame: FrameType | None = asking
    while runpy is not None and frame is not None and frame.f_globals is vars(runpy):
        if frame.f_code.co_name == "_run_module_as_main":
            return True
        frame = frame.f_back
    return False


def hide_frames(error: BaseException) -> None:
    """Take the frames of this package out of the traceback of `error`.

    For use in an `except BaseException` that ends in a bare `raise`: a bare `raise` does not add
    its own frame again, so the traceback that the user sees is the one that Python alone makes.
    """
    shown: list[TracebackType] = []
    entry = error.__traceback__
    while entry is not None:
        if not _is_ours(entry):
            shown.append(entry)
        entry = entry.tb_next
    for before, after in zip(shown, [*shown[1:], None], strict=True):
        # Only where it differs: setting it walks the rest of the traceback.
        if before.tb_next is not after:
            before.tb_next = after
    error.__traceback__ = shown[0] if shown else None


def _is_ours(entry: TracebackType) -> bool:
    return entry.tb_frame.f_globals.get("__package__") == __package__
