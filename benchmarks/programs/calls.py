"""Measures whole calls with large arguments and results, beside other caches that there are.

Hits are of calls that are recorded; a miss is given a number that it has not been given yet.
"""

import itertools
import random
import sys
import tempfile
import time
from dataclasses import dataclass

import numpy
from benchmarks.figures import Figure, say, side_by_side
from benchmarks.peers import peers

from hitsave import memo

REPEAT = int(sys.argv[1])
LARGE = 10_000_000
"""How many numbers a large array has: 80 MB."""


@dataclass
class Point:
    x: float
    y: float
    name: str


def size_of(value):
    return len(value)


def table(count):
    return {f"key {number}": float(number) for number in range(count)}


def points(count):
    return [Point(number * 0.5, number * 2.0, f"p{number}") for number in range(count)]


def array(count):
    return numpy.arange(count, dtype=float)


def small(number):
    return number * 2


def filled(number):
    return numpy.full(LARGE, float(number))


def arguments():
    """Yield what a hit is looked up by, and what it is called."""
    draw = random.Random(1)
    yield "50k floats as an argument", [draw.random() for _ in range(50_000)]
    rows = [{"id": number, "x": draw.random(), "tags": ["a", "b"]} for number in range(8_000)]
    yield "8k rows as an argument", rows
    yield "8 MB array as an argument", numpy.arange(LARGE / 10)


def hits(others):
    calls = [(f"hit, {work}", size_of, value, 0.0) for work, value in arguments()]
    calls += [
        ("hit, 100k-entry dict", table, 100_000, 0.0),
        ("hit, 10k dataclasses", points, 10_000, 0.0),
        ("hit, 80 MB array", array, LARGE, 30e-6),
    ]
    for work, function, argument, budget in calls:
        cached = memo(function)
        cached(argument)
        for name, cache in others:
            other = cache(function)
            other(argument)
            pair = side_by_side(
                lambda call=cached, given=argument: call(given),
                lambda call=other, given=argument: call(given),
                repeat=REPEAT,
            )
            yield Figure(work, *pair, f"{name}, CPU")
        if budget:
            ours, _ = side_by_side(lambda call=cached: call(LARGE), int, repeat=REPEAT)
            yield Figure(work, ours, 0.0, "CPU", budget, "alone")


def misses(others):
    numbers = itertools.count()
    for work, function, budget in (("small miss", small, 0.0), ("miss, 80 MB", filled, 1.0)):
        cached = memo(function)
        for name, cache in others:
            other = cache(function)
            pair = side_by_side(
                lambda call=cached: call(next(numbers)),
                lambda call=other: call(next(numbers)),
                repeat=REPEAT,
                clock=time.perf_counter,  # the disk is waited for
            )
            yield Figure(work, *pair, f"{name}, clock", budget if name == "joblib" else 0.0)


def measure(folder):
    others = list(peers(folder))
    yield from hits(others)
    yield from misses(others)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        say(measure(folder))
