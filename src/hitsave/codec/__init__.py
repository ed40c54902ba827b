"""Values: every argument a digest, every result a format.

Owns what a value's digest is and how a result becomes bytes and comes back. Refuses to know code
(the names of the project's functions and classes are handed in) and the store (it gets bytes).
"""

from hitsave.codec.decode import decode
from hitsave.codec.encode import encode
from hitsave.codec.explain import explain_digest
from hitsave.codec.payload import Encoded
from hitsave.codec.recalled import Recalled, is_read_only
from hitsave.codec.registered_digests import register_digest
from hitsave.codec.sharing import is_immutable
from hitsave.codec.summary import summarize
from hitsave.codec.walk import Digested, NameSymbol, digest_value

__all__ = [
    "Digested",
    "Encoded",
    "NameSymbol",
    "Recalled",
    "decode",
    "digest_value",
    "encode",
    "explain_digest",
    "is_immutable",
    "is_read_only",
    "register_digest",
    "summarize",
]
