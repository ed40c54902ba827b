"""Starts: what is done when a function starts, however that is told.

Owns the step from one code object that starts to the notes of the evaluations under way.
"""

from types import FrameType

from hitsave.observe.active import Notes
from hitsave.observe.probes import probe_of
from hitsave.observe.records import Started


def tell(started: Started, frame: FrameType, notes: tuple[Notes, ...]) -> bool:
    """Note that `started` starts in `frame`; whether to be told again when it starts again."""
    probe = probe_of(started.name, frame)
    if probe is not None:
        probe(frame, notes)
        return True
    for each in notes:
        if each.places.holds(started.path):
            each.start(started, frame)
        elif started.path.startswith("<") and not started.path.startswith("<frozen"):
            each.start_made(frame)
    return False
