"""The program that the tests of faults run: it records one of everything that a store can hold."""

CALLS = '''
import os
from hitsave import DirectorySnapshot, FileSnapshot, experiment, memo
from hitsave.errors import HitsaveError

try:
    import numpy
except ImportError:
    numpy = None


@memo
def small(x):
    print("computing small", x)
    return {"number": x, "text": "small " * x}


@memo
def large(x):
    print("computing large", x)
    return bytes([x]) * 100_000


@memo
def array(x):
    print("computing array", x)
    return numpy.arange(x, x + 12_000)


@experiment
def tried(x):
    print("computing tried", x)
    return x / 8


@memo
def written(x):
    print("computing written", x)
    with open(f"file{x}.bin", "wb") as file:
        file.write(b"file %d " % x * 10_000)
    return FileSnapshot.snap(f"file{x}.bin")


@memo
def folder(x):
    print("computing folder", x)
    os.makedirs(f"folder{x}/inner", exist_ok=True)
    for name, size in (("few", 10), ("inner/many", 20_000)):
        with open(f"folder{x}/{name}", "wb") as file:
            file.write(b"%s %d " % (name.encode(), x) * size)
    return DirectorySnapshot.snap(f"folder{x}")


def shown(value):
    if isinstance(value, FileSnapshot):
        value = value.read_bytes()
    elif isinstance(value, DirectorySnapshot):
        verified = [(value / name).read_bytes() for name in ("few", "inner/many")]
        folder = value.restore_safe()
        assert verified == [(folder / name).read_bytes() for name in ("few", "inner/many")]
        value = b"".join(verified)
    elif numpy is not None and isinstance(value, numpy.ndarray):
        value = value.tobytes()
    return f"{len(value)} bytes {hash_of(value)}" if isinstance(value, bytes) else repr(value)


def hash_of(value):
    import zlib

    return zlib.crc32(value)


def call(name, x):
    """Print what a call gives; or that hitsave refused it, as only snapshots may be."""
    try:
        print(name, x, "gives", shown(globals()[name](x)))
    except HitsaveError:
        if name not in ("written", "folder"):
            raise
        print(name, x, "refused")


ALL = [
    *((name, x) for x in range(1, 3) for name in ("small", "large", "tried", "written")),
    *([("array", 1)] if numpy is not None else []),
    ("folder", 1),
]


def main(*names):
    for name, x in ALL:
        if not names or name in names:
            call(name, x)
'''
