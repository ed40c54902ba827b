"""The folder of a store: what lies where, whose it is, and of which format.

Owns the decision whether a folder may be used at all. Refuses to touch a folder that is not
hitsave's, or whose format it does not know: it is left exactly as it is.

    CACHEDIR.TAG   tells backup programs to leave the folder out
    format         names the format; written last, so a folder that has it is complete
    records/       the LMDB environment; the lock around it is on this folder
    objects/       objects by digest
    blobs/         the bytes of files by digest, which links lead to
    trees/         folders that were restored to be read
    leases         locks on its bytes say which calls are being computed
    quarantine/    damaged objects
    corrupt-...    damaged data files of LMDB
"""

import os
from contextlib import suppress
from errno import ENOTDIR
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from hitsave.digest import digest_bytes
from hitsave.errors import StoreUnavailableError
from hitsave.events import warn
from hitsave.store.disk import make_folder, sync_folder, write_whole
from hitsave.store.seal import SCHEMA

_FAMILY = b"hitsave store "


def format_of(name: bytes) -> bytes:
    """Return what the file `format` holds for a format: its name, and what vouches for that."""
    return b"%s\n%s\n" % (name, digest_bytes(name).hex()[:16].encode())


FORMAT = format_of(_FAMILY + str(SCHEMA).encode())

_TAG = b"""Signature: 8a477f597d28d172789f06886806bc55
# This folder is hitsave's cache of results. See https://bford.info/cachedir/
"""
_OWN = {"CACHEDIR.TAG", "format", "records", "objects", "blobs", "trees", "leases", "quarantine"}
# Unfinished files of a process that died, and data files that were damaged.
CORRUPT = "corrupt-"
_LEFT_BEHIND = (".part-", CORRUPT)
# A fresh file system has one; it says nothing about whose the folder is.
_NOBODYS = {"lost+found"}

_HINT = "set HITSAVE_HOME to a folder of your own, on a local disk, that you can write to"


class Home(NamedTuple):
    """The paths of a store, all under `path`, which has no symbolic link in it."""

    path: str

    @property
    def records(self) -> str:
        """The folder of the LMDB environment."""
        return f"{self.path}/records"

    @property
    def data(self) -> str:
        """LMDB's own file."""
        return f"{self.path}/records/data.mdb"

    @property
    def note(self) -> str:
        """The file beside LMDB's that says how that was left."""
        return f"{self.path}/records/as-left"

    @property
    def objects(self) -> str:
        """The folder of objects."""
        return f"{self.path}/objects"

    @property
    def blobs(self) -> str:
        """The folder of blobs."""
        return f"{self.path}/blobs"

    @property
    def trees(self) -> str:
        """The folder of folders that were restored to be read."""
        return f"{self.path}/trees"

    @property
    def quarantine(self) -> str:
        """Where damaged objects go."""
        return f"{self.path}/quarantine"

    @property
    def leases(self) -> str:
        """The file whose bytes are locked."""
        return f"{self.path}/leases"


def has_lost_records(home: Home) -> bool:
    """Whether a data file was set aside, in which there may be more than in the present one."""
    return any(name.startswith(CORRUPT) for name in os.listdir(home.path))


def unavailable(path: str, error: Exception) -> StoreUnavailableError:
    """Return the error that says that the folder `path` cannot be used, because of `error`."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreUnavailableError(f"The store in {path} cannot be used: {reason}.", _HINT)


def prepare(path: str) -> Home:
    """Return the home in the folder `path`, made where it is absent or empty.

    Raises StoreUnavailableError.
    """
    try:
        home = Home(os.path.realpath(path))
        _make(home.path)
        _check_owner(home)
        if not _has_format(home):
            _initialise(home)
            _has_format(home)  # another version may have been quicker
    except (OSError, ValueError) as error:
        if isinstance(error, StoreUnavailableError):
            raise
        raise unavailable(path, error) from error
    return home


def _make(path: str, mode: int = 0o700) -> None:
    """Make the folder `path`, and what is absent above it; on disk when it returns."""
    # The path as a whole first: one that is too long is refused before anything is made.
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR)) from None
        return
    except FileNotFoundError:
        _make(os.path.dirname(path), 0o777)
        with suppress(FileExistsError):
            os.mkdir(path, mode)
    # A folder above may be one that can be passed through and not be opened.
    with suppress(PermissionError):
        sync_folder(os.path.dirname(path))


def _check_owner(home: Home) -> None:
    owner = os.stat(home.path).st_uid
    # Results may be pickles, and a pickle of somebody else's is a program of theirs.
    if owner != os.geteuid():
        raise StoreUnavailableError(
            f"The store in {home.path} belongs to another user (uid {owner}).", _HINT
        )


def _has_format(home: Home) -> bool:
    try:
        with open(f"{home.path}/format", "rb") as file:
            found = file.read(100)
    except FileNotFoundError:
        return False
    name = found.partition(b"\n")[0]
    if FORMAT.startswith(name + b"\n"):
        return True
    is_intact = name.startswith(_FAMILY) and found == format_of(name)
    if is_intact or not _has_tag(home):
        raise StoreUnavailableError(
            f"The store in {home.path} has the unknown format {_shown(name)} and is left alone.",
            "another version of hitsave may have made it: set HITSAVE_HOME to another folder",
        )
    # No version has written that. What is in the store says itself of which format it is.
    os.unlink(f"{home.path}/format")
    warn("damaged-format", f"The file {home.path}/format was damaged, and is written anew.")
    return False


def _initialise(home: Home) -> None:
    _check_nobodys(home)
    os.chmod(home.path, 0o700)
    write_whole(f"{home.path}/CACHEDIR.TAG", [_TAG])
    for folder in (home.records, home.objects):
        make_folder(folder)
    # Several processes may come here at once, and not all of them need be of one version.
    write_whole(f"{home.path}/format", [FORMAT], first_wins=True)


def _check_nobodys(home: Home) -> None:
    """Raise unless the folder is empty, or was left unfinished by an earlier `_initialise`."""
    names = {name for name in os.listdir(home.path) if not name.startswith(_LEFT_BEHIND)}
    begun = "CACHEDIR.TAG" in names and _has_tag(home)
    # Of a home that is removed while in use and made again, other processes may make parts first.
    own = _OWN if begun else {name for name in _OWN & names if _is_bare(f"{home.path}/{name}")}
    foreign = names - _NOBODYS - own
    if foreign:
        raise StoreUnavailableError(
            f"The folder {home.path} holds files that are not hitsave's: {min(foreign)!r}.",
            "set HITSAVE_HOME to a new or empty folder",
        )


def _has_tag(home: Home) -> bool:
    """Whether the folder has the tag that a store begins with."""
    try:
        with open(f"{home.path}/CACHEDIR.TAG", "rb") as file:
            return file.read(len(_TAG)) == _TAG
    except FileNotFoundError:
        return False


def _shown(name: bytes) -> str:
    return repr(name.decode(errors="replace"))


def _is_bare(path: str) -> bool:
    """Whether nothing is in a file, or in a folder but folders."""
    status = os.lstat(path)
    if S_ISDIR(status.st_mode):
        return all(_is_bare(f"{path}/{name}") for name in os.listdir(path))
    return S_ISREG(status.st_mode) and not status.st_size
