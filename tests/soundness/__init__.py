"""Mutation soundness: real packages as project code, edited at random, with and without the cache.

`python -m tests.soundness` runs it; `docs/testing.md` says what the columns of its report mean.
Owns workspaces, subjects, edits, verdicts and their report. Refuses to know how hitsave tracks: it
only compares what a cached run gives with what an uncached run of the same code gives.
"""
