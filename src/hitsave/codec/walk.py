"""The canonical walk: one value, one digest.

Owns the order in which a value's parts are hashed, sharing, cycles and paths. Refuses to know
types: `plain` hashes plain data in C, and each other object is opened by `openers.open_value`.

The digest of an object is BLAKE3 over its node: the tag, then a token for each child. A scalar's
token is its typed bytes; another object's is its own digest. So a shared object is hashed once,
and whether it is shared does not show. A cycle is written as the distance back to the object met
before, counted in objects that are not closed yet, so equal cycles have equal digests wherever
they stand. Depth costs no stack: the walk keeps its own.
"""

import os
import sys
import types
from collections.abc import Callable
from typing import NamedTuple

from blake3 import blake3

from hitsave.codec.naming import module_name, type_label
from hitsave.codec.nodes import Node
from hitsave.codec.openers import open_value
from hitsave.codec.plain import (
    LARGE,
    PART,
    PLAIN,
    SCALARS,
    WHOLE,
    digest_chunks,
    digest_scalar,
    plain_input,
    scalar_input,
)
from hitsave.codec.sharing import is_immutable
from hitsave.errors import NotDigestibleError

NameSymbol = Callable[[object], str | None]

# First bytes that no scalar's input starts with.
_NODE = b"\xff"
_DIGEST = b"\xfe"
_MEMBER = b"\xfd"
_BACK = b"\xfc"

# Never blake3.AUTO: its pool belongs to the process that started it, and a fork's child waits for
# that pool forever. With a number, each hasher has threads of its own.
_THREADS = os.cpu_count() or 1
_THREADS_FROM = 1 << 20  # below this, waking BLAKE3's threads costs more than they save
_WITH_PYTHON = sys.stdlib_module_names | {"", "__main__", "hitsave"}
_MAX_REDUCTIONS = 10_000


class Digested(NamedTuple):
    """The digest of a value and what the walk saw on its way.

    `symbols` are the live functions, classes and modules that `name_symbol` named, each once, in
    the order met. `mutable` says whether the value or anything inside can be changed in place,
    `whole` whether the digest says all of it, or only what kinds of objects stand in some places.
    `outside` holds, for each package outside the project and the standard library that something
    in the value comes from, one such class or function.
    """

    digest: bytes
    symbols: tuple[object, ...]
    mutable: bool
    whole: bool = True
    outside: tuple[object, ...] = ()


class Done(NamedTuple):
    """What is known of an object that was walked, where that is the same in any walk.

    `depth` is how many objects were open at once in it.
    """

    value: object  # or its id would be used again
    token: bytes
    symbols: tuple[object, ...]
    mutable: bool
    depth: int
    whole: bool = True


Shared = dict[int, Done]
"""What walks have found out for each other, by id. Good for as long as no object changes.

What is not the whole of an object lies under `~id`, where only a partial walk looks.
"""


def digest_value(
    value: object,
    *,
    name_symbol: NameSymbol,
    reduce: bool = True,
    partial: bool = False,
    limit: int | None = None,
    shared: Shared | None = None,
) -> Digested:
    """Return the digest of `value`: 32 bytes, equal in every process for equal values.

    `name_symbol` gives the name of a function, class or module that belongs to the project, None
    for any other. With `reduce=False` objects without a known structure are refused rather than
    digested through their own `__reduce_ex__`, and so is a value of more than `limit` objects
    besides what plain containers hold. With `partial=True` what is refused inside `value` counts by
    its type alone, and the digest is not `whole`. Calls with the same options may give each other
    what they find out in `shared`. Raises `NotDigestibleError` with the path.
    """
    kind = type(value)
    if kind in SCALARS and not _is_large(value):
        return Digested(digest_scalar(value), (), False)
    if kind in PLAIN and (chunks := plain_input(value, WHOLE)) is not None:
        return Digested(digest_chunks(chunks), (), not is_immutable(value))
    if partial:
        try:
            return _digest(value, Walk(name_symbol, reduce, limit=limit, shared=shared))
        except NotDigestibleError:
            walk = Walk(name_symbol, reduce, limit=limit, shared=shared, partial=True)
            return _digest(value, walk)
    return _digest(value, Walk(name_symbol, reduce, limit=limit, shared=shared))


