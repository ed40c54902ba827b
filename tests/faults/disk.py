"""A model of a disk: what may be left of a folder after a power cut.

Owns what a file system promises and what it does not. Of a file, what was written since its last
`fsync` may be there or not, sector by sector. Of a folder, the newest names may be lost that were
made, changed or removed since its last `fsync`; never an older one without the newer ones. The
`fsync` of a file says nothing about its name.
"""

import io
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
"""So many bytes are written as a whole or not at all."""


class Operation(NamedTuple):
    """A line of the shim's log; `shim.c` says what `first` and `second` are of each kind."""

    kind: str
    inode: int
    first: int
    second: int
    path: str
    other: str
    data: bytes


def read_log(path: Path) -> list[Operation]:
    """Return the operations in the log of the shim."""
    return list(_operations(io.BytesIO(path.read_bytes())))


def _operations(log: io.BytesIO) -> Iterator[Operation]:
    while head := b"".join(_fields(log)):
        kind, inode, first, second, size, path, other, _ = head.decode().split("\t")
        data = log.read(int(size))
        assert log.read(1) == b"\n"
        yield Operation(kind, int(inode), int(first), int(second), path, other, data)


def _fields(log: io.BytesIO) -> Iterator[bytes]:
    """Yield what is up to the seventh tab, a byte at a time."""
    left = 7
    while left and (byte := log.read(1)):
        left -= byte == b"\t"
        yield byte


class Piece(NamedTuple):
    """Bytes written to a file; `sure` where they were on disk when that returned."""

    start: int
    data: bytes
    sure: bool

    @property
    def sectors(self) -> range:
        """The numbers of the sectors that it is written to."""
        return range(self.start // SECTOR, -(-(self.start + len(self.data)) // SECTOR))

    def part(self, sector: int) -> tuple[int, bytes]:
        """What of it is in a sector, and where that starts."""
        start = max(self.start, sector * SECTOR)
        end = (sector + 1) * SECTOR
        return start, self.data[start - self.start : end - self.start]


class Status(NamedTuple):
    """Permission bits, and the time of the last change where somebody set that."""

    mode: int
    modified: int | None = None


@dataclass(eq=False)
class Node:
    """A file, folder or symbolic link, whatever its names: on disk, and not yet there.

    `size` is how long the file is to those who read it now.
    """

    kind: str
    status: Status
    target: str = ""
    content: bytearray = field(default_factory=bytearray)
    size: int = 0
    pending: list[Piece] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)

    def write(self, piece: Piece) -> None:
        """Write to the file."""
        self.pending.append(piece)
        self.size = max(self.size, piece.start + len(piece.data))

    def sync(self) -> None:
        """Bring the file to disk."""
        for start, data, _ in self.pending:
            _put(self.content, start, data)
        self.content.extend(bytes(self.size - len(self.content)))
        self.status = self.statuses[-1] if self.statuses else self.status
        self.pending.clear()
        self.statuses.clear()


def _put(content: bytearray, start: int, data: bytes) -> None:
    content.extend(bytes(max(0, start - len(content))))
    content[start : start + len(data)] = data


@dataclass(eq=False)
class Change:
    """What an operation does to names: all of it or nothing is there after a power cut."""

    names: tuple[tuple[Node, str, Node | None], ...]
    sure: bool = False

    @property
    def folders(self) -> set[Node]:
        """The folders that it changes."""
        return {folder for folder, _, _ in self.names}


Names = dict[Node, dict[str, Node]]


