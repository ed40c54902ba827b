"""What the modules of this package share.

Owns how a type is told from one that only has its name. Refuses subclasses: what they add is not
known.
"""

import sys
from typing import Any

from hitsave.codec.format import Format
from hitsave.raw import class_name


class Finder:
    """Finds the format of a type by the public place where the library has it."""

    def __init__(self, table: dict[str, Format]) -> None:
        self._table = table

    def __call__(self, kind: type) -> Format | None:
        """Return the format of values of exactly the type `kind`."""
        name = class_name(kind)[1]
        for path, entry in self._table.items():
            module, _, public = path.partition(":")
            if public == name and _public(module, public) is kind:
                return entry
        return None


def _public(module: str, name: str) -> Any:
    loaded = sys.modules.get(module)
    return None if loaded is None else getattr(loaded, name, None)


def by_name(table: dict[str, Format]) -> dict[str, Format]:
    """Return the formats of a table by their own names."""
    return {entry.name: entry for entry in table.values()}
