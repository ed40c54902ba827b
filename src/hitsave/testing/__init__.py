"""Testing: edit cases written in Markdown, and the runner that tries them in fresh interpreters.

Owns the public names for testing what an edit does to a cached result: `read_chapter` reads cases,
`run_case` runs one of them, its `Report` says what happened. Refuses to know pytest: a test module
asserts on the report.
"""

from hitsave.testing.cases import Block, Case, CaseError, Chapter, Expect, Way
from hitsave.testing.judge import Report, Verdict, run_case
from hitsave.testing.parse import parse_chapter, read_chapter
from hitsave.testing.sandbox import Run

__all__ = [
    "Block",
    "Case",
    "CaseError",
    "Chapter",
    "Expect",
    "Report",
    "Run",
    "Verdict",
    "Way",
    "parse_chapter",
    "read_chapter",
    "run_case",
]
