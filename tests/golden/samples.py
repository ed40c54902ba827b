"""The values whose digests and encodings are pinned.

Run as a program it prints the digests and the encodings as JSON, in a fresh process, under
whatever hash seed and Python it was started with. Change a pinned value only together with the
format's version: an unexpected change makes every stored result of every user unreachable.
"""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import http
import json
import pathlib
import pstats
import re
import types
import urllib.parse
import uuid
from typing import NamedTuple

import numpy as np

from hitsave.codec import decode, digest_value, encode


class Pair(NamedTuple):
    first: object
    second: object


class Colour(enum.Enum):
    RED = "red"


class Point:
    def __init__(self, x):
        self.x = x


def helper(x):
    return x


def ring():
    first = [1]
    first.append({"back": (first,)})
    return first


STORABLE = {
    "none": None, "true": True, "int": 1, "big": 2**80, "float": -0.0, "nan": float("nan"),
    "complex": 1 - 2j, "str": "h\u00e9\ud800", "bytes": b"\x00\xff", "bytearray": bytearray(b"a"),
    "ellipsis": ..., "list": [1, [2.5, "a"], None], "tuple": (1, (), ("a",)), "set": {"a", 1, (2,)},
    "frozenset": frozenset({"x", "y", "z"}), "dict": {"b": 1, "a": [True], 3: {}}, "ring": ring(),
    "range": range(1, 9, 2), "slice": slice(1, None), "date": datetime.date(2020, 2, 29),
    "fold": datetime.datetime(2020, 1, 1, 2, 3, 4, 5, datetime.UTC, fold=1),
    "timedelta": datetime.timedelta(1, 2, 3), "decimal": decimal.Decimal("1.10"),
    "fraction": fractions.Fraction(1, 3), "uuid": uuid.UUID(int=7), "large": [b"x" * 70_000],
    "path": pathlib.PurePosixPath("a/b"), "pattern": re.compile("a+", re.I),
    "array": array.array("d", [1.0]), "deque": collections.deque([1], maxlen=2),
    "ordered": collections.OrderedDict(b=1, a=2), "counter": collections.Counter("ab"),
    "default": collections.defaultdict(list, a=[1]), "namespace": types.SimpleNamespace(b=1, a=2),
    "ndarray": np.arange(6, dtype="<i4").reshape(2, 3), "f8": np.array([1.5, -0.0], dtype="<f8"),
    "datetime64": np.array(["2020-01-01"], "M8[s]"), "scalar": np.float32(1.5),
    "records": np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]),
    "objects": np.array([None, (1,)], dtype=object), "deep": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],
}  # fmt: skip
DIGESTED = {
    **STORABLE, "pair": Pair(1, [2]), "enum": Colour.RED, "point": Point({"a", "b"}),
    "function": helper, "class": Point, "partial": functools.partial(helper, 1, k=2), "len": len,
    "method": Point(1).__init__, "error": ValueError("a"), "alias": list[int], "union": int | None,
    "proxy": types.MappingProxyType({"a": 1}), "mixed": [{"a": {1, 2}}, [Point(2)] * 2],
    "template": __import__("string").Template("$a"), "memoryview": memoryview(b"ab"),
}  # fmt: skip
PROFILES = [
    pstats.FunctionProfile("1", 0.5, 0.25, number, -0.0, "a.py", 3) for number in (1.0, 2.0)
]
SPLIT = urllib.parse.SplitResult("a", "b", "c", "d", "e")
SHAPED = {
    "dataclass": PROFILES[0], "dataclasses": PROFILES, "named tuple": SPLIT,
    "named tuples": [SPLIT, SPLIT._replace(scheme="z")], "member": http.HTTPStatus.OK,
    "same keys": [{"a": (1,), "b": None}, {"a": (2,), "b": 2**70}], "rows": [(1, "a"), (2, "b")],
    "long dict": {f"key {number}": number for number in range(64)}, "exception": KeyError("a", [1]),
    "shared": [PROFILES[0], PROFILES[0], (1,)], "S0": np.ndarray((3,), "S0"),
}  # fmt: skip
"""More values whose encodings are pinned: of classes that every Python has."""
UNORDERED = {"set", "frozenset"}
"""Values whose encoding follows the order of a hash table; what they decode to is compared."""


def project_name(value):
    module = getattr(value, "__module__", None)
    return f"golden:{value.__qualname__}" if module == __name__ else None


def digest(value):
    return digest_value(value, name_symbol=project_name).digest.hex()


def encoding(value):
    encoded = encode(value)
    sizes = [memoryview(buffer).nbytes for buffer in encoded.buffers]
    return {"payload": encoded.payload.hex(), "buffers": sizes}


def decoded_digest(pinned):
    buffers = [memoryview(b"x" * size) for size in pinned["buffers"]]
    payload = bytes.fromhex(pinned["payload"])
    return digest(decode(payload, buffers, allow_pickle=False))


if __name__ == "__main__":
    digests = {name: digest(value) for name, value in DIGESTED.items()}
    encodings = {name: encoding(value) for name, value in {**STORABLE, **SHAPED}.items()}
    print(json.dumps({"digests": digests, "encodings": encodings}, indent=1))
