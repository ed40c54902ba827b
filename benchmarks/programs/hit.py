"""Measures warm hits: hitsave's, a hand-written one, and those of other caches that there are.

The hand-written hit binds, packs, hashes, gets and unpacks, and does nothing else.
"""

import sys
import tempfile

import lmdb
import msgpack
from benchmarks.figures import Figure, say, side_by_side
from benchmarks.peers import peers
from blake3 import blake3
from many import total

from hitsave import memo

REPEAT = int(sys.argv[1])
PREFIX = bytes(32)


def helper(x):
    return x * 2


def plain(x, y=1):
    return helper(x) + y


f = memo(plain)
with_many = memo(total)


def hand_written(folder):
    """Return a cached `plain` that knows nothing of code."""
    environment = lmdb.open(folder, map_size=1 << 30, max_spare_txns=8)
    packer = msgpack.Packer()
    unpack = msgpack.unpackb

    def bind(x, y=1):
        return (x, y)

    def hit(*args, **kwargs):
        key = blake3(PREFIX + packer.pack(bind(*args, **kwargs))).digest()
        with environment.begin() as transaction:
            found = transaction.get(key)
        if found is not None:
            return unpack(found)
        result = plain(*args, **kwargs)
        with environment.begin(write=True) as transaction:
            transaction.put(key, packer.pack(result))
        return result

    return hit


def measure(folder):
    floor = hand_written(folder)
    for cached in (f, with_many, floor):
        cached(3)
    few, many = len(f.dependencies()), len(with_many.dependencies())
    hit, least = side_by_side(lambda: f(3), lambda: floor(3), repeat=REPEAT)
    yield Figure(f"warm hit, {few} dependencies", hit, least, "hand-written, CPU", 1.5)
    hit, least = side_by_side(lambda: with_many(3), lambda: floor(3), repeat=REPEAT)
    yield Figure(f"warm hit, {many} dependencies", hit, 0.0, "CPU", 20e-6, "alone")
    for name, cache in peers(folder):
        cached = cache(plain)
        cached(3)
        hit, other = side_by_side(lambda: f(3), lambda call=cached: call(3), repeat=REPEAT)
        yield Figure(f"warm hit beside {name}", hit, other, f"{name}, CPU")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        say(measure(folder))
