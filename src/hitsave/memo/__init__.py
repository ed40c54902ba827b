"""Memoisation: one call, from its arguments to its result.

Owns the decorators, the binding of arguments, and the spine that every call goes down (`call`).
Refuses to print: what happens is told by events and by `explain`.
"""
