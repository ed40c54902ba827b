"""Calls: where the text of a module calls something by its name, with given arguments.

Owns the one look at text that the analyser's records do not spare: they hold no arguments.
"""

import re

from hitsave.code.project import Module


def line_of_call(module: Module, name: str, first: int, last: int, arguments: str) -> int | None:
    """Return the line, of those from `first` to `last`, of a call of `name`; None without one.

    `arguments` is a regular expression for what stands between the brackets.
    """
    lines = module.source.content.decode("utf-8", "replace").splitlines()
    text = "\n".join(lines[first - 1 : last])
    match = re.search(rf"\b{re.escape(name)}\s*\(\s*{arguments}\s*\)", text)
    return None if match is None else first + text.count("\n", 0, match.start())
