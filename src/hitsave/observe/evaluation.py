"""Evaluations: from `begin` to `end`, everything that executes is noted.

Owns the beginning and the end of one evaluation.
"""

from collections.abc import Callable
from weakref import ref

from hitsave.observe import active, audit, monitoring
from hitsave.observe.active import Notes
from hitsave.observe.places import places_of
from hitsave.observe.reads import settle_own
from hitsave.observe.records import Observed
from hitsave.observe.trouble import is_of_program


class Evaluation:
    """An evaluation that began. One that nobody holds any more has ended."""

    __slots__ = ("__weakref__", "_notes", "_observed")

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._observed: Observed | None = None

    def end(self) -> Observed:
        """Return what was observed. May be called in another thread, and again."""
        if self._observed is None:
            try:
                _guarded(self._notes, _leave)
            finally:
                active.remove(self._notes)
                self._observed = self._notes.observed()
        return self._observed


def begin(is_project: Callable[[str], bool]) -> Evaluation:
    """Note what happens in this process from now on; `is_project(path)` tells project code."""
    notes = Notes(places_of(is_project))
    evaluation = Evaluation(notes)
    notes.holder = ref(evaluation)
    active.add(notes)
    _guarded(notes, _enter)
    return evaluation


def _guarded(notes: Notes, step: Callable[[Notes], None]) -> None:
    """Take a step; where it fails, the evaluation is blind."""
    try:
        step(notes)
    except Exception as error:
        if is_of_program(error):
            raise
        notes.miss(f"hitsave failed to watch: {type(error).__name__}")


def _enter(begun: Notes) -> None:
    # Here, as below: a process in which every call hits has no use for it.
    from hitsave.observe import processes, profiling

    if not audit.listen():
        begun.miss(audit.DEAF)
    processes.look_around(begun)
    if monitoring.AVAILABLE:
        monitoring.begin(begun)
    else:
        profiling.begin(begun)


def _leave(ended: Notes) -> None:
    from hitsave.observe import processes, profiling

    if monitoring.AVAILABLE:
        monitoring.end(ended)
    else:
        profiling.end(ended)
    processes.look_around(ended)
    settle_own(ended)
