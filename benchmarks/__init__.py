"""Benchmarks: what hitsave costs, beside what the same work costs without it.

`python -m benchmarks` runs all of them, `python -m benchmarks hit values` some. Every figure is
measured in one run together with its yardstick, in turns, and judged by the ratio of the medians:
machines differ and are noisy, ratios less so. Nothing is fetched, and nothing is kept: workspaces
and caches are temporary folders.
"""