def _digest(value: object, walk: "Walk") -> Digested:
    try:
        return _walked(value, walk)
    except NotDigestibleError:
        if walk.shared is None:
            raise
        # Alone it may meet some objects in another order, and stay below the limit.
        return _walked(value, walk.alone())


def _walked(value: object, walk: "Walk") -> Digested:
    digest = walk.run(value)
    if walk.proofs:
        _require_same(walk, walk.alone(), value)
    outside = tuple(walk.outside.values())
    return Digested(digest, tuple(walk.symbols.values()), walk.mutable, walk.whole, outside)


def _require_same(first: "Walk", second: "Walk", value: object) -> None:
    """Walk again: code that is not ours took part, and it must have said the same twice."""
    second.run(value)
    if first.proofs == second.proofs:
        return
    pairs = zip(first.proofs, second.proofs, strict=False)
    path = next((one[0] for one, two in pairs if one != two), "")
    raise NotDigestibleError(
        "An object reduces to something else each time, so it has no digest.",
        "Leave it out with ignore, or say what stands for it with hitsave.register_digest.",
        path,
    )


def _is_large(value: object) -> bool:
    return type(value) in (bytes, str) and len(value) >= LARGE  # type: ignore[arg-type]


class _Seen(NamedTuple):
    """How much a walk has met so far: what is met until later is what was met in between."""

    symbols: int
    mutable: int
    bound: int
    kinds_alone: int


_UNASKED = _Seen(0, 0, 0, 0)


class _Frame:
    """An object whose children are being walked. `low` is the earliest object it refers to.

    `peak` is the most objects that were open while it was; `seen` what was met before it.
    """

    __slots__ = ("low", "members", "node", "number", "peak", "seen", "tokens", "value")

    def __init__(self, value: object, node: Node, number: int, members: int, seen: _Seen) -> None:
        self.value = value
        self.node = node
        self.number = number
        self.low = number
        self.members = members
        self.peak = number + 1
        self.seen = seen
        self.tokens: list[bytes] = []


