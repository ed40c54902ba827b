"""hitsave: `functools.cache` that survives restarts and knows when your code changed.

    from hitsave import memo

    @memo
    def f(x): ...

Importing it puts the import hook in place, so that every project module imported from then on is
tracked with the very source that was executed.
"""

from hitsave.code.inert import inert
from hitsave.errors import (
    HitsaveError,
    HitsaveWarning,
    MissError,
    OptionError,
)
from hitsave.memo.call import mode
from hitsave.memo.decorator import experiment, memo
from hitsave.session import install_hook

__version__ = "0.1.0"

__all__ = [
    "HitsaveError",
    "HitsaveWarning",
    "MissError",
    "OptionError",
    "experiment",
    "inert",
    "memo",
    "mode",
]

install_hook()