class Disk:
    """The folder `root`, which was empty at first, after some operations."""

    def __init__(self, root: str, operations: Iterable[Operation]) -> None:
        self._root_path = root
        self._root = Node("folder", Status(0o755))
        self._nodes: dict[int, Node] = {}
        self._names: Names = {self._root: {}}
        self._changes: list[Change] = []
        for each in operations:
            getattr(self, f"_{each.kind}")(each)

    # -- the operations of the log --------------------------------------------------------------

    def _create(self, done: Operation) -> None:
        node = self._nodes[done.inode] = Node("file", Status(done.first & 0o7777))
        self._change((*self._place(done.path), node))

    def _mkdir(self, done: Operation) -> None:
        node = self._nodes[done.inode] = Node("folder", Status(0o700))
        self._names[node] = {}
        self._change((*self._place(done.path), node))

    def _symlink(self, done: Operation) -> None:
        self._change((*self._place(done.path), Node("link", Status(0o777), done.other)))

    def _write(self, done: Operation) -> None:
        self._nodes[done.inode].write(Piece(done.first, done.data, bool(done.second)))

    def _truncate(self, done: Operation) -> None:
        node = self._nodes[done.inode]
        assert done.first >= node.size, "the model knows no files that become shorter"
        node.write(Piece(done.first, b"", sure=False))

    def _touch(self, done: Operation) -> None:
        node = self._nodes.get(done.inode)
        if node is not None:  # a symbolic link has no time that matters
            node.statuses.append(Status(done.first & 0o7777, done.second))

    def _sync(self, done: Operation) -> None:
        node = self._nodes.get(done.inode, self._root)
        node.sync()
        for change in self._changes:
            change.sure = change.sure or node in change.folders

    def _rename(self, done: Operation) -> None:
        folder, name = self._place(done.path)
        node = self._names[folder][name]
        self._change((folder, name, None), (*self._place(done.other), node))

    def _unlink(self, done: Operation) -> None:
        self._change((*self._place(done.path), None))

    def _link(self, done: Operation) -> None:
        folder, name = self._place(done.path)
        self._change((*self._place(done.other), self._names[folder][name]))

    def _note(self, done: Operation) -> None:
        """What a program says in the log changes nothing."""

    def _place(self, path: str) -> tuple[Node, str]:
        node = self._root
        *folders, name = os.path.relpath(path, self._root_path).split(os.sep)
        for each in folders:
            node = self._names[node][each]
        return node, name

    def _change(self, *names: tuple[Node, str, Node | None]) -> None:
        change = Change(names)
        self._changes.append(change)
        _apply(self._names, change)

    # -- after a power cut ----------------------------------------------------------------------

    def leave(self, target: Path, chance: random.Random) -> None:
        """Make the folder `target` one of those that a power cut may leave."""
        names: Names = {node: {} for node in self._names}
        for change in self._kept(chance):
            _apply(names, change)
        _make(names, self._root, target, chance)

    def _kept(self, chance: random.Random) -> Iterator[Change]:
        bound = set[Node]()
        for change in reversed(self._changes):
            change.sure = change.sure or bool(change.folders & bound)
            if change.sure:
                bound |= change.folders
        lost, likely = set[Node](), chance.choice((0.0, 0.1, 0.5, 1.0))
        for change in self._changes:
            if change.sure or (not change.folders & lost and chance.random() >= likely):
                yield change
            else:
                lost |= change.folders


def _apply(names: Names, change: Change) -> None:
    for folder, name, node in change.names:
        if node is None:
            del names[folder][name]
        else:
            names[folder][name] = node


def _make(names: Names, folder: Node, target: Path, chance: random.Random) -> None:
    target.mkdir(mode=0o700)
    for name, node in names[folder].items():
        path = target / name
        if node.kind == "folder":
            _make(names, node, path, chance)
        elif node.kind == "link":
            path.symlink_to(node.target)
        else:
            path.write_bytes(_left(node, chance))
        if node.kind != "link":
            _set_status(path, chance.choice([node.status, *node.statuses]))


def _set_status(path: Path, status: Status) -> None:
    path.chmod(status.mode)
    if status.modified is not None:
        os.utime(path, ns=(status.modified, status.modified))


def _left(node: Node, chance: random.Random) -> bytes:
    """What may be left of a file's content."""
    content = bytearray(node.content)
    for start, data in _pieces_left(node.pending, chance):
        _put(content, start, data)
    if chance.random() < 0.2:
        # That the file has become longer may be on disk before what it holds is.
        content.extend(bytes(node.size - len(content)))
    return bytes(content)


def _pieces_left(pending: list[Piece], chance: random.Random) -> list[tuple[int, bytes]]:
    """What is on disk of what was written: of a sector, never the newer without the older."""
    likely, by_sector = chance.choice((0.0, 0.5, 0.9, 1.0)), chance.random() < 0.5
    there, left = set[int](), list[tuple[int, bytes]]()
    for piece in reversed(pending):
        is_there = piece.sure or chance.random() < likely
        for sector in piece.sectors:
            if by_sector and not piece.sure:
                is_there = chance.random() < likely
            if is_there or sector in there:
                there.add(sector)
                left.append(piece.part(sector))
    return left[::-1]
