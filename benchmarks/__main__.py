"""`python -m benchmarks [NAME...]`: run benchmarks and print their figures.

Exits with 1 where `--strict` was given and a figure is over its budget.
"""

import argparse
import importlib
import platform
import sys

from benchmarks.figures import Figure, Plan, as_line, header

NAMES = (
    "hit",
    "calls",
    "entries",
    "sets",
    "values",
    "startup",
    "imports",
    "analysis",
    "observation",
    "networkx",
    "snapshots",
)


def main() -> int:
    """Run what the command line asks for."""
    asked = _parse(sys.argv[1:])
    plan = Plan(asked.repeat, asked.networkx, asked.sympy)
    print(f"Python {platform.python_version()}, {platform.machine()}")
    print(header())
    figures: list[Figure] = []
    for name in asked.names or NAMES:
        # One at a time, so that one benchmark's libraries do not weigh on another.
        for figure in importlib.import_module(f"benchmarks.{name}").run(plan):
            print(as_line(figure), flush=True)
            figures.append(figure)
    over = [figure for figure in figures if figure.is_over]
    print(f"{len(figures)} figures, {len(over)} over budget")
    return 1 if over and asked.strict else 0


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    parser.add_argument("--repeat", type=int, default=5, help="rounds behind each median (5)")
    parser.add_argument("--networkx", help="folder that holds networkx/; default: as installed")
    parser.add_argument("--sympy", help="folder that holds sympy/; default: as installed")
    parser.add_argument("--strict", action="store_true", help="fail where one is over budget")
    asked = parser.parse_args(words)
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
