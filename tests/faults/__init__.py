"""Faults: what a store and its users must survive, each kind in a file of its own.

Every test takes a few rounds of its fault; `nox -s faults -- --rounds 1000` takes a thousand.
"""
