"""Parse: a Markdown file of edit cases becomes a chapter.

Owns the format. Refuses to guess: an unknown fact, a diff that does not apply, a case without an
expectation is a `CaseError` that names the line.

    # Title of the chapter

    ## Name of a case

    Prose.

    - expect: recomputes

    ```python script.py
    @memo
    def f(x):
        ran()
        return x + 1
    ```

    ```diff script.py
    -    return x + 1
    +    return x + 2
    ```

A fence's second word is a file of the project. A `diff` fence edits it: hunks are separated by
blank lines, a hunk's old lines must occur exactly once, a hunk without old lines is appended. A
third word `after` gives the whole file after the edit. The facts, each a list item:

| fact | value | default |
|---|---|---|
| `expect` | `recomputes`, `hits`, `finer` or `untracked` | none: required |
| `call` | the expression that the script evaluates | `f(3)` |
| `environment` | `NAME=value ...` of the run after the edit | |
| `arguments` | command-line arguments of the run after the edit | |
| `folder` | `elsewhere`: the run after the edit has another working folder | |
| `moved` | `yes`: the edit moves the whole project | |
| `removed` | files that the edit removes | |
| `distribution` | `NAME OLD -> NEW`: `site-packages/NAME...` are its files | |
| `layout` | `script` or `module`: only this one | both |
| `needs` | modules that must be importable | |
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hitsave.testing.cases import SCRIPT, Block, Case, CaseError, Chapter, Distribution, Expect

FACTS = (
    "expect",
    "call",
    "environment",
    "arguments",
    "folder",
    "moved",
    "removed",
    "distribution",
    "layout",
    "needs",
)
"""The facts that a case may state."""
_FACT = re.compile(r"- (\w+): (.+)")
_FENCE = re.compile(r"```(\w+) (\S+)( after)?$")


@dataclass(slots=True)
class _Section:
    """The raw parts of a heading: its text, its lines of prose, its facts and its fences."""

    name: str
    source: str
    prose: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


def read_chapter(path: Path) -> Chapter:
    """Return the chapter in the Markdown file at `path`. Raises `CaseError` and `OSError`."""
    return parse_chapter(path.read_text(encoding="utf-8"), path.name)


def parse_chapter(text: str, source: str = "cases") -> Chapter:
    """Return the chapter written in `text`; `source` names it in errors. Raises `CaseError`."""
    head, *sections = _sections(text, source)
    cases = tuple(_case(section) for section in sections)
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise CaseError(
                f"{source}: two cases are named {name!r}.", "Give each its own heading."
            )
    return Chapter(head.name, "\n".join(head.prose).strip(), cases)


def _sections(text: str, source: str) -> list[_Section]:
    """Cut the text at its headings. The first section is the chapter's own."""
    sections: list[_Section] = []
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if line.startswith(("# ", "## ")):
            sections.append(_Section(line.lstrip("# "), f"{source}:{number}"))
        elif not sections:
            raise CaseError(f"{source}:{number}: text before the title.", "Begin with '# Title'.")
        elif line.startswith("```"):
            body = []
            for _, inner in lines:
                if inner == "```":
                    break
                body.append(inner)
            else:
                raise CaseError(f"{source}:{number}: the fence is not closed.")
            sections[-1].blocks.append(_block(line, body, f"{source}:{number}"))
        else:
            _text_line(sections[-1], line, f"{source}:{number}")
    if not sections:
        raise CaseError(f"{source}: the file is empty.", "Begin with '# Title'.")
    return sections


def _block(opening: str, body: list[str], source: str) -> Block:
    """The block of one fence."""
    match = _FENCE.match(opening)
    if match is None:
        raise CaseError(
            f"{source}: a fence must read ```language path, or ```language path after.",
            f"It reads {opening!r}.",
        )
    language, path, after = match.groups()
    return Block(language, path, "\n".join(body) + "\n", language == "diff" or after is not None)


