"""Formats of other libraries' values: one module for each library.

Owns nothing itself. Each module has `FORMATS`, by name and version, and `find_format(kind)`; it is
loaded with the first value of its library that is written or read, and imports the library only
to build one. Each refuses what it cannot keep exactly: that goes through pickle.
"""
