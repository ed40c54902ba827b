"""Install and uninstall: the hook is there once, or not at all.

Owns the place of the finder in `sys.meta_path`. Refuses to move or remove what is not ours, and to
touch modules that are loaded already.
"""

import sys
from collections.abc import Callable

from hitsave.hook.finder import Finder
from hitsave.hook.ledger import Ledger


def install(is_project: Callable[[str], bool], ledger: Ledger) -> Callable[[], None]:
    """Keep in `ledger` the source of every module imported from now on that `is_project(path)`.

    `path` is the origin of the module's spec: its file, or its place inside a zip file. An install
    while the hook is installed with the same two changes nothing; with others, these take over.
    Returns the function that takes out exactly what this install put in; it may be called twice,
    and does nothing once another install has taken over.
    """
    present = _ours()
    for finder in present:
        if finder.is_project == is_project and finder.ledger is ledger:
            return lambda: _remove(finder)
    ours = Finder(is_project, ledger)
    sys.meta_path.insert(0, ours)
    # Only now, so that an import in another thread meets a hook at any time.
    for finder in present:
        _remove(finder)
    return lambda: _remove(ours)


def installed() -> bool:
    """Whether the hook is in `sys.meta_path`."""
    return bool(_ours())


def _ours() -> list[Finder]:
    return [finder for finder in tuple(sys.meta_path) if isinstance(finder, Finder)]


def _remove(ours: Finder) -> None:
    # By identity: the finders of others may compare equal to anything.
    for index, finder in enumerate(sys.meta_path):
        if finder is ours:
            del sys.meta_path[index]
            return
