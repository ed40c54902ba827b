"""The directive `edit-cases`: the cases of `tests/cases`, as pages show them.

Owns how a case looks to a reader. Refuses to hold any case of its own: what the page says is what
the tests run.
"""

import inspect
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from hitsave.testing import Block, Case, Expect, parse, read_chapter

FOLDER = Path(__file__).parents[2] / "tests" / "cases"
# What readers meet first comes first; groups that are not listed follow in order of name.
ORDER = (
    *("own", "helper", "observed", "import", "global", "closure", "class", "decorator"),
    *("conditions", "needless"),
)
VERDICTS = {
    Expect.RECOMPUTES: "Computes again",
    Expect.HITS: "Hits",
    Expect.FINER: "May compute again",
    Expect.UNTRACKED: "Is not noticed",
}


class EditCases(SphinxDirective):
    """`{edit-cases} tracked` shows all that hitsave follows, `{edit-cases} untracked` the rest."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section for each chapter, with its cases."""
        untracked = self.arguments[0] == "untracked"
        lines: list[str] = []
        for path in sorted(FOLDER.glob("*.md"), key=_rank):
            self.env.note_dependency(str(path))
            chapter = read_chapter(path)
            cases = [case for case in chapter.cases if _belongs(case, untracked)]
            if cases and not untracked:
                lines += [f"## {chapter.title}", "", chapter.prose, ""]
            for case in cases:
                lines += _shown(case)
        self.content = StringList(lines, source=str(FOLDER))
        return self.parse_content_to_nodes(allow_section_headings=True)


class CaseFormat(SphinxDirective):
    """`{case-format}`: how a case is written, as the parser itself says."""

    def run(self) -> list[nodes.Node]:
        """Return the parser's documentation, without its first line."""
        text = inspect.cleandoc(parse.__doc__ or "").partition("\n\n")[2]
        self.content = StringList(text.splitlines(), source=parse.__file__)
        return self.parse_content_to_nodes()


def _rank(path: Path) -> tuple[int, str]:
    return (ORDER.index(path.stem) if path.stem in ORDER else len(ORDER), path.stem)


def _belongs(case: Case, untracked: bool) -> bool:
    """Whether the case is one for this page."""
    return (case.expect is Expect.UNTRACKED) == untracked


def _shown(case: Case) -> list[str]:
    """A case as Markdown: heading, verdict, prose, the files, the edit."""
    lines = [f"### {case.name}", "", f"**{VERDICTS[case.expect]}.** {case.prose}".strip(), ""]
    if notes := _notes(case):
        lines += [f"{notes}", ""]
    for block in case.blocks:
        lines += _code(block)
    return lines


def _notes(case: Case) -> str:
    """What the case says besides its files."""
    notes = []
    if case.call != "f(3)":
        notes.append(f"The call is `{case.call}`.")
    if case.environment:
        pairs = " ".join(f"{name}={value}" for name, value in case.environment.items())
        notes.append(f"After the edit, the environment has `{pairs}`.")
    if case.arguments:
        notes.append(f"After the edit, the command line has `{' '.join(case.arguments)}`.")
    if case.distribution is not None:
        versions = f"{case.distribution.before} to {case.distribution.after}"
        notes.append(f"The distribution `{case.distribution.name}` goes from {versions}.")
    if case.before.keys() - case.after.keys():
        notes.append("The edit removes a file.")
    if case.elsewhere:
        notes.append("After the edit, the working folder is another one.")
    return " ".join(notes)


def _code(block: Block) -> list[str]:
    """A block as a captioned listing, without the lines that only the runner needs."""
    kept = [line for line in block.text.rstrip("\n").split("\n") if line.strip() != "ran()"]
    if not any(kept):
        return []
    caption = f"{block.path}, after the edit" if block.edited else block.path
    return [f"```{{code-block}} {block.language}", f":caption: {caption}", "", *kept, "```", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("edit-cases", EditCases)
    app.add_directive("case-format", CaseFormat)
    return {"parallel_read_safe": True}