def _text_line(section: _Section, line: str, source: str) -> None:
    """File a line outside fences under the facts or the prose."""
    match = _FACT.match(line)
    if match is None:
        section.prose.append(line)
    elif match[1] not in FACTS:
        raise CaseError(f"{source}: unknown fact {match[1]!r}.", f"Known: {', '.join(FACTS)}.")
    else:
        section.facts[match[1]] = match[2].strip()


def _case(section: _Section) -> Case:
    """The case that a section describes."""
    facts, source = section.facts, section.source
    before = {block.path: block.text for block in section.blocks if not block.edited}
    if SCRIPT not in before:
        raise CaseError(f"{source}: no {SCRIPT}.", f"Add a ```python {SCRIPT} fence.")
    after = _edited(before, section)
    try:
        return Case(
            name=section.name,
            source=source,
            prose="\n".join(section.prose).strip(),
            expect=Expect(facts.get("expect", "")),
            blocks=tuple(section.blocks),
            before=before,
            after=after,
            **_options(facts, source),
        )
    except ValueError as error:
        if isinstance(error, CaseError):
            raise
        raise CaseError(f"{source}: {error}.", f"Expectations: {', '.join(Expect)}.") from None


def _options(facts: dict[str, str], source: str) -> dict[str, Any]:
    """The optional fields of a case."""
    layout = facts.get("layout", "")
    if layout not in ("", "script", "module"):
        raise CaseError(f"{source}: unknown layout {layout!r}.", "Known: script, module.")
    return {
        "call": facts.get("call", "f(3)"),
        "environment": _environment(facts.get("environment", ""), source),
        "arguments": tuple(shlex.split(facts.get("arguments", ""))),
        "elsewhere": facts.get("folder") == "elsewhere",
        "moved": facts.get("moved") == "yes",
        "distribution": _distribution(facts.get("distribution", ""), source),
        "layout": layout,
        "needs": tuple(facts.get("needs", "").split()),
    }


def _environment(text: str, source: str) -> dict[str, str]:
    """The variables that a fact `NAME=value ...` sets."""
    pairs = [pair.partition("=") for pair in shlex.split(text)]
    if not all(equals for _, equals, _ in pairs):
        raise CaseError(f"{source}: an environment must read 'NAME=value ...'.")
    return {name: value for name, _, value in pairs}


def _distribution(text: str, source: str) -> Distribution | None:
    """The distribution named by a fact `NAME OLD -> NEW`."""
    if not text:
        return None
    match = re.fullmatch(r"(\S+) (\S+) -> (\S+)", text)
    if match is None:
        raise CaseError(f"{source}: a distribution must read 'NAME OLD -> NEW'.")
    return Distribution(*match.groups())


def _edited(before: dict[str, str], section: _Section) -> dict[str, str]:
    """The files after the edit."""
    after = dict(before)
    for path in section.facts.get("removed", "").split():
        if after.pop(path, None) is None:
            raise CaseError(f"{section.source}: the removed file {path} does not exist.")
    for block in section.blocks:
        if block.edited and block.language == "diff":
            after[block.path] = apply_diff(after.get(block.path, ""), block, section.source)
        elif block.edited:
            after[block.path] = block.text
    return after


def apply_diff(text: str, block: Block, source: str) -> str:
    """Return `text` with the hunks of a diff block applied; `source` is where the block stands.

    Raises `CaseError` where the old lines of a hunk do not occur exactly once.
    """
    lines = text.splitlines()
    for hunk in re.split(r"\n\n+", block.text.strip("\n")):
        old = [line[1:] for line in hunk.split("\n") if line[0] in " -"]
        new = [line[1:] for line in hunk.split("\n") if line[0] in " +"]
        places = [n for n in range(len(lines)) if lines[n : n + len(old)] == old]
        if old and len(places) != 1:
            raise CaseError(
                f"{source}: a hunk for {block.path} does not match exactly once.",
                "Its old lines are:\n" + "\n".join(old),
            )
        start = places[0] if old else len(lines)
        lines[start : start + len(old)] = new
    return "".join(f"{line}\n" for line in lines)
