"""`register_codec`: types of the program's own, by name and version."""

import threading

import pytest

import hitsave
from hitsave.codec import decode, encode
from hitsave.errors import DamagedError, NotEncodableError, OptionError, UnknownCodecError


class Matrix:
    def __init__(self, size, content):
        self.size = size
        self.content = content


class Node:
    def __init__(self, parts):
        self.parts = parts


class Loose:
    pass


def write_matrix(value):
    return {"size": value.size}, [value.content]


def read_matrix(data, buffers):
    return Matrix(data["size"], buffers[0])


hitsave.register_codec(Matrix, "tests.matrix", 1, write_matrix, read_matrix)
hitsave.register_codec(
    f"{__name__}:Node", "tests.node", 1, lambda v: (v.parts, []), lambda data, _: Node(data)
)


def through(value):
    encoded = encode(value)
    assert not encoded.pickled
    buffers = [memoryview(bytearray(buffer)) for buffer in encoded.buffers]
    return decode(encoded.payload, buffers, allow_pickle=False)


@pytest.mark.parametrize("size", [0, 3, 70_000])
def test_a_registered_type_comes_back_with_buffers_of_its_own(size):
    matrix = Matrix(size, b"x" * size)
    back = through([matrix, matrix, (1, matrix)])
    assert type(back[0]) is Matrix
    assert back[0] is back[1] is back[2][1]
    assert back[0].size == size
    assert back[0].content == matrix.content
    if size:
        back[0].content[0] = 0
    assert encode(matrix).buffers == ((matrix.content,) if size > 65_536 else ())


def test_a_large_buffer_is_read_where_it_lies():
    encoded = encode(Matrix(1, bytearray(70_000)))
    lying = bytearray(encoded.buffers[0])
    back = decode(encoded.payload, [memoryview(lying)], allow_pickle=False)
    back.content[5] = 9
    assert lying[5] == 9


def test_a_type_may_be_registered_by_its_name():
    back = through([Node([1, Node({"a": (2,)})]), Node(None)])
    assert type(back[0]) is Node
    assert back[0].parts[1].parts == {"a": (2,)}


def test_subclasses_are_not_meant():
    class_ = type("Square", (Matrix,), {"__module__": __name__})
    globals()["Square"] = class_
    try:
        assert encode(class_(1, b"")).pickled
    finally:
        del globals()["Square"]


def test_a_cycle_through_a_codec_is_left_to_pickle():
    # What decode would be given is not there before what it makes.
    node = Node([])
    node.parts.append(node)
    assert encode(node).pickled
    ring = []
    ring.append(Node([ring]))
    assert encode(ring).pickled


def test_a_registered_type_goes_by_its_codec_in_a_pickle_too():
    matrix = Matrix(3, bytearray(b"x" * 70_000))
    matrix.lock = threading.Lock()
    encoded = encode([Plain(), matrix, matrix, [matrix]])
    assert encoded.pickled
    assert [memoryview(buffer).nbytes for buffer in encoded.buffers] == [70_000]
    back = decode(encoded.payload, [memoryview(b"x" * 70_000)], allow_pickle=True)
    assert back[1] is back[2] is back[3][0]
    assert (type(back[1]), back[1].size, len(back[1].content)) == (Matrix, 3, 70_000)


class Plain:
    pass


def test_older_versions_stay_readable_and_the_newest_writes():
    hitsave.register_codec(
        Loose, "tests.loose", 1, lambda _: (1, []), lambda data, _: made(data, "one")
    )
    old = encode(Loose())
    hitsave.register_codec(
        Loose, "tests.loose", 2, lambda _: (2, []), lambda data, _: made(data, "two")
    )
    new = encode(Loose())
    hitsave.register_codec(
        Loose, "tests.loose", 1, lambda _: (1, []), lambda data, _: made(data, "again")
    )
    assert decode(old.payload, [], allow_pickle=False).said == (1, "again")
    assert decode(new.payload, [], allow_pickle=False).said == (2, "two")
    assert encode(Loose()) == new


def made(data, said):
    loose = Loose()
    loose.said = (data, said)
    return loose


def test_a_codec_that_is_not_registered_is_named():
    payload = encode(Matrix(0, b"")).payload.replace(b"tests.matrix", b"tests.matrox")
    with pytest.raises(UnknownCodecError, match=r"version 1 of the codec 'tests\.matrox'"):
        decode(payload, [], allow_pickle=True)


@pytest.mark.parametrize(
    "wrong", [lambda _: None, lambda _: (1, [2]), lambda _: 1 / 0, lambda _: (1, [memoryview])]
)
def test_an_encode_that_is_wrong_is_told_of(wrong):
    hitsave.register_codec(Wrong, "tests.wrong", 1, wrong, lambda *_: Wrong())
    with pytest.raises(NotEncodableError, match=r"tests\.wrong"):
        encode([Wrong()])


class Wrong:
    pass


def test_a_decode_that_gives_another_type_or_raises_is_damage():
    for version, decoder in ((1, lambda *_: 5), (2, lambda *_: 1 / 0)):
        hitsave.register_codec(Wrong, "tests.other", version, lambda _: (1, []), decoder)
        with pytest.raises(DamagedError):
            decode(encode(Wrong()).payload, [], allow_pickle=True)


@pytest.mark.parametrize(
    ("target", "name", "version"),
    [
        (int, "a", 1), (dict, "a", 1), ("Node", "a", 1), (":Node", "a", 1), (3, "a", 1),
        (Node, "", 1), (Node, 5, 1), (Node, "a", 0), (Node, "a", True), (Node, "a", "1"),
        (Node, "tests.matrix", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_registered_is_refused(target, name, version):
    with pytest.raises(OptionError):
        hitsave.register_codec(target, name, version, write_matrix, read_matrix)
