"""Trouble: what a callback does about an exception inside it.

Owns the rule that an exception of hitsave's own costs the knowledge of what happened, and never
reaches the program; and that one which a signal handler of the program raised in the middle of a
callback does reach it.
"""

import os

from hitsave.observe import active
from hitsave.observe.places import OURS

_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


def give_up(error: Exception) -> None:
    """Mark the evaluations under way as blind; raise `error` again where it is the program's."""
    if is_of_program(error):
        raise error
    active.miss(f"hitsave failed while it watched: {type(error).__name__}")


def is_of_program(error: Exception) -> bool:
    """Whether code of neither hitsave nor the standard library was under way: a signal handler."""
    entry = error.__traceback__
    while entry is not None:
        name = entry.tb_frame.f_code.co_filename
        if not name.startswith((OURS, _STANDARD, "<frozen ")):
            return True
        entry = entry.tb_next
    return False
