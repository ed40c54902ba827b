"""What `import hitsave` costs a program.

A decorator is paid for by every start of every program that uses it. That the import stays light is
a promise in milliseconds, so one of these tests reads a clock, unlike any other: the processor's,
around the import statement alone, in fresh processes, and the quickest counts, since what other
programs take from the machine meanwhile is no cost of the import.
"""

import subprocess
import sys

import pytest

LIMIT = 0.060
"""Seconds that `import hitsave` may take in a fresh process."""

MOST_COUNTS = 60
"""How often the import is counted before it is said to take too long: others may be at work."""

HEAVY = ("rich", "typer", "watchdog", "asyncio", "numpy", "inspect", "dataclasses", "logging")

TIMED = """
import time
start = time.process_time()
import hitsave
print(time.process_time() - start)
"""


def run_fresh(code: str) -> str:
    """Run code in a fresh interpreter that writes and reads byte code as usual."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout


def test_importing_takes_less_than_sixty_milliseconds() -> None:
    run_fresh("import hitsave")  # byte code is compiled once for each installation
    times = [float(run_fresh(TIMED))]
    while min(times) >= LIMIT and len(times) < MOST_COUNTS:
        times.append(float(run_fresh(TIMED)))
    assert min(times) < LIMIT, times


@pytest.mark.parametrize("module", HEAVY)
def test_importing_does_not_load(module: str) -> None:
    loaded = run_fresh(f"import hitsave, sys; print({module!r} in sys.modules)")
    assert loaded == "False\n"
