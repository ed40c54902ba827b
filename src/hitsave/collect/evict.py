"""Evicting: which calls go where there is too much.

Owns their order: what is quickest to compute again for the room that it takes goes first, and of
that what has not been used for longest. Refuses to touch a store.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from hitsave.collect.calls import KeptCall
from hitsave.digest import Digest

SOONEST = 3600.0
"""Seconds since its last use below which one call is as lately used as another."""


def choose(
    calls: Collection[KeptCall], sizes: Mapping[Digest, int], surplus: int, now: float
) -> list[KeptCall]:
    """Return the calls that have to go so that `surplus` bytes are free, or as many as may go.

    `sizes` are those of what calls refer to, in bytes; what several refer to goes with the last.
    """
    owners = Counter(digest for call in calls for digest in referred(call))
    chosen: list[KeptCall] = []
    for call in sorted(calls, key=lambda each: _worth(each, sizes, owners, now)):
        if surplus <= 0:
            break
        if call.stays:
            continue
        chosen.append(call)
        surplus -= call.size
        for digest in referred(call):
            owners[digest] -= 1
            if not owners[digest]:
                surplus -= sizes.get(digest, 0)
    return chosen


def referred(call: KeptCall) -> Iterable[Digest]:
    """What the record of a call refers to: the object of its result, and snapshots in that."""
    result = call.record.object
    return {*call.record.keeps, *(() if result is None else (result,))}


def _worth(
    call: KeptCall, sizes: Mapping[Digest, int], owners: Counter[Digest], now: float
) -> tuple[float, Digest]:
    """Seconds to compute again, for each byte that is taken and each second without use."""
    shares = (sizes.get(digest, 0) / owners[digest] for digest in referred(call))
    size = call.size + sum(shares)
    unused = max(now - call.used, SOONEST)
    # The key, so that every process would choose the same.
    return call.record.seconds / size / unused, call.key
