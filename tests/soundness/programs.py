"""Programs: generated projects of several modules, and a generated edit of one.

Owns how features are put together. A program is a list of functions, each of which calls earlier
ones; the last is called by the memoised function of the script. Refuses to run anything.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from hypothesis import strategies as st
from tests.soundness.definitions import FUNCTIONS, Parsed, definitions, parse_file
from tests.soundness.edits import (
    INERT,
    Edit,
    apply,
    edits_inside,
    edits_of_class,
    edits_of_module,
    inert_edits,
)
from tests.soundness.features import FEATURES, HEAD, IMPORTS, filled

from hitsave.testing import Case, Expect
from hitsave.testing.cases import SCRIPT

_SCRIPT = """\
$imports


@memo
def f(x):
    ran()
    return $called(x)


def attempt(x):
    try:
        return f(x)
    except Exception as error:
        return "raised " + type(error).__name__


def main():
    # After the edit one call alone: it must not need what the other leaves in the process.
    calls = (2,) if "ALONE" in os.environ else (1, 2)
    return [attempt(x) for x in calls][-1]
"""


class Program(NamedTuple):
    """A generated project and an edit of one of its files; `told` says what it is made of."""

    before: Mapping[str, str]
    path: str
    after: str
    edit: Edit
    told: tuple[str, ...]

    @property
    def is_inert(self) -> bool:
        """Whether the edit cannot matter."""
        return self.edit.kind in INERT

    def as_case(self, expect: Expect) -> Case:
        """Return the program as an edit case that expects this."""
        after = {**self.before, self.path: self.after}
        return Case(
            name="generated",
            source="generated",
            prose="",
            expect=expect,
            blocks=(),
            before=dict(self.before),
            after=after,
            environment={"ALONE": "yes"},
        )

    def as_markdown(self, expect: Expect) -> str:
        """Return the program as the text of an edit case, ready to be kept."""
        lines = [f"## {self.edit.kind} ({'; '.join(self.told)})", "", f"- expect: {expect}"]
        lines += ["- environment: ALONE=yes", ""]
        for path, text in sorted(self.before.items()):
            lines += [f"```python {path}", *text.rstrip("\n").split("\n"), "```", ""]
        lines += [f"```python {self.path} after", *self.after.rstrip("\n").split("\n"), "```", ""]
        return "\n".join(lines)


class _Module:
    """A module in the making."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.imports: list[str] = []
        self.parts: list[str] = []

    def text(self) -> str:
        """The module's source."""
        parts = "\n\n\n".join(part.strip("\n") for part in self.parts)
        return "\n\n\n".join(filter(None, (_head(self.imports, parts), parts))) + "\n"


def _head(imports: list[str], parts: str) -> str:
    """The imports of a module, among them what its parts use of `HEAD`."""
    used = [line for line in HEAD.splitlines() if line.split()[-1] in re.findall(r"\w+", parts)]
    return "\n".join(dict.fromkeys([*used, *imports]))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Draw a program and an edit of it."""
    files, told = draw(_projects())
    names = sorted(path for path in files if path != "pk/__init__.py")
    path = draw(st.sampled_from(names))
    parsed = parse_file(path, files[path])
    assert parsed is not None, files[path]
    edit = draw(_edits(parsed))
    after = apply(parsed.text, edit)
    return Program(files, path, after, edit, told)


@st.composite
def _projects(draw: st.DrawFn) -> tuple[dict[str, str], tuple[str, ...]]:
    modules = [_Module(f"m{n}") for n in range(draw(st.integers(2, 4)))]
    size = draw(st.integers(2, 6))
    told: list[str] = []
    owners: list[_Module] = []
    for number in range(size):
        # Later functions stand in later modules, so that no two modules import each other.
        module = modules[number * len(modules) // size]
        feature = draw(st.sampled_from(sorted(FEATURES)))
        told.append(feature)
        told += _add(draw, module, number, feature, owners)
        owners.append(module)
    script = _Module("script")
    called = _reference(draw, script, owners[-1], size - 1, outside=True)
    beside = "\n\n\n".join(script.parts)
    head = _head(["import os", *script.imports], beside)
    text = _SCRIPT.replace("$imports", f"{head}\n\n\n{beside}" if beside else head)
    text = text.replace("$called", called)
    exported = [f"from pk.{m.name} import n{k}" for k, m in enumerate(owners)]
    files = {f"pk/{module.name}.py": module.text() for module in modules if module.parts}
    # The package reexports, in the order in which modules may import each other.
    return {**files, "pk/__init__.py": "\n".join(exported) + "\n", SCRIPT: text}, tuple(told)


def _add(
    draw: st.DrawFn, module: _Module, number: int, feature: str, owners: list[_Module]
) -> list[str]:
    """Write a feature into a module; return how it finds what it calls."""
    told: list[str] = []
    numbers = st.integers(1, 5)
    values = {"n": f"n{number}", "c": str(draw(numbers)), "d": str(draw(numbers))}
    for name in ("e", "f"):
        terms = ["x"]
        chosen = st.sets(st.integers(0, number - 1), min_size=1, max_size=2)
        for child in sorted(draw(chosen)) if number else []:
            called = _reference(draw, module, owners[child], child, told=told)
            terms.append(f"{called}(x + {draw(numbers)})")
        # Bounded, so that edits of what multiplies give numbers that can be printed.
        values[name] = f"(({' + '.join(terms)} + {draw(numbers)}) % 9973)"
    module.parts.append(filled(FEATURES[feature], values))
    return told


def _reference(
    draw: st.DrawFn,
    module: _Module,
    owner: _Module,
    number: int,
    *,
    outside: bool = False,
    told: list[str] | None = None,
) -> str:
    """Import a function into a module in one of the ways there are; return how it is called."""
    name = f"n{number}"
    if owner is module:
        return name
    ways = [way for way in sorted(IMPORTS) if not (outside and "relative" in way)]
    # A module of the package cannot use what the package binds after importing that module.
    ways = [way for way in ways if outside or way != "through the package"]
    way = draw(st.sampled_from(ways))
    if told is not None:
        told.append(f"import: {way}")
    values = {"n": name, "m": owner.name, "k": str(number)}
    above, beside, called = (filled(text, values) for text in IMPORTS[way])
    module.imports += [above] if above else []
    if beside and beside not in module.parts:
        module.parts.append(beside)
    return called


@st.composite
def _edits(draw: st.DrawFn, file: Parsed) -> Edit:
    """Draw a kind of edit first, and then one of that kind."""
    found = [*edits_of_module(file), *inert_edits(file)]
    for each in definitions(file):
        if hasattr(each.node, "body") and not isinstance(each.node, FUNCTIONS):
            found += edits_of_class(each)
        else:
            found += edits_inside(each)
    by_kind: dict[str, list[Edit]] = {}
    for edit in found:
        after = apply(file.text, edit)
        if after != file.text and parse_file(file.path, after) is not None:
            by_kind.setdefault(edit.kind, []).append(edit)
    # Half of the time something inside of a function: there is most to go wrong there.
    kinds = sorted(by_kind)
    inside = [kind for kind in kinds if kind.startswith(("body", "value"))]
    kind = draw(st.sampled_from(inside if inside and draw(st.booleans()) else kinds))
    return draw(st.sampled_from(by_kind[kind]))
