"""Variables: environment variables that are read before any evaluation, on Python 3.11.

Owns what stands in front of the function by which `os.environ` encodes the name of a variable: on
3.11 nothing else tells that one is asked for while nobody profiles.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from hitsave.observe.probes import probe_of
from hitsave.observe.trouble import give_up

Encode = Callable[[Any], Any]


def listen() -> None:
    """Tell the journal of variables that are read and set from now on."""
    for environment in (os.environ, getattr(os, "environb", None)):
        encode: Encode | None = getattr(environment, "encodekey", None)
        if encode is not None:
            vars(environment)["encodekey"] = _telling(encode)


def _telling(encode: Encode) -> Encode:
    def hitsave_encodekey(name: Any) -> Any:
        try:
            frame = sys._getframe(1)
            probe = probe_of(frame.f_code.co_qualname, frame)
            if probe is not None:
                probe(frame, ())
        except Exception as error:
            give_up(error)
        return encode(name)

    return hitsave_encodekey
