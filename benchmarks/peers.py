"""Peers: other caches that are installed, as decorators, for what is measured beside them."""

from collections.abc import Callable, Iterator
from typing import Any

Cache = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What makes a cached function of a function."""


def peers(folder: str) -> Iterator[tuple[str, Cache]]:
    """Yield the name of each cache, which keeps its entries in a folder inside `folder`."""
    try:
        from joblib import Memory

        yield "joblib", Memory(folder + "/joblib", verbose=0).cache
        yield "joblib, mapped", Memory(folder + "/mapped", verbose=0, mmap_mode="r").cache
    except ImportError:
        pass
    try:
        from diskcache import Cache as DiskCache

        yield "diskcache", DiskCache(folder + "/diskcache", size_limit=1 << 34).memoize()
    except ImportError:
        pass
