"""Archives: the same as `hook.loader`, for modules imported from zip files.

Owns the class that a copy of a `zipimporter` is armed with. Refuses to arm the importer itself:
`sys.path_importer_cache` shares one among all modules of an archive.
"""

import os
import sys
from types import CodeType
from typing import Any
from zipimport import zipimporter

from hitsave.hook.frames import executed_as, hide_frames
from hitsave.hook.ledger import ExecutedSource, Ledger
from hitsave.hook.loader import give_up


class KeepingZipImporter(zipimporter):
    """What a `zipimporter` is, for one module, and keeps what it executes."""

    __slots__ = ()
    _hitsave_ledger: Ledger
    _hitsave_plain: type[zipimporter]
    _hitsave_origin: str

    def get_code(self, fullname: str) -> CodeType:
        try:
            module = executed_as(fullname, self, sys._getframe(1))
            if module is None:
                return super().get_code(fullname)
            before = _identity(self.archive)
            code = super().get_code(fullname)
        except BaseException as error:
            hide_frames(error)
            raise
        self._hitsave_keep(module, fullname, code, before)
        del self._hitsave_origin
        self.__class__ = self._hitsave_plain  # type: ignore[assignment]
        return code

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle and copy as the plain importer."""
        state = {name: value for name, value in vars(self).items() if name != "_hitsave_origin"}
        return object.__new__, (self._hitsave_plain,), state

    def _hitsave_keep(
        self, module: str, fullname: str, code: CodeType, before: tuple[int, ...] | None
    ) -> None:
        try:
            content, is_bytecode = self._hitsave_content(code)
            if before is None or _identity(self.archive) != before:
                raise LookupError("its archive changed while it was read")
            source = ExecutedSource(
                module, self._hitsave_origin, content, self.is_package(fullname), is_bytecode
            )
            self._hitsave_ledger.keep(source)
        except Exception as error:
            give_up(self._hitsave_ledger, module, error)

    def _hitsave_content(self, code: CodeType) -> tuple[bytes, bool]:
        """Return the bytes that `code` is of, and whether they are bytecode.

        Times in an archive are even seconds, set by whoever packed it: bytecode in one is compared
        with what its source compiles to.
        """
        origin = self._hitsave_origin
        if not origin.endswith(".pyc"):
            return self.get_data(origin), False
        source = self.get_data(origin[:-1])
        if compile(source, origin[:-1], "exec", dont_inherit=True) == code:
            return source, False
        return self.get_data(origin), True


def _identity(archive: str) -> tuple[int, ...] | None:
    """Return what changes when the file `archive` does; None where it cannot be looked at."""
    try:
        status = os.stat(archive)
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
