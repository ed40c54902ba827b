"""Tasks of asyncio that want the same result: one computes it, the others wait.

Owns waiting that does not hold up the event loop. Refuses to load asyncio, which whoever runs a
task of it has loaded. Tasks of other frameworks do not wait: each computes.
"""

import sys
from contextlib import nullcontext
from types import TracebackType
from typing import Any

from hitsave.memo import call as spine
from hitsave.store import Lease


class TaskLease:
    """The lease for a call's key, held by the task that enters it. See `call.lease`."""

    __slots__ = ("_call", "_lease")

    def __init__(self, call: spine.Call) -> None:
        self._call = call
        self._lease: Lease | None = None

    async def __aenter__(self) -> bool:
        asyncio, task = _current_task()
        if task is None:
            return False
        lease = spine.lease(self._call, task)
        if isinstance(lease, nullcontext):
            return False
        # Before anything is awaited: of an attempt that is cancelled, nothing may stay behind.
        self._lease = lease
        try:
            while not lease.take():
                pause = lease.pause()
                if not pause:
                    return False
                await asyncio.sleep(pause)
        except BaseException:
            lease.give_back()
            raise
        return True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lease is not None:
            self._lease.give_back()


def _current_task() -> tuple[Any, Any]:
    """Return asyncio, and the task of it that runs now; None for what there is not."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None, None
    try:
        return asyncio, asyncio.current_task()
    except RuntimeError:  # no event loop, or one of another framework
        return asyncio, None
