"""Columns: which of the lambdas on one line a code object is.

Owns the one number that the code object of a lambda and its syntax tree have in common. Refuses to
read source.
"""

from types import CodeType

NO_COLUMN = -1
"""The column of what is no lambda, and of code without positions (`-X no_debug_ranges`)."""

NEXT_LINE = 1 << 32
"""What each line below the first adds to a column: more than a line is long."""


def lambda_column(code: CodeType) -> int:
    """Return the column at which the body of a lambda begins, counted on from its first line.

    In UTF-8 bytes, as `ast` counts; NO_COLUMN for any other code. It is read from the positions of
    the instructions: the first in the text. What introduces and ends a code object has no place in
    the text, and is said to stand from 0 to 0.

    Where Python left out the beginning of the body, because a constant decides that it never runs
    (`(1) if False else f()`), the column is that of what is left: always within the body, and
    never within a lambda inside it.
    """
    if code.co_name != "<lambda>":
        return NO_COLUMN
    first = code.co_firstlineno
    places = [
        (line - first) * NEXT_LINE + column
        for line, _, column, end_column in code.co_positions()
        if line is not None and column is not None and end_column
    ]
    return min(places, default=NO_COLUMN)
