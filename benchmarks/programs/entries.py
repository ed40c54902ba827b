"""Measures hits and misses of a store with many entries, and of other caches with as many.

A thousand calls are made; the others are put beside them: as they are recorded, under other keys.
"""

import itertools
import os
import pickle
import random
import sqlite3
import sys
import tempfile
import time

from benchmarks.figures import Figure, say, side_by_side

from hitsave import memo, session
from hitsave.store import Table, Write

COUNT, REPEAT = map(int, sys.argv[1:])
CALLED = 1000
BATCH = 1000
MOST_OF_JOBLIB = 10_000
"""joblib has a folder for each entry: a million would take hours, and 8 GB."""

DRAW = random.Random(1)


def plain(x):
    return x * 2


def batches(count):
    """Yield the numbers of the entries that nobody asks for, in batches."""
    for first in range(CALLED, count, BATCH):
        yield range(first, min(first + BATCH, count))


class Hitsave:
    name = "hitsave"

    def __init__(self, _folder):
        self.call = memo(plain)
        self.folder = os.environ["HITSAVE_HOME"]

    def fill(self, count):
        store = session.current().store
        store.flush()
        ((_, record),) = store.scan(Table.CALLS, limit=1)
        ((moment, _),) = store.scan(Table.HISTORY, limit=1)
        for numbers in batches(count):
            writes = []
            for _ in numbers:
                key = DRAW.randbytes(32)
                writes.append(Write(Table.CALLS, key, record))
                # After the name of the function come a time and the start of the key.
                writes.append(Write(Table.HISTORY, moment[:-24] + DRAW.randbytes(24), key))
            store.commit(writes)
        store.flush()


class Sqlite:
    name = "SQLite"

    def __init__(self, folder):
        self.folder = f"{folder}/sqlite"
        os.mkdir(self.folder)
        self._open = sqlite3.connect(f"{self.folder}/cache.db", isolation_level=None)
        self._open.execute("PRAGMA journal_mode = WAL")
        self._open.execute("PRAGMA synchronous = NORMAL")
        self._open.execute("CREATE TABLE calls (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")

    def call(self, *args):
        key = pickle.dumps(args)
        found = self._open.execute("SELECT value FROM calls WHERE key = ?", (key,)).fetchone()
        if found is not None:
            return pickle.loads(found[0])
        result = plain(*args)
        self._put([(key, pickle.dumps(result))])
        return result

    def _put(self, rows):
        self._open.execute("BEGIN")
        self._open.executemany("INSERT INTO calls VALUES (?, ?)", rows)
        self._open.execute("COMMIT")

    def fill(self, count):
        for numbers in batches(count):
            self._put([(pickle.dumps((-n,)), pickle.dumps(n)) for n in numbers])


class Diskcache:
    name = "diskcache"

    def __init__(self, folder):
        from diskcache import Cache

        self.folder = f"{folder}/diskcache"
        self._cache = Cache(self.folder, size_limit=1 << 34)
        self.call = self._cache.memoize()(plain)

    def fill(self, count):
        for numbers in batches(count):
            with self._cache.transact():
                for n in numbers:
                    self._cache.set(self.call.__cache_key__(-n), n)


class Joblib:
    name = "joblib"

    def __init__(self, folder):
        from joblib import Memory

        if COUNT > MOST_OF_JOBLIB:
            raise ImportError
        self.folder = f"{folder}/joblib"
        self.call = Memory(self.folder, verbose=0).cache(plain)

    def fill(self, count):
        for numbers in batches(count):
            for n in numbers:
                self.call(-n)


def filled(kind, folder):
    """Return a cache with `COUNT` entries; None where there is no such cache."""
    try:
        cache = kind(folder)
    except ImportError:
        return None
    for x in range(CALLED):
        cache.call(x)
    cache.fill(COUNT)
    return cache


def bytes_in(folder):
    paths = (os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    return sum(os.lstat(path).st_blocks * 512 for path in paths)


def hits(call):
    """Return what makes a call that hits: the numbers come in any order, each as often."""
    numbers = [*range(CALLED)] * 10
    DRAW.shuffle(numbers)
    draw = itertools.cycle(numbers).__next__
    return lambda: call(draw())


def misses(call):
    """Return what makes a call that misses."""
    new = itertools.count(10**9).__next__
    return lambda: call(new())


def measure(folder):
    ours = filled(Hitsave, folder)
    others = [*filter(None, (filled(kind, folder) for kind in (Sqlite, Diskcache, Joblib)))]
    sizes = ", ".join(f"{c.name} {bytes_in(c.folder) / COUNT:.0f}" for c in (ours, *others))
    our_misses = misses(ours.call)
    for other in others:
        pair = side_by_side(hits(ours.call), hits(other.call), repeat=REPEAT)
        yield Figure(f"hit among {COUNT:,}", *pair, f"{other.name}, CPU")
        # The disk is waited for.
        clock = time.perf_counter
        pair = side_by_side(our_misses, misses(other.call), repeat=REPEAT, clock=clock)
        yield Figure(f"small miss among {COUNT:,}", *pair, f"{other.name}, clock")
    yield Figure(f"bytes an entry among {COUNT:,}", note=sizes)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        say(measure(folder))
