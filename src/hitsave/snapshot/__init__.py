"""Snapshots: the state of files and folders as values.

Owns how files get into the store and out of it again. Refuses to write anywhere that was not asked
for, and to lose anything that was there before.
"""

from hitsave.session import current
from hitsave.snapshot.catalog import find
from hitsave.snapshot.codecs import register
from hitsave.snapshot.file import FileSnapshot
from hitsave.snapshot.folder import Difference, DirectorySnapshot

__all__ = ["Difference", "DirectorySnapshot", "FileSnapshot", "from_digest", "restore"]

register()


def from_digest(digest: str) -> FileSnapshot | DirectorySnapshot:
    """Return the snapshot whose digest starts with `digest`, of a file or of a folder.

    Raises SnapshotError where the store has none, or more than one.
    """
    found = find(current().store, digest)
    kind = DirectorySnapshot if found.is_folder else FileSnapshot
    return kind.from_digest(found.digest.hex())


def restore(digest: str, overwrite: bool | None = None) -> str:
    """Put the file or folder of that digest back where it was; return the path.

    Raises SnapshotError.
    """
    return str(from_digest(digest).restore(overwrite))