class Walk:
    """One walk over one value."""

    def __init__(
        self,
        name_symbol: NameSymbol,
        reduce: bool,
        trace: Callable[[str, Node, bytes], None] | None = None,
        limit: int | None = None,
        shared: Shared | None = None,
        partial: bool = False,
    ) -> None:
        self._partial = partial
        self._kinds_alone = 0  # how many objects count by their kinds alone
        self._limit = limit
        self.shared = shared
        self._met: list[object] = []  # symbols, each as often as it was met
        self._mutable = 0  # how many objects can be changed in place
        self._bound = 0  # how often what was met says something of this walk alone
        self.reduce = reduce
        self.symbols: dict[int, object] = {}
        self.outside: dict[str, object] = {}  # by package
        self._kinds: set[type] = set()  # whose packages are noted
        self.proofs: list[tuple[str, bytes]] = []
        self._name_symbol = name_symbol
        self._trace = trace
        self._stack: list[_Frame] = []
        self._tokens: dict[int, bytes] = {}  # of objects that are done, by id
        self._alive: list[object] = []  # what `_tokens` speaks of, or ids would be used again
        self._open: dict[int, int] = {}  # number, by id, of objects a cycle may still close over
        self._members: list[int] = []  # the keys of `_open`, in the order met
        self._sealed: set[int] = set()
        self._next = 0
        self._reductions = 0

    def alone(self) -> "Walk":
        """Return a walk for the same purpose that has walked nothing yet, and shares nothing."""
        return Walk(self._name_symbol, self.reduce, limit=self._limit, partial=self._partial)

    def run(self, value: object) -> bytes:
        """Return the digest of `value`."""
        token = self._enter(value)
        while token is None or self._stack:
            frame = self._stack[-1]
            if token is not None:
                frame.tokens.append(token)
            done = len(frame.tokens)
            if done == len(frame.node.children):
                token = self._leave()
                continue
            if not frame.node.ordered:
                self._seal(frame)
            token = self._enter(frame.node.children[done])
        return token[1:] if token[:1] == _DIGEST else blake3(token).digest()

    @property
    def whole(self) -> bool:
        """Whether everything that was met has a digest."""
        return not self._kinds_alone

    @property
    def mutable(self) -> bool:
        """Whether anything that was met can be changed in place."""
        return self._mutable > 0

    def name(self, value: object) -> str | None:
        """Return the project's name of `value`, noting it as a symbol."""
        name = self._name_symbol(value)
        if name is not None:
            self._note(value)
        else:
            self._note_outside(value)
        return name

    def method_name(self, value: types.MethodType | types.BuiltinFunctionType) -> str | None:
        """Return the name of a method that counts by one, noting it as a symbol."""
        is_own = self._name_symbol(type(value.__self__)) is not None
        name = None if is_own else self._name_symbol(value)
        if name is not None:
            self._note(value)
        return name

    def _note_outside(self, value: object) -> None:
        """Note the package of a class, function or module that is not the project's."""
        package = module_name(value).partition(".")[0]
        if package not in self.outside and package not in _WITH_PYTHON:
            self.outside[package] = value

    def _note(self, *symbols: object) -> None:
        self.symbols.update((id(symbol), symbol) for symbol in symbols)
        self._met += symbols

    def path(self) -> str:
        """Return the path, as Python source, to the child that is being walked."""
        return "".join(frame.node.steps(len(frame.tokens)) for frame in self._stack)

    def _enter(self, value: object) -> bytes | None:
        """Return the token of `value`; None when its children have to be walked first."""
        kind = type(value)
        if kind in SCALARS and not _is_large(value):
            return scalar_input(value)
        identity = id(value)
        token = None if self.shared is None else self._taken(identity)
        if token is None and (token := self._tokens.get(identity)) is not None:
            # What it holds was noted where it was met first, and not here.
            self._bound += 1
        if token is None and identity in self._open:
            return self._back(identity)
        if token is None and kind in PLAIN and self._trace is None:
            token = self._plain(value)
        if token is None:
            seen = _UNASKED
            if self.shared is not None:
                seen = _Seen(len(self._met), self._mutable, self._bound, self._kinds_alone)
            self._push(value, self._opened(value), seen)
        return token

    def _taken(self, identity: int) -> bytes | None:
        """Return the token of an object that another walk has walked."""
        assert self.shared is not None
        done = self.shared.get(identity)
        if done is None and self._partial:
            done = self.shared.get(~identity)
            if done is not None and done.depth == 1 and not self._stack:
                return None  # by its kind alone it counts inside others only
        if done is None:
            return None
        depth = self._next + done.depth
        if self._limit is not None and depth > self._limit:
            return None  # walking it will tell
        self._note(*done.symbols)
        self._mutable += done.mutable
        self._kinds_alone += not done.whole
        if self._stack:
            self._stack[-1].peak = max(self._stack[-1].peak, depth)
        return done.token

    def _share(self, frame: _Frame, token: bytes) -> None:
        """Let other walks have what was found out, where it is the same in any of them.

        It is not where a cycle is in it, whose digest depends on where it is entered.
        """
        seen = frame.seen
        if self.shared is None or seen.bound != self._bound or type(frame.value) is Node:
            return
        symbols = {id(symbol): symbol for symbol in self._met[seen.symbols :]}
        mutable, depth = self._mutable > seen.mutable, frame.peak - frame.number
        whole, identity = self._kinds_alone == seen.kinds_alone, id(frame.value)
        done = Done(frame.value, token, tuple(symbols.values()), mutable, depth, whole)
        self.shared[identity if whole else ~identity] = done

    def _plain(self, value: object) -> bytes | None:
        if _is_large(value) or (chunks := plain_input(value, PART)) is None:
            return None
        is_mutable = not is_immutable(value)
        self._mutable += is_mutable
        token = _DIGEST + digest_chunks(chunks)
        self._alive.append(value)
        self._tokens[id(value)] = token
        if self.shared is not None:
            self.shared[id(value)] = Done(value, token, (), is_mutable, 0)
        return token

    def _opened(self, value: object) -> Node:
        # User code runs in here only where the program asked for it (`__hitsave_digest__`,
        # `register_digest`) or a class has nothing else to offer (`__reduce_ex__`); whatever it
        # raises is a fact about the value.
        try:
            node = open_value(value, self)
        except NotDigestibleError as error:
            if self._partial and self._stack:
                return self._kind_alone(value)
            raise NotDigestibleError(error.message, error.hint, self.path()) from error
        except Exception as error:
            if self._partial and self._stack:
                return self._kind_alone(value)
            raise NotDigestibleError(
                f"An object of type {type(value).__qualname__} cannot be read: "
                f"{type(error).__name__} was raised.",
                "Leave it out with ignore, or say what stands for it with hitsave.register_digest.",
                self.path(),
            ) from error
        kind = type(value)
        if kind not in self._kinds:
            self._kinds.add(kind)
            if kind is not Node and self._name_symbol(kind) is None:
                self._note_outside(kind)
        self._mutable += node.mutable
        self._bound += node.reduced
        self._count_reduction(node)
        return node

    def _kind_alone(self, value: object) -> Node:
        self._kinds_alone += 1
        return Node("kind alone", (type_label(value),))

    def _count_reduction(self, node: Node) -> None:
        self._reductions += node.reduced
        if self._reductions > _MAX_REDUCTIONS and sum(f.node.reduced for f in self._stack) > 1_000:
            raise NotDigestibleError(
                "An object reduces to ever more objects, so it has no digest.", "", self.path()
            )

    def _push(self, value: object, node: Node, seen: _Seen) -> None:
        if self._limit is not None and self._next >= self._limit:
            raise NotDigestibleError(f"It holds more than {self._limit} objects.", "", self.path())
        self._alive.append(value)
        self._open[id(value)] = self._next
        frame = _Frame(value, node, self._next, len(self._members), seen)
        if SCALARS.issuperset(map(type, node.children)) and not any(map(_is_large, node.children)):
            frame.tokens = [scalar_input(child) for child in node.children]
        self._stack.append(frame)
        self._members.append(id(value))
        self._next += 1

    def _leave(self) -> bytes:
        frame = self._stack.pop()
        token: bytes = _DIGEST + _node_digest(frame)
        if frame.node.reduced:
            self.proofs.append((self.path(), token))
        if self._trace is not None:
            self._trace(self.path(), frame.node, token[1:])
        if self._stack:
            self._stack[-1].peak = max(self._stack[-1].peak, frame.peak)
        if frame.low >= frame.number:
            self._close(frame, token)
            self._share(frame, token)
        else:
            self._stack[-1].low = min(self._stack[-1].low, frame.low)
        return token

    def _close(self, frame: _Frame, token: bytes) -> None:
        """Settle the objects of a cycle: no reference leaves it past `frame`."""
        for identity in self._members[frame.members :]:
            distance = self._open.pop(identity) - frame.number
            if identity in self._sealed:
                self._sealed.discard(identity)
            elif distance:
                self._tokens[identity] = _MEMBER + token[1:] + scalar_input(distance)
        del self._members[frame.members :]
        self._tokens[id(frame.value)] = token
        self._next = frame.number

    def _back(self, identity: int) -> bytes:
        """Return the token of an object that is not closed yet: how far back it was met."""
        if identity in self._sealed:
            raise NotDigestibleError(
                "Elements of a set refer to one another in a cycle, which has no order.",
                "Use a list or a dict, or say what stands for it with hitsave.register_digest.",
                self.path(),
            )
        self._bound += 1
        frame = self._stack[-1]
        number = self._open[identity]
        frame.low = min(frame.low, number)
        return _BACK + scalar_input(frame.number - number)

    def _seal(self, frame: _Frame) -> None:
        """Let each element of a set be walked as if it were the first: their order is unknown."""
        self._sealed.update(self._members[frame.members + 1 :])
        self._next = frame.number + 1


def _node_digest(frame: _Frame) -> bytes:
    node = frame.node
    tokens = frame.tokens if node.ordered else sorted(frame.tokens)
    content = _NODE + scalar_input(node.tag) + b"".join(tokens)
    if not node.size:
        return blake3(content).digest()
    hasher = blake3(content, max_threads=_THREADS if node.size >= _THREADS_FROM else 1)
    for buffer in node.buffers:
        hasher.update(buffer)
    return hasher.digest()
