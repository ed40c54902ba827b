"""Inert objects: what the user says changes no result."""

from typing import TypeVar

T = TypeVar("T")

_inert: dict[int, object] = {}


def inert(value: T) -> T:
    """Say that `value` changes no result: no call depends on it from now on. Returns it."""
    # Held, so that its id cannot come to mean another object.
    _inert[id(value)] = value
    return value


def is_inert(value: object) -> bool:
    """Whether the user said that `value` changes no result."""
    return id(value) in _inert
