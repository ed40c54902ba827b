"""Definitions: what the analyser finds in one module's source.

Everything here is a plain value that holds no module name and no path, so that one record serves
every copy of the same source and can be kept in the store by the source's digest.
"""

from typing import NamedTuple

from hitsave.code.columns import NO_COLUMN

Key = str | int
"""A constant key of an item."""

GET = "get"
"""The method of a mapping that reads an item, as a subscript does."""


class Chain(NamedTuple):
    """A global name and the attributes read from it: `np.linalg.norm`.

    `opaque` says that objects may pass through it: it is not merely called without arguments or
    with constants. `keys` are not empty where nothing but one item is read of what `container`
    leads to, by constant keys: `CONFIG["model"].get("depth")` reads `("model", "depth")`.
    """

    names: tuple[str, ...]
    line: int
    opaque: bool
    keys: tuple[Key, ...] = ()

    @property
    def container(self) -> tuple[str, ...]:
        """The chain of what the item is read of; the whole chain where no item is read."""
        return self.names[:-1] if self.keys and self.names[-1] == GET else self.names


class ImportReference(NamedTuple):
    """A module imported inside a function, and the attributes read from it."""

    level: int
    module: str
    attributes: tuple[str, ...]
    line: int


class Dynamic(NamedTuple):
    """A lookup whose name is computed.

    `kind` is `attribute` (of `target`, or of any object where that is empty), `import`, `modules`
    (the table of loaded modules), `loaded` (whether one is in that table), `namespace` (the globals
    of the module, or of that of `target`) or `subclasses`. Names begin with `prefix` and end with
    `suffix`.
    """

    kind: str
    target: tuple[str, ...]
    prefix: str
    suffix: str
    line: int

    def admits(self, name: str) -> bool:
        """Whether the computed name can be `name`."""
        fits = len(name) >= len(self.prefix) + len(self.suffix)
        return fits and name.startswith(self.prefix) and name.endswith(self.suffix)


class Store(NamedTuple):
    """An attribute or item, set or deleted, of what a chain gives, or of what calling it gives.

    `attribute` is empty for an item, and wherever more is between. `level` and `module` are those
    of an import inside the function; of a global, the one is 0 and the other empty.
    """

    level: int
    module: str
    names: tuple[str, ...]
    attribute: str


class References(NamedTuple):
    """What a piece of source reads, and what it stores into.

    `attributes` are names asked of objects not known here.
    """

    chains: tuple[Chain, ...]
    imports: tuple[ImportReference, ...]
    attributes: tuple[tuple[str, int], ...]
    dynamics: tuple[Dynamic, ...]
    stores: tuple[Store, ...] = ()


NOTHING = References((), (), (), ())


class Part(NamedTuple):
    """A piece of source: its normalised digest, what it reads, and its lines."""

    digest: bytes
    references: References
    line: int
    end_line: int


class FunctionDefinition(NamedTuple):
    """A function, method or lambda. `first_line` is that of its code object.

    `name` is the qualified name of its code object. `label` is what it goes by in symbols: no other
    in the module has the same.

    The body of a lambda stands from `column` up to `end_column`, counted as `lambda_column` counts;
    both are NO_COLUMN for any other function.
    """

    name: str
    first_line: int
    decorators: tuple[Part, ...]
    header: Part
    annotations: Part
    body: Part
    doc: bytes
    column: int
    end_column: int
    label: str

    def covers(self, column: int) -> bool:
        """Whether a code object of this name and first line can come from here.

        `column` is its `lambda_column`, which lies somewhere in the body.
        """
        is_known = column != NO_COLUMN and self.column != NO_COLUMN
        return not is_known or self.column <= column < self.end_column

    @property
    def line(self) -> int:
        """The line of the `def`."""
        return self.header.line

    @property
    def end_line(self) -> int:
        """The last line."""
        return self.body.end_line


class Binding(NamedTuple):
    """One statement that gives a module- or class-level name its value.

    `kind` is `value`, `import`, `function` or `class`. For an import, `level`, `module` and
    `attribute` say what (`attribute` empty: the module itself). `literal` is not empty where an
    immutable value is written out in full, so that it can be told without running anything.

    `condition` is what decides whether the statement is executed at all: of a definition or import
    under compound statements, everything about these but what the functions defined in them do. The
    `part` of a value under a compound statement is that whole statement, so it has none.
    """

    name: str
    kind: str
    part: Part
    level: int = 0
    module: str = ""
    attribute: str = ""
    literal: str = ""
    driver: bool = False
    condition: Part | None = None


UNKNOWN = ""
"""What a touched chain begins with where the object is not known: `("", "put")` for `f().put()`."""


class Effect(NamedTuple):
    """A statement executed for its effect. `touches` are the chains it may change something of.

    `defines` are the functions and classes that it defines, as a decorator may register one. What
    these functions do is not in `part`.
    """

    part: Part
    touches: tuple[tuple[str, ...], ...]
    driver: bool
    defines: tuple[str, ...] = ()


class ClassDefinition(NamedTuple):
    """A class. `head` covers bases and keywords; `members` are the names of what it defines."""

    name: str
    first_line: int
    decorators: tuple[Part, ...]
    head: Part
    annotations: Part
    bindings: tuple[Binding, ...]
    effects: tuple[Effect, ...]
    doc: bytes
    line: int
    end_line: int


class StarImport(NamedTuple):
    """`from module import *`."""

    level: int
    module: str
    line: int
    condition: Part | None


class ModuleRecord(NamedTuple):
    """Everything the analyser found in one source."""

    source: bytes
    functions: dict[str, tuple[FunctionDefinition, ...]]
    classes: dict[str, tuple[ClassDefinition, ...]]
    bindings: dict[str, tuple[Binding, ...]]
    effects: tuple[Effect, ...]
    stars: tuple[StarImport, ...]
    doc: bytes
    lines: int
