"""Features: the ways of writing and of finding a function that generated programs are made of.

Owns reading them from `features.md`, which says what their placeholders stand for.
"""

import re
from pathlib import Path
from string import Template
from typing import NamedTuple

HEAD = """\
import asyncio
import functools
import importlib
import operator
import re
import sys
import typing
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from enum import Enum
"""
"""What a module of a generated program begins with, as far as it uses it."""


class Way(NamedTuple):
    """A way of finding a function in another module.

    `above` stands at the top of the module, `beside` is a part of it, `called` is what is called.
    """

    above: str
    beside: str
    called: str


def filled(text: str, values: dict[str, str]) -> str:
    """Return the text with its placeholders filled in; in it `$n_one` is `$n` and `_one`."""
    braced = re.sub(r"\$([nefcdmk])", r"${\1}", text)
    return Template(braced).substitute(values)


def _sections(text: str) -> dict[str, str]:
    return dict(
        re.findall(r"^## ([^\n]+)\n\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    )


def _way(text: str) -> Way:
    first, _, rest = text.partition("\n")
    above: list[str] = []
    beside: list[str] = []
    for line in rest.splitlines():
        (above if re.match(r"(import|from) ", line) else beside).append(line)
    return Way("\n".join(above), "\n".join(beside).strip("\n"), first.removeprefix("# "))


_FEATURES, _IMPORTS = (
    (Path(__file__).parent / "features.md").read_text(encoding="utf-8").split("\n# Imports\n")
)

FEATURES = _sections(_FEATURES)
"""Ways of writing a function, by name."""

IMPORTS = {name: _way(text) for name, text in _sections(_IMPORTS).items()}
"""Ways of finding one in another module, by name."""
