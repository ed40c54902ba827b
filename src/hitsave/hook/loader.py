"""Loaders: keep the very bytes that a module was executed from.

Owns the class that a found loader is armed with, and the judgement of bytecode. Refuses to stay:
once the module's code is fetched, its loader is again of the class that Python gave it, and no
frame of this package is on the stack while the module runs.

Which bytes were executed is plain when Python compiles them. With a `.pyc` it is not: Python
compares whole seconds and sizes, so after an edit within one second that keeps the size it runs
*the old code*, with the new text on disk. So, as Git does for its index, a `.pyc` that was not
written clearly later than the last change of its source (`RACY_NS`; a change of the inode counts
as well, since copying tools set the modification time back) is not used. Python then compiles the
text and writes a new `.pyc`, which soon is clearly later. This is the one place where an import
under the hook differs from one without: it runs the text in the file where plain Python may run an
older one. Running the old code and recording the text would serve stale results.

A hash-based `.pyc` is compared with its source by that hash. Where it is of other source (Python
uses it then only when told not to check), Python's choice stands and the bytecode itself is kept.
"""

import os
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

from hitsave import events
from hitsave.hook.frames import executed_as, hide_frames
from hitsave.hook.ledger import ExecutedSource, Ledger

RACY_NS = 2_000_000_000
"""How much later than its source a `.pyc` must have been written, in nanoseconds.

It covers file systems that count in steps of two seconds, and the time between Python's reading of
the text and its writing of the bytecode.
"""

_TIMESTAMPED = bytes(4)


class _Reading:
    """What one fetching of a module's code came by; None for what it did not."""

    __slots__ = ("bytecode", "compiled", "judged")

    def __init__(self) -> None:
        self.compiled: bytes | None = None  # source that Python compiled
        self.judged: bytes | None = None  # source that the timestamped bytecode is of
        self.bytecode: bytes | None = None


class KeepingLoader(SourceFileLoader):
    """What a `SourceFileLoader` is, and keeps what it executes, until it has executed.

    Its attributes have long names since it shares them with loader classes of others.
    """

    __slots__ = ()
    _hitsave_ledger: Ledger
    _hitsave_plain: type[SourceFileLoader]
    _hitsave_reading: _Reading | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        try:
            module = executed_as(fullname, self, sys._getframe(1))
            if module is None:
                return super().get_code(fullname)
            self._hitsave_reading = reading = _Reading()
            try:
                code = super().get_code(fullname)
            finally:
                vars(self).pop("_hitsave_reading", None)
        except BaseException as error:
            hide_frames(error)
            raise
        self._hitsave_keep(module, fullname, reading, code)
        self.__class__ = self._hitsave_plain  # type: ignore[assignment]
        return code

    def source_to_code(  # type: ignore[override]
        self, data: Any, path: Any, *args: Any, **options: Any
    ) -> CodeType:
        reading = self._hitsave_reading
        if reading is not None and isinstance(data, bytes):
            reading.compiled = data
        return super().source_to_code(data, path, *args, **options)

    def get_data(self, path: str) -> bytes:
        reading = self._hitsave_reading
        if reading is None or not str(path).endswith(".pyc"):
            return super().get_data(path)
        # Before the reading: a .pyc replaced in between then seems older than it is, not newer.
        written = os.stat(path).st_mtime_ns
        reading.bytecode = data = super().get_data(path)
        if data[4:8] == _TIMESTAMPED and self._hitsave_is_racy(data, written, reading):
            # What importlib takes for "there is no bytecode".
            raise OSError(f"{path} may be of an earlier text of its source")
        return data

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle and copy as the plain loader."""
        return object.__new__, (self._hitsave_plain,), self.__dict__

    def _hitsave_is_racy(self, data: bytes, written: int, reading: _Reading) -> bool:
        """Whether Python would use the bytecode `data` although it may be of an earlier text.

        Where Python will use it and may, the source is noted.
        """
        try:
            source = super().get_data(self.path)
            # After the reading: a change during it then counts as later than the bytecode.
            status = os.stat(self.path)
        except OSError:
            return False
        if data[8:16] != _stamp(status.st_mtime) + _stamp(status.st_size):
            return False
        if max(status.st_mtime_ns, status.st_ctime_ns) + RACY_NS > written:
            return True
        reading.judged = source
        return False

    def _hitsave_keep(
        self, module: str, fullname: str, reading: _Reading, code: CodeType | None
    ) -> None:
        """Keep what is about to be executed as `module`; nothing where that cannot be known."""
        try:
            content, is_bytecode = self._hitsave_content(reading)
            path, is_package = self.get_filename(fullname), self.is_package(fullname)
            self._hitsave_ledger.keep(
                ExecutedSource(module, path, content, is_package, is_bytecode, code)
            )
        except Exception as error:
            give_up(self._hitsave_ledger, module, error)

    def _hitsave_content(self, reading: _Reading) -> tuple[bytes, bool]:
        """Return the bytes that were executed, and whether they are bytecode."""
        source = reading.judged if reading.compiled is None else reading.compiled
        if source is not None:
            return source, False
        if reading.bytecode is None:
            raise LookupError("its loader compiles something else than the bytes of a file")
        source = super().get_data(self.path)
        if _source_hash(source) == reading.bytecode[8:16]:
            return source, False
        return reading.bytecode, True


def give_up(ledger: Ledger, module: str, error: Exception) -> None:
    """Forget `module`, whose executed source cannot be known because of `error`."""
    ledger.forget(module)
    events.warn(
        f"hook:{module}",
        f"the source that module {module!r} was executed from was not kept: {error!r}",
        "results that depend on it are recorded under the source that is found later",
    )


def _stamp(number: float) -> bytes:
    """Return `number` as the header of a `.pyc` holds it."""
    return (int(number) & 0xFFFFFFFF).to_bytes(4, "little")


def _source_hash(source: bytes) -> bytes:
    # Few programs have hash-based bytecode, and importlib.util costs every start otherwise.
    from importlib.util import source_hash

    return source_hash(source)
