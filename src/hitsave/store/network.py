"""Network file systems, on which no store is opened.

Owns telling them from local ones, and the folder of this computer that stands in. Refuses to guess:
what cannot be told counts as local.

LMDB maps its file into memory, where what another computer writes does not arrive; and two
computers may be granted the same lock.
"""

import os

from hitsave.events import warn

MOUNTS = "/proc/self/mountinfo"

KINDS = {
    *("afs", "beegfs", "ceph", "cifs", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs"),
    *("nfs4", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs"),
    *("fuse.ceph", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.juicefs"),
    *("fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
}
"""What Linux calls file systems whose files are on other computers, or on several."""

LASTING_FOLDER = "/var/tmp"
"""Where files of this computer stay when it is started again."""


def local_path(path: str) -> str:
    """Return `path`, or with a warning a folder of this computer where that is on the network."""
    kind = network_kind(path)
    if not kind:
        return path
    local = os.path.join(_local_folder(), f"hitsave-{os.geteuid()}")
    warn(
        f"network:{path}",
        f"{path} is on a network file system ({kind}), where a store could be damaged; results are "
        f"kept in {local} instead, on this computer alone.",
        "set HITSAVE_HOME to a folder on a local disk",
    )
    return local


def network_kind(path: str) -> str:
    """Return the kind of network file system that `path` is on, or would be; "" for a local one."""
    try:
        device = _device(os.path.realpath(path))
    except (OSError, ValueError):
        return ""  # who uses it will learn what is wrong with it
    # What has a disk of its own is local; so are most others, and these are few.
    kind = _kind_of(device) if os.major(device) == 0 else ""
    return kind if kind in KINDS else ""


def _device(path: str) -> int:
    """Return the number of the file system that `path` is on, or what is there of it."""
    try:
        return os.stat(path).st_dev
    except (FileNotFoundError, NotADirectoryError):
        return _device(os.path.dirname(path))


def _kind_of(device: int) -> str:
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(MOUNTS, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                mount, _, source = line.partition(" - ")
                if mount.split(" ", 3)[2:3] == [number]:
                    return source.split(" ", 1)[0]
    except OSError:
        return ""
    return ""


def _local_folder() -> str:
    if os.access(LASTING_FOLDER, os.W_OK) and not network_kind(LASTING_FOLDER):
        return LASTING_FOLDER
    import tempfile  # only where there is nothing better: it takes milliseconds

    return tempfile.gettempdir()
