"""Watching: what is turned on once, when hitsave is imported."""

from collections.abc import Callable

from hitsave.observe import audit, history, monitoring
from hitsave.observe.journal import journal
from hitsave.observe.places import Places, set_folder

_is_on = False


def watch(is_project: Callable[[str], bool]) -> None:
    """Note from now on which functions ever run, and what code of `is_project(path)` reads.

    Only the first call does anything.
    """
    global _is_on
    if _is_on:
        return
    _is_on = True
    set_folder()
    history.remember()
    journal.places = Places(is_project)
    audit.listen()
    if monitoring.AVAILABLE:
        monitoring.turn_on()
    else:
        # Here, since later Pythons have no use for it.
        from hitsave.observe import variables

        variables.listen()
