"""README and the documentation as stories: each page's examples do what the page says.

- A captioned code block is a file of the page's project; a captioned `diff` edits it.
- A Python block without a caption is a program of its own and has to succeed.
- A console block is a series of commands after `$`, each with the output that it must give. A line
  of `...` stands for any lines, `...` within a line for any text. A command succeeds, or `echo $?`
  follows and says its exit status.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hitsave.testing import Block
from hitsave.testing.parse import apply_diff

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
INSTALL = "python -m pip install . && "
"""What README's first command begins with. The tests have installed hitsave already."""

ASKS = "echo $?"
"""The command that shows how the one before it has ended."""

FENCE = re.compile(
    r"^```(?:\{code-block\} )?(\w+)\n(?::caption: (\S+)\n+)?(.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Step:
    """One fence of a page: its language, the file that it is about (or nothing), its text."""

    language: str
    path: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Story:
    """A page's project, with a store of its own."""

    project: Path
    home: Path

    def tell(self, step: Step) -> None:
        """Do what a fence says."""
        if step.path and step.language == "diff":
            file = self.project / step.path
            block = Block("diff", step.path, step.text, edited=True)
            file.write_text(apply_diff(file.read_text(), block, step.source))
        elif step.path:
            (self.project / step.path).write_text(step.text)
        elif step.language == "python":
            (self.project / "example.py").write_text(step.text)
            self.run("python example.py", step.source)
        elif step.language == "console":
            for command, status, expected in commands_of(step.text):
                output = self.run(command, step.source, status)
                assert matches(expected, output), f"{step.source}: $ {command}\n{output}"

    def run(self, command: str, source: str, status: int = 0) -> str:
        """Run a command, where `python` is the tests' own; return what it printed.

        It has to end with the given exit status.
        """
        words = shlex.split(command)
        environment = {name: text for name, text in os.environ.items() if name != "HITSAVE_MODE"}
        environment |= {"HITSAVE_HOME": str(self.home), "COLUMNS": "100", "NO_COLOR": "1"}
        # Python's byte code cache does not notice an edit within a second that keeps the size.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        done = subprocess.run(
            [sys.executable if words[0] == "python" else words[0], *words[1:]],
            check=False,
            cwd=self.project,
            env=environment,
            umask=0o022,  # it is part of the digest of a folder
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, f"{source}: $ {command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def steps_of(page: Path) -> Iterator[Step]:
    """The fences of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Step(match[1], match[2] or "", match[3], f"{page.name}:{line}")


def commands_of(text: str) -> list[tuple[str, int, str]]:
    """The commands of a console block, each with the exit status and output that it must give."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == "", f"a console block begins with a command, not with {parts[0]!r}"
    found = [(command, 0, output) for command, output in zip(parts[1::2], parts[2::2], strict=True)]
    for position, (command, _, output) in reversed(list(enumerate(found))):
        if command == ASKS:
            del found[position]
            asked = found[position - 1]
            found[position - 1] = (asked[0], int(output), asked[2])
    return found


def matches(expected: str, output: str) -> bool:
    """Whether the output is what is expected, where `...` stands for anything."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in output.splitlines())) is not None


@pytest.fixture
def story(tmp_path: Path) -> Story:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "story"\n')
    return Story(project, tmp_path / "home")


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_of_the_documentation_tells_the_truth(page: Path, story: Story) -> None:
    for step in steps_of(page):
        story.tell(step)


def test_the_first_program_of_readme_does_what_the_text_below_it_says(story: Story) -> None:
    (program,) = [step for step in steps_of(PAGES[0]) if step.language == "python"]
    run = "python example.py"
    (story.project / "example.py").write_text(program.text)
    assert story.run(run, "first").count("computing") == 11
    assert story.run(run, "second").count("computing") == 0

    text = program.text.replace("return 1.02 if", "# a comment\n    return 1.02 if")
    (story.project / "example.py").write_text(text)
    assert story.run(run, "comment").count("computing") == 0

    (story.project / "example.py").write_text(program.text.replace("1.02", "1.03"))
    computed = story.run(run, "growth")
    assert computed.count("computing") == 10
    assert "computing population(2024)" not in computed


def test_the_first_command_of_readme_works_after_its_installation(story: Story) -> None:
    first, _ = readme_commands()
    assert first.startswith(INSTALL)
    assert story.run(first.removeprefix(INSTALL), "README.md").strip()


def test_the_second_command_of_readme_is_the_one_that_ci_runs() -> None:
    _, second = readme_commands()
    assert f"readonly TESTS='{second}'\n" in (ROOT / ".ci" / "run").read_text()


def test_the_second_command_of_readme_installs_what_the_tests_need() -> None:
    _, second = readme_commands()
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    named = {requirement.partition(">")[0] for requirement in groups["test"]}
    assert set(second.partition(" && ")[0].split()[5:]) == named


def readme_commands() -> list[str]:
    """The commands of README, in order."""
    consoles = [step.text for step in steps_of(PAGES[0]) if step.language == "console"]
    return [command for text in consoles for command, _, _ in commands_of(text)]


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\n", "a\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("took ... s\n", "took 0.1 s\n", True),
        ("took ... s\n", "took 0.1 s\nand more\n", False),
        ("", "unexpected\n", False),
    ],
)
def test_outputs_are_compared_line_by_line(expected: str, output: str, same: bool) -> None:
    assert matches(expected, output) is same
