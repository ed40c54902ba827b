"""Evicting: which calls go where there is too much.

Owns their order: what is quickest to compute again for the room that it takes goes first, and of
that what has not been used for longest. Refuses to touch a store.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping

from hitsave.collect.calls import KeptCall
from hitsave.digest import Digest

SOONEST = 3600.0
"""Seconds since its last use below which one call is as lately used as another."""


Files = Mapping[Hashable, int]
"""Files that a call refers to, with their sizes in bytes."""


def choose(
    calls: Collection[KeptCall], files: Mapping[Digest, Files], surplus: int, now: float
) -> list[KeptCall]:
    """Return the calls that have to go so that `surplus` bytes are free, or as many as may go.

    `files` are those that calls refer to, by their keys; one that several refer to goes with the
    last of them.
    """
    owners = Counter(file for call in calls for file in files.get(call.key, ()))
    chosen: list[KeptCall] = []
    for call in sorted(calls, key=lambda each: _worth(each, files, owners, now)):
        if surplus <= 0:
            break
        if call.stays:
            continue
        chosen.append(call)
        surplus -= call.size
        for file, size in files.get(call.key, {}).items():
            owners[file] -= 1
            if not owners[file]:
                surplus -= size
    return chosen


def _worth(
    call: KeptCall, files: Mapping[Digest, Files], owners: Counter[Hashable], now: float
) -> tuple[float, Digest]:
    """Seconds to compute again, for each byte that is taken and each second without use."""
    shares = (size / owners[file] for file, size in files.get(call.key, {}).items())
    size = call.size + sum(shares)
    unused = max(now - call.used, SOONEST)
    # The key, so that every process would choose the same.
    return call.record.seconds / size / unused, call.key
