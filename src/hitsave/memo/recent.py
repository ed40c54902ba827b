"""Recent calls: the records of a function's latest calls.

Owns reading them in the order of time.
"""

from hitsave.errors import DamagedError, OtherSchemaError
from hitsave.memo.record import history_prefix
from hitsave.session import Session
from hitsave.store import CallRecord, Table, unpack_call

EARLIER_CALLS = 200
"""How many earlier calls are looked at for the nearest one."""


def recent_calls(session: Session, symbol: str, limit: int = EARLIER_CALLS) -> list[CallRecord]:
    """Return the records of a symbol's latest calls, newest first."""
    found = []
    prefix = history_prefix(symbol)
    for _, key in session.store.scan(Table.HISTORY, prefix, limit=limit, newest_first=True):
        packed = session.store.get(Table.CALLS, key)
        if packed is None:
            continue
        try:
            found.append(unpack_call(packed))
        except OtherSchemaError:
            continue
        except DamagedError as error:
            session.trouble("record", error)
    return found
