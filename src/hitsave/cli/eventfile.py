"""The event file: events as JSON, for programs that read what happened.

Owns the records of `hitsave run --events FILE`: one object a line, with the event's name under
`event` and its fields under their own names; keys are hexadecimal.
"""

import json

from hitsave.cli.listeners import Listener
from hitsave.errors import TargetError
from hitsave.events import Event


class EventFile(Listener):
    """Appends each event to the file at `path`. Raises TargetError where that cannot be opened."""

    def __init__(self, path: str) -> None:
        super().__init__()
        try:
            self._file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - it stays open
        except OSError as error:
            message = f"cannot write events to {path}: {error.strerror or error}"
            raise TargetError(message, "name a file in a folder that you can write to") from error

    def hear(self, event: Event) -> None:
        """Write one event. Where the disk is full, the rest are not written."""
        fields = {k: v.hex() if isinstance(v, bytes) else v for k, v in event._asdict().items()}
        try:
            self._file.write(json.dumps({"event": type(event).__name__.lower(), **fields}) + "\n")
        except (OSError, ValueError):
            self.stop()

    def conclude(self) -> None:
        """Close the file."""
        self._file.close()
