"""The ledger: the source of the latest execution of every module that was watched.

Owns the kept bytes and their generation. Refuses locks: a process that forks while another thread
imports would leave its child a lock that nobody releases, so every step here is one atomic
operation on a dict or a list.
"""

from types import CodeType
from typing import NamedTuple


class ExecutedSource(NamedTuple):
    """What was executed for a module, as it was when it was executed.

    `module` is the name it ran under (`"__main__"` for the program itself), `path` the origin of
    its spec (inside the archive, for a zip), `content` the very bytes of the source that the
    executed code was compiled from.

    Where Python ran bytecode that is not of the source beside it (an unchecked hash-based `.pyc`),
    `is_bytecode` is true and `content` holds that bytecode: it is no source and cannot be parsed,
    but it changes whenever what is executed changes. `code` is the module's code object, through
    which those of all its functions are found, also of such as nothing holds any more.
    """

    module: str
    path: str
    content: bytes
    is_package: bool
    is_bytecode: bool = False
    code: CodeType | None = None


class Ledger:
    """Module name to the `ExecutedSource` of the latest execution of that name."""

    def __init__(self) -> None:
        self._sources: dict[str, ExecutedSource] = {}
        self._changes: list[str] = []

    def keep(self, source: ExecutedSource) -> None:
        """Keep `source`, in place of what was kept for an earlier execution of the same name."""
        self._sources[source.module] = source
        # Only after the source: who reads the generation first then sees at least that much.
        self._changes.append(source.module)

    def forget(self, module: str) -> None:
        """Drop what is kept for `module`: it is about to be executed in a way that is not seen."""
        if self._sources.pop(module, None) is not None:
            self._changes.append(module)

    def get(self, module: str) -> ExecutedSource | None:
        """Return what the latest execution of `module` ran, or None where none was seen.

        A module that was put into `sys.modules` by hand under the same name is not seen here;
        its `__file__` then differs from `path`.
        """
        return self._sources.get(module)

    def generation(self) -> int:
        """Return a number that grows with every change of the ledger."""
        return len(self._changes)

    def modules(self) -> tuple[str, ...]:
        """Return the names of all modules kept, in the order of their first execution."""
        return tuple(self._sources)
