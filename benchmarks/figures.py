"""Figures: what a benchmark yields, how two things are measured side by side, how it is printed."""

import json
import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple

Clock = Callable[[], float]


class Plan(NamedTuple):
    """What the user asked for: rounds behind each median, and folders that hold packages."""

    repeat: int
    networkx: str | None
    sympy: str | None


class Figure(NamedTuple):
    """One measured figure, in seconds, beside its yardstick.

    `budget` limits the ratio of the two; with `kind` "added" their difference, with "alone" ours
    itself. Zero means that there is none. A figure that could not be measured has `note` alone.
    """

    work: str
    ours: float = 0.0
    yardstick: float = 0.0
    against: str = ""
    budget: float = 0.0
    kind: str = "ratio"
    note: str = ""

    @property
    def value(self) -> float:
        """What is compared with the budget."""
        if self.kind == "ratio":
            return self.ours / self.yardstick if self.yardstick else 0.0
        return self.ours - self.yardstick if self.kind == "added" else self.ours

    @property
    def is_over(self) -> bool:
        """Whether the figure is over its budget."""
        return bool(self.budget) and self.value > self.budget


def say(figures: Iterable[Figure]) -> None:
    """Print figures for the process that started this one: see `Workspace.measure`."""
    print(json.dumps(list(figures)))


def side_by_side(
    ours: Callable[[], object],
    yardstick: Callable[[], object],
    *,
    repeat: int,
    clock: Clock = time.process_time,
    enough: float = 0.05,
) -> tuple[float, float]:
    """Return the medians of two pieces of work, in seconds each, measured in turns.

    Each round does the work often enough to take `enough` seconds.
    """
    works = (ours, yardstick)
    counts = [_count(work, clock, enough) for work in works]
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeat):
        for work, count, found in zip(works, counts, times, strict=True):
            found.append(_time(work, count, clock))
    return median(times[0]), median(times[1])


def _count(work: Callable[[], object], clock: Clock, enough: float) -> int:
    count = 1
    while _time(work, count, clock) * count < enough:
        count *= 2
    return count


def _time(work: Callable[[], object], count: int, clock: Clock) -> float:
    rounds = range(count)
    start = clock()
    for _ in rounds:
        work()
    return (clock() - start) / count


def header() -> str:
    """The line above the figures."""
    return f"{'work':<46} {'hitsave':>9} {'beside':>9}  {'figure':>9} {'budget':>9}"


def as_line(figure: Figure) -> str:
    """One figure as a line of text."""
    if not figure.ours:
        return f"{figure.work:<46} {figure.note}"
    is_ratio = figure.kind == "ratio"
    write = (lambda number: f"{number:.2f} x") if is_ratio else seconds
    beside = seconds(figure.yardstick) if figure.yardstick else "-"
    value = write(figure.value) if figure.yardstick or not is_ratio else "-"
    budget = write(figure.budget) if figure.budget else "-"
    mark = "  OVER" if figure.is_over else ""
    said = "; ".join(text for text in (figure.against, figure.note) if text)
    line = f"{figure.work:<46} {seconds(figure.ours):>9} {beside:>9}  {value:>9} {budget:>9}"
    return f"{line}{mark}" + (f"  ({said})" if said else "")


def seconds(number: float) -> str:
    """A duration with a unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if abs(number) >= size:
            return f"{number / size:.2f} {unit}"
    return f"{number * 1e6:.2f} us"
