"""Cases: what an edit case is, as values.

Owns the words of the format: chapter, case, block, expectation, way. Refuses to read Markdown
(`parse`) and to run anything (`sandbox`, `judge`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hitsave.errors import HitsaveError

SCRIPT = "script.py"
"""The entry file of every case."""


class CaseError(HitsaveError, ValueError):
    """A case is written wrongly, or its label contradicts what it does without a cache."""


class Expect(StrEnum):
    """What a correct cache does across the edit."""

    RECOMPUTES = "recomputes"
    """The edit changes the result: serving the recorded one would be stale."""
    HITS = "hits"
    """The edit cannot change the result: computing again would be needless."""
    FINER = "finer"
    """The result is the same, but seeing that takes more than a definition's digest."""
    UNTRACKED = "untracked"
    """The result changes with something that hitsave says it does not track."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fence of a case: `text` of the file `path`, or a diff of it where `language` is `diff`."""

    language: str
    path: str
    text: str
    edited: bool


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a case.

    `layout` is `script` (the memoised function lives in `__main__`) or `module` (the same text is
    imported). `launcher` is `python` (`python script.py`) or `run` (`python -m hitsave run ...`).
    """

    layout: str
    launcher: str

    def __str__(self) -> str:
        return f"{self.layout}-{self.launcher}"


WAYS = tuple(
    Way(layout, launcher) for layout in ("script", "module") for launcher in ("python", "run")
)
"""Every way, in a fixed order."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution of the case: its files lie under `site-packages/`."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Case:
    """A small project, an edit, and what a correct cache does across it.

    `before` and `after` map paths to text. A path lies inside the project, except below
    `site-packages/` (installed) and `sibling/` (a second source tree on `sys.path`).
    """

    name: str
    source: str
    prose: str
    expect: Expect
    blocks: tuple[Block, ...]
    before: Mapping[str, str]
    after: Mapping[str, str]
    call: str = "f(3)"
    environment: Mapping[str, str] | None = None
    arguments: tuple[str, ...] = ()
    elsewhere: bool = False
    moved: bool = False
    distribution: Distribution | None = None
    layout: str = ""
    needs: tuple[str, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that this case can be run in."""
        return tuple(way for way in WAYS if self.layout in ("", way.layout))


@dataclass(frozen=True, slots=True)
class Chapter:
    """A Markdown file of cases."""

    title: str
    prose: str
    cases: tuple[Case, ...]
