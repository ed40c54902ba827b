"""Measures what further dependency sets over one closure cost: to be tracked, and to be kept."""

import time
from pathlib import Path

from benchmarks.figures import Figure, say
from many import total

from hitsave.code.reached import DependencySet, Fact
from hitsave.code.symbol import Facet
from hitsave.code.tracker import Declared
from hitsave.memo.texts import text_writes
from hitsave.session import current

COUNT = 100
MOST = 0.05
"""The budget: what a further set may cost, of what the first does."""


def among(number, functions):
    """The set of a call that reads a file."""
    return DependencySet(functions, [Fact(Facet.FILE, f"{number}.txt")])


def timed(work):
    """Return the seconds of CPU that some work takes, and what it returns."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def measure():
    session = current()
    names = [name for name in total.__globals__ if name.startswith("helper_")]
    functions = ["many:total", *(f"many:{name}" for name in names)]
    for number in range(COUNT + 1):
        Path(f"{number}.txt").write_text(str(number))
    first, *more = [among(number, functions) for number in range(COUNT + 1)]

    def track(each):
        return session.tracker.track((total,), Declared(), each)

    def keep(tracked):
        writes = text_writes(session, tracked)
        session.commit(writes)
        return sum(len(write.value) for write in writes)

    alone, tracked = timed(lambda: track(first))
    further, others = timed(lambda: [track(each) for each in more])
    count = len(tracked.manifest.dependencies)
    work = f"a further set over {count} dependencies"
    yield Figure(work, further / COUNT, alone, "the first", MOST)
    alone, size = timed(lambda: keep(tracked))
    further, sizes = timed(lambda: [keep(other) for other in others])
    note = f"{max(sizes) / 1000:.0f} kB, the first {size / 1000:.0f} kB"
    work = "keeping what explains it"
    yield Figure(work, further / COUNT, alone, "the first", MOST, note=note)


if __name__ == "__main__":
    say(measure())
