"""Choices: which edit comes next, at random, more often of what ran than of what did not.

Owns the draw, which depends on the seed and the files alone. Refuses to run anything.
"""

import random
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from tests.soundness.definitions import FUNCTIONS, Definition, Parsed, definitions, parse_file
from tests.soundness.edits import (
    Edit,
    apply,
    edits_inside,
    edits_of_class,
    edits_of_module,
    inert_edits,
)
from tests.soundness.workspace import Started, Workspace

TRIES = 400
"""How often in a row no edit may be found before a workspace counts as too small."""


class Chosen(NamedTuple):
    """An edit of a file; `executed` says whether what is edited ran when the cache was filled."""

    file: Parsed
    name: str
    edit: Edit
    executed: bool


class Choices:
    """The edits of one workspace."""

    def __init__(self, workspace: Workspace, started: set[Started], seed: int) -> None:
        self._workspace, self._random = workspace, random.Random(seed)
        self._lines = {(path, line) for path, line, _ in started}
        own = set(workspace.editable)
        # By name, so that neither hash seeds nor the order of a set decide.
        self._started = sorted(each for each in started if each.path in own and each.name[0] != "<")
        self._loaded = sorted({path for path, _, name in started if name == "<module>"} & own)
        self._files = sorted(own)
        self._weights = [len(workspace.read(path)) for path in self._files]
        self._loaded_weights = [len(workspace.read(path)) for path in self._loaded]

    def choose(self) -> Chosen:
        """Return the next edit: one that changes a text that can still be parsed."""
        ways = (self._executed, self._unexecuted, self._value, self._structure, self._inert)
        way = self._random.choices(ways, (50, 15, 10, 15, 10))[0]
        for _ in range(TRIES):
            chosen = way()
            if chosen is not None and _is_program(chosen):
                return chosen
            way = self._random.choice(ways)
        raise LookupError("there is nothing to edit")

    def _executed(self) -> Chosen | None:
        if not self._started:
            return None
        path, line, _ = self._random.choice(self._started)
        found = [each for each in self._definitions(path) if each.first_line == line]
        return self._one_of(found[0]) if found else None

    def _unexecuted(self) -> Chosen | None:
        found = self._definitions(self._any_file())
        functions = [each for each in found if isinstance(each.node, FUNCTIONS)]
        return self._one_of(self._random.choice(functions)) if functions else None

    def _value(self) -> Chosen | None:
        found = self._definitions(self._loaded_file())
        values = [each for each in found if not hasattr(each.node, "body")]
        return self._one_of(self._random.choice(values)) if values else None

    def _one_of(self, definition: Definition) -> Chosen | None:
        return self._pick(definition.file, definition.name, edits_inside(definition), definition)

    def _structure(self) -> Chosen | None:
        path = self._loaded_file() if self._random.random() < 0.9 else self._any_file()
        file = self._parsed(path)
        if file is None:
            return None
        classes = [each for each in definitions(file) if not isinstance(each.node, FUNCTIONS)]
        classes = [each for each in classes if hasattr(each.node, "body")]
        if classes and self._random.random() < 0.6:
            one = self._random.choice(classes)
            return self._pick(file, one.name, edits_of_class(one))
        return self._pick(file, path, edits_of_module(file))

    def _inert(self) -> Chosen | None:
        file = self._parsed(self._loaded_file())
        return self._pick(file, file.path, inert_edits(file)) if file else None

    def _pick(
        self, file: Parsed, name: str, edits: Iterator[Edit], definition: Definition | None = None
    ) -> Chosen | None:
        found = list(edits)
        if not found:
            return None
        # First a kind, then one of it, so that constants do not crowd out the rest.
        kind = self._random.choice(sorted({edit.kind for edit in found}))
        edit = self._random.choice([edit for edit in found if edit.kind == kind])
        executed = file.path in self._loaded
        if definition is not None and isinstance(definition.node, FUNCTIONS):
            # A header is evaluated with what is around it, a body when it is called.
            is_body = kind.startswith("body")
            called = (file.path, definition.first_line) in self._lines
            executed = called if is_body else executed
        return Chosen(file, name, edit, executed)

    def _any_file(self) -> str:
        return self._random.choices(self._files, self._weights)[0]

    def _loaded_file(self) -> str:
        return self._random.choices(self._loaded, self._loaded_weights)[0]

    def _parsed(self, path: str) -> Parsed | None:
        return _parse(path, self._workspace.read(path))

    def _definitions(self, path: str) -> list[Definition]:
        file = self._parsed(path)
        return list(definitions(file)) if file else []


@lru_cache(maxsize=64)
def _parse(path: str, text: str) -> Parsed | None:
    return parse_file(path, text)


def _is_program(chosen: Chosen) -> bool:
    after = apply(chosen.file.text, chosen.edit)
    return after != chosen.file.text and parse_file(chosen.file.path, after) is not None
