"""Pausing what gets in the way: the garbage collector, and warnings that were given already."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the collector from visiting a large structure many times over while it is built."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def warnings_paused() -> Iterator[None]:
    """Keep Python from repeating what it says of a source each time that it is parsed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
