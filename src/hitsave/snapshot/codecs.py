"""How snapshots are stored in results.

Owns their formats. A snapshot whose content is gone is refused, so that the call that made it is
computed again.
"""

from collections.abc import Sequence
from typing import Any

from hitsave.codec.registered_codecs import Codec, Decode, Encode, add_codec
from hitsave.digest import Digest
from hitsave.errors import DamagedError, SnapshotError
from hitsave.session import current
from hitsave.snapshot.contents import Contents
from hitsave.snapshot.file import FileSnapshot
from hitsave.snapshot.folder import DirectorySnapshot
from hitsave.store import Blob


def _encode_file(snapshot: FileSnapshot) -> tuple[object, Sequence[bytes]]:
    return (snapshot.digest, snapshot.path, snapshot.size, snapshot.mode), ()


def _decode_file(data: Any, _: Sequence[memoryview]) -> FileSnapshot:
    snapshot = FileSnapshot(*data)
    if not Contents(current().store).has(Blob(bytes.fromhex(snapshot.digest), snapshot.size)):
        raise DamagedError(f"The content of the snapshot {snapshot.digest} is gone.")
    return snapshot


def _encode_folder(snapshot: DirectorySnapshot) -> tuple[object, Sequence[bytes]]:
    return (snapshot.digest, snapshot.path, snapshot.size, snapshot.files), ()


def _decode_folder(data: Any, _: Sequence[memoryview]) -> DirectorySnapshot:
    snapshot = DirectorySnapshot(*data)
    contents = Contents(current().store)
    try:
        tree = snapshot.tree()
    except SnapshotError as error:
        raise DamagedError(error.message) from error
    if not all(entry.is_folder or contents.has(Blob(entry.digest, entry.size)) for entry in tree):
        raise DamagedError(f"Some content of the snapshot {snapshot.digest} is gone.")
    return snapshot


def register() -> None:
    """Let results hold snapshots."""
    ways: tuple[tuple[type, Encode, Decode], ...] = (
        (FileSnapshot, _encode_file, _decode_file),
        (DirectorySnapshot, _encode_folder, _decode_folder),
    )
    for kind, encode, decode in ways:
        add_codec(Codec(kind, f"hitsave.{kind.__name__}", 1, encode, decode, _content))


def _content(snapshot: FileSnapshot | DirectorySnapshot) -> Digest:
    return bytes.fromhex(snapshot.digest)
