"""Watching: what is turned on once, when hitsave is imported."""

from hitsave.observe import history, monitoring
from hitsave.observe.places import set_folder

_is_on = False


def watch() -> None:
    """Note from now on which functions ever run. Only the first call does anything."""
    global _is_on
    if _is_on:
        return
    _is_on = True
    set_folder()
    history.remember()
    if monitoring.AVAILABLE:
        monitoring.turn_on()
