"""Values: digests and encodings of arguments and results, beside the least that could be done."""

import os
import pickle
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgpack
from blake3 import blake3

from benchmarks.figures import Figure, Plan, side_by_side
from hitsave.codec import Recalled, decode, digest_value, encode

try:
    import numpy
except ImportError:
    numpy = None  # type: ignore[assignment]
try:
    import pandas
except ImportError:
    pandas = None
try:
    import torch
except ImportError:
    torch = None


@dataclass
class Point:
    """A row of a list of results."""

    x: float
    y: float
    name: str


def run(plan: Plan) -> Iterator[Figure]:
    """Measure digests against BLAKE3 over the same bytes, encodings against pickle."""
    for name, value in _nested().items():
        yield _nested_digest(f"nested argument, 50k leaves: {name}", value, plan)
    yield _bytes_digest("bytes argument, 80 MB", os.urandom(80_000_000), plan)
    if numpy is not None:
        array = numpy.random.default_rng(1).random(10_000_000)
        yield _bytes_digest("array argument, 80 MB", array, plan)
        small = numpy.arange(1000.0)
        yield _bytes_digest("array argument, 8 kB", small, plan, budget=0.0)
    yield from _frames(plan)
    yield from _tensors(plan)
    yield _recalled(plan)
    yield from _encodings(plan)


def _nested() -> dict[str, object]:
    draw = random.Random(1)
    return {
        "floats": [draw.random() for _ in range(50_000)],
        "tuples": [(i, draw.random(), "s") for i in range(17_000)],
        "rows": [
            {"id": i, "name": f"n{i}", "x": draw.random(), "tags": ["a", str(i)], "ok": True}
            for i in range(6_500)
        ],
    }


def _nameless(_: object) -> None:
    """Name no value: none of these is a definition of a project."""


def _nested_digest(work: str, value: object, plan: Plan) -> Figure:
    packer = msgpack.Packer()
    ours, floor = side_by_side(
        lambda: digest_value(value, name_symbol=_nameless),
        lambda: blake3(packer.pack(value)).digest(),
        repeat=plan.repeat,
    )
    return Figure(work, ours, floor, "msgpack + BLAKE3, CPU", 1.2)


def _bytes_digest(work: str, value: object, plan: Plan, budget: float = 1.1) -> Figure:
    content = memoryview(value).cast("B")  # type: ignore[arg-type]
    threads = blake3.AUTO if len(content) > 1_000_000 else 1
    ours, floor = side_by_side(
        lambda: digest_value(value, name_symbol=_nameless),
        lambda: blake3(content, max_threads=threads).digest(),
        repeat=plan.repeat,
        clock=time.perf_counter,  # on all cores: what the caller waits for counts
    )
    return Figure(work, ours, floor, "BLAKE3 on all cores, clock", budget)


def _frames(plan: Plan) -> Iterator[Figure]:
    """Digests against BLAKE3 over the columns, encodings against pickle of protocol 5."""
    if numpy is None or pandas is None:
        yield Figure("frame argument", note="not measured: pandas is not installed")
        return
    draw = numpy.random.default_rng(2)
    columns = {f"c{number}": draw.random(1_000_000) for number in range(10)}
    frame = pandas.DataFrame(columns)
    ours, floor = side_by_side(
        lambda: digest_value(frame, name_symbol=_nameless),
        lambda: [blake3(c.view("u1"), max_threads=blake3.AUTO).digest() for c in columns.values()],
        repeat=plan.repeat,
        clock=time.perf_counter,
    )
    yield Figure("frame argument, 80 MB", ours, floor, "BLAKE3 on all cores, clock", 1.1)
    yield _against_pickle("frame result, 80 MB, encode", *_writing(frame), 0.0, plan)


def _tensors(plan: Plan) -> Iterator[Figure]:
    """Digests against BLAKE3 over the numbers, encodings against pickle of protocol 5."""
    if torch is None:
        yield Figure("tensor argument", note="not measured: torch is not installed")
        return
    tensor = torch.rand(20_000_000)
    content = memoryview(tensor.numpy()).cast("B")
    ours, floor = side_by_side(
        lambda: digest_value(tensor, name_symbol=_nameless),
        lambda: blake3(content, max_threads=blake3.AUTO).digest(),
        repeat=plan.repeat,
        clock=time.perf_counter,
    )
    yield Figure("tensor argument, 80 MB", ours, floor, "BLAKE3 on all cores, clock", 1.1)
    yield _against_pickle("tensor result, 80 MB, encode", *_writing(tensor), 0.0, plan)


def _recalled(plan: Plan) -> Figure:
    """What finding the digest of an own result of any size takes, against that of a number."""
    recalled, result = Recalled(), os.urandom(80_000_000)
    recalled.note(result, b"digest")
    ours, floor = side_by_side(
        lambda: recalled.digest(result),
        lambda: digest_value(1.5, name_symbol=_nameless),
        repeat=plan.repeat,
    )
    return Figure("own result of 80 MB as an argument", ours, floor, "digest of a float, CPU", 1.0)


def _encodings(plan: Plan) -> Iterator[Figure]:
    table = {f"key {number}": float(number) for number in range(100_000)}
    points = [Point(number * 0.5, number * 2.0, f"p{number}") for number in range(10_000)]
    for name, value, budget in (
        ("100k-entry dict", table, 1.2),
        ("10k dataclasses", points, 0.6),
    ):
        yield _against_pickle(f"{name}, encode", *_writing(value), budget, plan)
        yield _against_pickle(f"{name}, decode", *_reading(value), budget, plan)


Work = Callable[[], object]


def _writing(value: object) -> tuple[Work, Work]:
    return lambda: encode(value), lambda: pickle.dumps(value, 5)


def _reading(value: object) -> tuple[Work, Work]:
    payload, pickled = encode(value).payload, pickle.dumps(value, 5)
    return lambda: decode(payload, (), allow_pickle=True), lambda: pickle.loads(pickled)


def _against_pickle(work: str, ours: Work, pickling: Work, budget: float, plan: Plan) -> Figure:
    return Figure(work, *side_by_side(ours, pickling, repeat=plan.repeat), "pickle, CPU", budget)
