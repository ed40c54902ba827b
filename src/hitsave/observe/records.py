"""Records: what observation hands to the other rooms."""

from types import CodeType
from typing import NamedTuple

from hitsave.digest import Digest


class Started(NamedTuple):
    """A code object, as it can be found again in another process of the same source.

    `path` is absolute, `line` is the first line, `name` is qualified, and `column` is what
    `code.columns.lambda_column` says.
    """

    path: str
    line: int
    name: str
    column: int


class Caller(NamedTuple):
    """The nearest frame of project code above an event, and the line that it was at."""

    path: str
    name: str
    line: int


NOBODY = Caller("", "", 0)
"""The caller of what no project code is above of."""


class Observed(NamedTuple):
    """What was seen from the beginning to the end of an evaluation, first occurrences only.

    Paths are absolute. A file that did not exist or could not be read, a folder that could not be
    listed, and a variable that was not set are None. `paths` holds "file", "folder" or "none".
    `modules` are absolute names that were asked for by a call, found or not. `made`
    is code of no file (`exec`) that started; `snapped` are snapshots that were taken. `blind`
    says in sentences why more may have happened than was seen; empty where everything was seen.
    """

    started: dict[Started, Caller]
    files: dict[str, tuple[Digest | None, Caller]]
    listings: dict[str, tuple[Digest | None, Caller]]
    paths: dict[str, tuple[str, Caller]]
    environment: dict[str, tuple[str | None, Caller]]
    modules: dict[str, Caller]
    made: dict[CodeType, Caller]
    snapped: tuple[Digest, ...]
    blind: tuple[str, ...]
