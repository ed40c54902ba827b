"""What code a call depends on.

Owns modules as source, their definitions and references, what names resolve to, and the closure of
what is reachable from a function. Refuses to know values (a digest of one is asked of a callable
that the session hands in), results, or the store.
"""
