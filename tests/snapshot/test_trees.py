"""Trees: what may be in one, and what is refused."""

import itertools
import unicodedata

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitsave import SnapshotError
from hitsave.digest import digest_bytes
from hitsave.snapshot.tree import Entry, Tree, _folded, pack_tree

CONTENT = digest_bytes(b"content")

names = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/"), min_size=1
).filter(lambda name: name not in (".", ".."))


def file(path: str, mode: int = 0o644, size: int = 7, digest: bytes = CONTENT) -> Entry:
    return Entry(path, mode, size, digest)


def folder(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, mode, 0, b"")


@given(st.lists(st.tuples(names, st.integers(0, 0o777), st.integers(0, 2**60)), max_size=20))
def test_a_tree_is_read_as_it_was_packed(found: list[tuple[str, int, int]]) -> None:
    entries = {_folded(name): file(name, mode, size) for name, mode, size in found}.values()
    tree = Tree(pack_tree(sorted(entries)).packed)
    assert tuple(tree) == tuple(sorted(entries))
    assert (tree.files, tree.size) == (len(entries), sum(entry.size for entry in entries))
    assert all(tree.find(entry.path) == entry for entry in entries)
    assert tree.find("a" * 100) is None


def test_what_is_packed_is_what_was_always_packed() -> None:
    entries = sorted([folder("a"), file("a/b"), file("a-b"), folder("a/c"), file("a/c/d")])
    for count in (0, 1, 5):
        packed = bytes(pack_tree(entries[:count]).packed)
        assert packed == msgpack.packb((1, entries[:count]))


def test_a_tree_with_as_many_entries_as_have_a_longer_header() -> None:
    for count in (15, 16, 65535, 65536):
        entries = [file(f"{number:06}") for number in range(count)]
        tree = Tree(pack_tree(entries).packed)
        assert len(tree) == tree.files == count
        assert (tree[0], tree[-1]) == (entries[0], entries[-1])
        assert bytes(tree.packed) == msgpack.packb((1, entries))


def test_entries_that_are_out_of_order_are_refused() -> None:
    entries = [folder("a"), file("a-b"), file("a/b")]
    for order in itertools.permutations(entries):
        if order != tuple(entries):
            with pytest.raises(SnapshotError):
                pack_tree(order)


def test_a_part_of_a_tree() -> None:
    tree = pack_tree(file(name) for name in "abcde")
    assert [entry.path for entry in tree[1:4]] == ["b", "c", "d"]
    assert [entry.path for entry in reversed(tree)] == [*"edcba"]
    assert tree[-1].path == "e"
    with pytest.raises(IndexError):
        tree[5]


REFUSED = {
    "a path that leads out": [file("../a")],
    "a path that leads out further down": [folder("a"), file("a/../../b")],
    "an absolute path": [file("/etc/passwd")],
    "an empty path": [file("")],
    "an empty part": [folder("a"), file("a//b")],
    "a dot": [file(".")],
    "a line break": [file("a\nb")],
    "a zero byte": [file("a\0b")],
    "an escape sequence": [file("\x1b[2Jx")],
    "a lone surrogate": [file("\udc80")],
    "a file in no folder": [file("a/b")],
    "a file in a file": [file("a"), file("a/b")],
    "the same path twice": [file("a"), file("a")],
    "letters of another case": [file("README"), file("readme")],
    "letters of another case in a folder": [folder("A"), folder("a"), file("a/b")],
    "letters composed otherwise": [file("\u00e9"), file("e\u0301")],
    "a sharp s": [file("stra\u00dfe"), file("strasse")],
    "letters of another case, both of which fold": [file("STRASSE"), file("Stra\u00dfe")],
    "letters of another case, far apart": [file("A"), file("B"), file("C"), file("a")],
    "a mode with more bits": [file("a", mode=0o4755)],
    "a negative mode": [file("a", mode=-1)],
    "a negative size": [file("a", size=-1)],
    "a digest of another length": [file("a", digest=b"short")],
    "a folder with a size": [Entry("a", 0o755, 5, b"")],
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_may_not_be_in_a_tree(what: str) -> None:
    entries = sorted(REFUSED[what])
    with pytest.raises(SnapshotError):
        pack_tree(entries)
    try:
        tampered = msgpack.packb((1, entries))
    except UnicodeEncodeError:
        return
    with pytest.raises(SnapshotError):
        Tree(tampered)


@pytest.mark.parametrize(
    "tree",
    [
        (1, [folder("b"), file("a")]),
        (2, []),
        (1, [("a", 0o644, 1)]),
        (1, [("a", 0o644, 1, CONTENT.hex())]),
        (1, [(b"a", 0o644, 1, CONTENT)]),
        (1, [("a", True, 1, CONTENT)]),
        (1, 5),
        (1, [], 3),
        (1,),
        [],
        "text",
        None,
    ],
)
def test_what_is_no_tree(tree: object) -> None:
    with pytest.raises(SnapshotError):
        Tree(msgpack.packb(tree))


def test_what_follows_a_tree_is_refused() -> None:
    packed = bytes(pack_tree([file("a")]).packed)
    for more in (b"\0", packed):
        with pytest.raises(SnapshotError):
            Tree(packed + more)


@given(st.lists(st.text("aAbB\u00df\u1e9es\u0130i\u0307", min_size=1, max_size=3), unique=True))
def test_names_are_refused_where_any_two_fold_to_the_same(found: list[str]) -> None:
    folded = {
        unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
        for name in found
    }
    try:
        pack_tree(map(file, sorted(found)))
    except SnapshotError:
        assert len(folded) < len(found)
    else:
        assert len(folded) == len(found)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        tree = Tree(content)
    except SnapshotError:
        return
    assert tuple(pack_tree(tree)) == tuple(tree)


@given(st.data())
def test_a_tree_with_a_few_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    entries = [folder("a"), file("a/b"), file("a/c", 0o755), file("d")]
    packed = bytearray(pack_tree(entries).packed)
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        tree = Tree(bytes(packed))
    except SnapshotError:
        return
    assert not any(".." in entry.path.split("/") for entry in tree)
