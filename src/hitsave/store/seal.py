"""Seals: a tag on every stored value, which tells what was written from anything else.

Owns the tag's layout and key. Refuses to say what happens to a value whose tag is wrong.

The tag is a keyed BLAKE3 over key and body under a key derived from schema and table. A flipped
bit, a value under another key, in another table or of another schema all fail it. It is no defence
against somebody who can write to the folder: that is what the folder's permissions are for.
"""

from blake3 import blake3

from hitsave.store.interface import Table

SCHEMA = 1
"""The version of the stored values. It is part of the tables' names and of every tag."""

TAG_SIZE = 16

# Copying a keyed hasher is a tenth faster than making one.
_HASHERS = {
    table: blake3(
        key=blake3(table.encode(), derive_key_context=f"hitsave store {SCHEMA} value").digest()
    )
    for table in Table
}


def seal(table: Table, key: bytes, body: bytes) -> bytes:
    """Return `body` behind its tag."""
    return _tag(table, key, body) + body


def unseal(table: Table, key: bytes, sealed: bytes) -> bytes | None:
    """Return the body of `sealed`, or None where it is not what was written under `key`."""
    body = sealed[TAG_SIZE:]
    return body if _tag(table, key, body) == sealed[:TAG_SIZE] else None


def _tag(table: Table, key: bytes, body: bytes) -> bytes:
    # The length keeps a key's end and a body's start apart.
    content = b"%d:%b%b" % (len(key), key, body)
    return _HASHERS[table].copy().update(content).digest(TAG_SIZE)
