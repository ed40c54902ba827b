"""Observation: what executes during an evaluation, and what is read from outside the code.

Owns the events of the interpreter: functions that start, files that are opened, folders that are
listed, questions about paths and environment variables, imports by name. Refuses to know what any
of it means for a result, to disturb what else listens to these events, and to raise into the
program: what it could not see it says in `Observed.blind`.
"""

from hitsave.observe.evaluation import Evaluation, begin
from hitsave.observe.history import has_run, headers_read, was_loaded_before
from hitsave.observe.journal import Reading, journal
from hitsave.observe.records import Caller, Observed, Started
from hitsave.observe.told import (
    is_asked_by_call,
    tell_listed,
    tell_made,
    tell_read,
    tell_snapped,
)
from hitsave.observe.watching import watch

__all__ = [
    "Caller",
    "Evaluation",
    "Observed",
    "Reading",
    "Started",
    "begin",
    "has_run",
    "headers_read",
    "is_asked_by_call",
    "journal",
    "tell_listed",
    "tell_made",
    "tell_read",
    "tell_snapped",
    "was_loaded_before",
    "watch",
]
