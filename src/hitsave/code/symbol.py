"""Symbols and facets: the identity of what a call can depend on."""

from enum import StrEnum
from typing import NamedTuple


class Facet(StrEnum):
    """The part of a symbol that a dependency is on."""

    BODY = "body"
    """What a function does when it is called."""
    HEADER = "header"
    """A function's parameters, defaults and decorators."""
    SHAPE = "shape"
    """A class's bases, keywords and decorators; a module's statements for effect; of a function,
    that there is one, and what decorates it."""
    BINDING = "binding"
    """Which symbol a name leads to."""
    INSTANCE = "instance"
    """Which of the functions or classes of one definition a name leads to, by what these hold."""
    VALUE = "value"
    """The live value of a global or of a class-level binding."""
    INITIAL = "initial"
    """What a closure cell, class-level binding or attribute held before it became state."""
    DEFINITION = "definition"
    """The statements that bind or extend a global whose value cannot be digested."""
    CONTENT = "content"
    """The bytes of a file, or the whole source of a module."""
    VERSION = "version"
    """The version of a distribution, or of Python."""
    FILE = "file"
    """The content of a file that an evaluation read, or that it is not there."""
    LISTING = "listing"
    """The names in a folder that an evaluation listed."""
    PRESENCE = "presence"
    """Whether a path that an evaluation asked about is a file, a folder or nothing."""
    VARIABLE = "variable"
    """The value of an environment variable that an evaluation read."""
    IMPORT = "import"
    """Which module a computed name led to."""
    LOADED = "loaded"
    """A module that an evaluation loaded."""
    OPTION = "option"
    """What the user declared: a pinned version, an added dependency."""


OUTSIDE = frozenset({Facet.FILE, Facet.LISTING, Facet.PRESENCE, Facet.VARIABLE})
"""The facets of what lies outside the code, and leads to nothing in it."""


class Symbol(NamedTuple):
    """The identity of a module (empty `name`), a definition or a global: `pkg.mod:Class.method`."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}" if self.name else self.module

    @classmethod
    def parse(cls, text: str) -> "Symbol":
        """Read `pkg.mod:Class.method`; a text without a colon is a module."""
        module, _, name = text.partition(":")
        return cls(module, name)


class Place(NamedTuple):
    """Where something stands: a path and the first and last line, counted from 1."""

    path: str
    line: int
    end_line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


NOWHERE = Place("", 0, 0)
"""The place of what stands in no file."""
