"""Around: the evaluations under way, inside which memoised functions are called.

Owns the list. Kept apart from what evaluations are, so that a process that only hits never loads
that.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitsave.memo.evaluation import Evaluation

under_way: list["Evaluation"] = []
"""The evaluations that have begun and not ended, in every thread."""


def spoil() -> None:
    """Tell the evaluations under way of a memoised call that nobody can follow."""
    for evaluation in tuple(under_way):
        evaluation.nested_calls = None
