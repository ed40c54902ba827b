"""The console: events as lines of text, as they happen.

Owns the lines that `hitsave run --verbose` writes. Refuses rich, and every stream but the one it
was given: a program that puts a stderr of its own in place must not find our lines in it. A stream
that breaks is left alone.
"""

from typing import TextIO

from hitsave.cli.listeners import Listener
from hitsave.events import (
    Bypassed,
    Copied,
    Event,
    Hit,
    Impure,
    Miss,
    Stored,
    Untracked,
    Verified,
    Warned,
    Widened,
)
from hitsave.units import counted


class Console(Listener):
    """Writes each event to `stream`, and a summary at the end."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._hits = self._misses = self._uncached = 0
        self._saved = 0.0

    def hear(self, event: Event) -> None:
        """Count an event and write it."""
        self._count(event)
        text = line_of(event)
        if text:
            self._write(text)

    def conclude(self) -> None:
        """Write the summary."""
        hits, misses = counted(self._hits, "hit"), counted(self._misses, "miss")
        saved = f" (saved {seconds(self._saved)})" if self._hits else ""
        uncached = f", {self._uncached} uncached" if self._uncached else ""
        self._write(f"{hits}{saved}, {misses}{uncached}")

    def _count(self, event: Event) -> None:
        if isinstance(event, Hit):
            self._hits += 1
            self._saved += event.saved
        elif isinstance(event, Miss):
            self._misses += 1
        elif isinstance(event, Bypassed):
            self._uncached += 1

    def _write(self, text: str) -> None:
        # In one piece, so that the lines of threads and of worker processes stay whole.
        try:
            self._stream.write(f"hitsave: {text}\n")
            self._stream.flush()
        except (OSError, ValueError):
            self.stop()


def line_of(event: Event) -> str:
    """Return one event as text; empty for what the reader is told in another way."""
    match event:
        case Hit(symbol, _, saved):
            return f"hit       {symbol} (saved {seconds(saved)})"
        case Miss(symbol, _, reason, detail):
            return f"miss      {symbol}: {reason}" + (f"\n{detail}" if detail else "")
        case Stored(symbol, _, took):
            return f"stored    {symbol} (took {seconds(took)})"
        case Bypassed(symbol, reason):
            return f"uncached  {symbol}: {reason}"
        case Widened(symbol, reason):
            return f"widened   {symbol}: {reason}"
        case Untracked(symbol, reason):
            return f"untracked {symbol}: {reason}"
        case Impure(symbol, kind, source, place):
            return f"impure    {symbol}: {kind}, {source} at {place}"
        case Verified(symbol, _, outcome):
            return f"verified  {symbol}: {outcome}"
        case Warned() | Copied():
            return ""  # Python's own `warnings` shows one; of the other there are too many.


def seconds(amount: float) -> str:
    """Return a duration in the unit that suits it."""
    if amount < 0.0005:
        return f"{amount * 1e6:.0f} µs"
    return f"{amount * 1e3:.0f} ms" if amount < 0.9995 else f"{amount:.2f} s"
