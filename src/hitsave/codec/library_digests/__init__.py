"""Openers of the types of libraries, a file for each library.

Owns which file knows a type: the one for the package that defines it, loaded when the first object
of that package is met, so the library is loaded by then. Refuses to load a library, and what only
says that it belongs to one: each file compares with the library's own classes.
"""

import sys
from importlib import import_module
from typing import Any

from hitsave.codec.nodes import Opener
from hitsave.raw import class_name

_FILES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "torch": "torch",
    "sklearn": "sklearn",
    "PIL": "pillow",
}


def library_opener(kind: type) -> Opener | None:
    """Return the opener of a type of a library's own; None for any other type."""
    library = class_name(kind)[0].partition(".")[0]
    name = _FILES.get(library)
    if name is None or library not in sys.modules:
        return None
    openers: Any = import_module(f"hitsave.codec.library_digests.{name}")
    found: Opener | None = openers.opener_of(kind)
    return found
