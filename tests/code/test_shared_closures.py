"""Dependency sets that differ in what lies outside the code share one closure, and no digest."""

import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitsave.code import facts
from hitsave.code.dependencies import pack_manifest, unpack_manifest
from hitsave.code.reached import ANY_HEADER, ANY_MODULE, DependencySet, Fact
from hitsave.code.surroundings import content_digest
from hitsave.code.symbol import OUTSIDE, Facet
from hitsave.code.tracker import Declared, Moment, Tracked
from hitsave.hook import Ledger
from hitsave.session import Session

NAMES = ("a.txt", "b.txt", "gone.txt", "folder", "HS_SHARED")
FUNCTIONS = ("shared8:f", "shared8:g", "shared8:h", "plug8:run")
CODE_FACTS = (
    *(Fact(Facet.IMPORT, name) for name in ("plug8", "gone8", ANY_MODULE)),
    *(Fact(Facet.LOADED, name) for name in ("plug8", "gone8")),
    *(Fact(Facet.HEADER, name) for name in ("shared8:g", ANY_HEADER)),
)
FACTS = (*(Fact(facet, name) for facet in sorted(OUTSIDE) for name in NAMES), *CODE_FACTS)
SETS = st.builds(
    DependencySet,
    st.frozensets(st.sampled_from(FUNCTIONS)),
    st.frozensets(st.sampled_from(FACTS), max_size=6),
)


class Shared:
    """A function of a small project, and what it is tracked by."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.function: Any = importlib.import_module("shared8").f
        self.session = self.start()

    def start(self) -> Session:
        """Begin a session that has tracked nothing."""
        return Session(str(self.root), Ledger())

    def track(
        self, among: DependencySet | None, moment: Moment | None = None, by: Session | None = None
    ) -> Tracked:
        """Track the function."""
        session = by or self.session
        tracked = session.tracker.track((self.function,), Declared(), among, moment)
        # What was analysed, so that no later session does it again.
        session.finish()
        return tracked


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    root = tmp_path_factory.mktemp("shared")
    (root / "pyproject.toml").touch()
    (root / "shared8.py").write_text(
        "import inspect\n"
        "def f(x):\n    return g(x) + len(inspect.signature(h).parameters)\n"
        "def g(x):\n    return x\n"
        "def h(x, y=1):\n    return -x\n"
    )
    (root / "plug8.py").write_text("RATE = 1\ndef run():\n    return RATE\n")
    known = set(sys.modules)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HITSAVE_HOME", str(root / "home"))
        patched.setenv("HITSAVE_STRICT", "1")
        patched.setenv("HS_SHARED", "1")
        patched.syspath_prepend(str(root))
        found = Shared(root)
        _restore(found)
        yield found
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def restored(shared: Shared) -> None:
    _restore(shared)


def _restore(shared: Shared) -> None:
    (shared.root / "folder").mkdir(exist_ok=True)
    for name in ("a.txt", "b.txt"):
        (shared.root / name).write_text(f"one {name}")
    os.environ["HS_SHARED"] = "1"


def _reading(*names: str) -> DependencySet:
    return DependencySet(FUNCTIONS[:2], [Fact(Facet.FILE, name) for name in names])


# -- sharing ------------------------------------------------------------------------------------


@given(st.lists(SETS, max_size=6), st.booleans())
@settings(deadline=None, max_examples=50)
def test_a_digest_is_the_same_whether_or_not_the_closure_was_shared(
    shared: Shared, sets: list[DependencySet], in_a_moment: bool
) -> None:
    session, moment = shared.start(), Moment() if in_a_moment else None
    together = [shared.track(each, moment, session) for each in sets]
    for among, tracked in zip(sets, together, strict=True):
        alone = shared.track(among, by=shared.start())
        assert tracked.digest == alone.digest == tracked.manifest.code_digest
        assert tracked.manifest == alone.manifest
        assert tracked.manifest.reached == among.packed
        keys = [dependency.key for dependency in tracked.manifest.dependencies]
        assert keys == sorted(keys)
        counted = {Fact(f, s.module) for s, f in keys if f in OUTSIDE}
        assert counted == among.outside
    assert len({id(each.closure) for each in together}) == len({each.code for each in sets})


@given(st.lists(SETS, max_size=8))
@settings(deadline=None, max_examples=50)
def test_sets_have_the_same_digest_where_they_count_the_same(
    shared: Shared, sets: list[DependencySet]
) -> None:
    found = [shared.track(each) for each in sets]
    for one in found:
        for other in found:
            same = one.manifest.dependencies == other.manifest.dependencies
            digests = [{d.key: d.digest for d in t.manifest.dependencies} for t in (one, other)]
            assert same <= (one.digest == other.digest)
            assert (one.digest == other.digest) == (digests[0] == digests[1])


@given(SETS, SETS)
def test_a_set_made_of_a_shared_part_is_the_same_set(one: DependencySet, other: Any) -> None:
    made = DependencySet.beside(one.code, other.outside)
    facts_of = [fact for each in (one.code, other) for fact, *_ in each.facts()]
    expected = DependencySet(
        one.functions, [f for f in facts_of if f.facet in OUTSIDE or one.code.has_fact(f)]
    )
    assert made == expected
    assert made.packed == expected.packed
    assert made.code == one.code
    assert not made.code.outside
    assert DependencySet.unpack(made.packed) == made


def test_a_manifest_is_read_back_from_the_part_that_is_shared(shared: Shared) -> None:
    tracked = shared.track(_reading("a.txt", "zz.txt"))
    code, outside = tracked.manifest.apart()
    rest = {b"key": pack_manifest(tracked.code.manifest._replace(dependencies=code))}
    packed = pack_manifest(tracked.manifest._replace(dependencies=outside), b"key")
    assert unpack_manifest(packed, rest.get) == tracked.manifest
    assert pack_manifest(tracked.manifest) != packed
    assert unpack_manifest(pack_manifest(tracked.manifest), {}.get) == tracked.manifest


def test_a_change_of_code_changes_the_digest_under_every_set(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [(), ("a.txt",), ("b.txt",), ("a.txt", "b.txt")]
    sets = [_reading(*each) for each in names]
    before = [shared.track(each).digest for each in sets]
    module = sys.modules["shared8"]
    monkeypatch.setattr(module, "g", module.h)
    moment = Moment()
    after = [shared.track(each, moment).digest for each in sets]
    assert not {*before} & {*after}
    monkeypatch.undo()
    assert [shared.track(each).digest for each in sets] == before


def test_a_hundred_sets_look_at_their_closure_once_in_a_moment(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = [_reading(f"{number}.txt") for number in range(100)]
    first, moment, looked = shared.track(sets[0]), Moment(), []
    guard = type(first.closure.guard)
    holds = guard.holds
    monkeypatch.setattr(guard, "holds", lambda self: looked.append(1) or holds(self))
    monkeypatch.setattr(shared.session.tracker, "compute", None)
    for _ in range(2):
        assert all(shared.track(each, moment).code is first.code for each in sets)
    assert len(looked) == 1


# -- changes ------------------------------------------------------------------------------------


def _write(shared: Shared) -> None:
    (shared.root / "a.txt").write_text("two a.txt")


def _remove(shared: Shared) -> None:
    (shared.root / "a.txt").unlink()


@pytest.mark.parametrize("wait", [0.0, 0.06])
@pytest.mark.parametrize("change", [_write, _remove])
def test_a_change_is_seen_at_once_by_the_sets_that_it_concerns(
    shared: Shared, change: Any, wait: float
) -> None:
    """Also within the resolution of a file's times."""
    time.sleep(wait)
    mine, other = _reading("a.txt", "b.txt"), _reading("b.txt")
    before, beside = shared.track(mine), shared.track(other)
    change(shared)
    after = shared.track(mine)
    assert after.digest != before.digest
    assert after.code is before.code
    assert shared.track(other) is beside
    _restore(shared)
    assert shared.track(mine).digest == before.digest


def test_a_file_that_changes_while_it_is_digested_is_not_taken_for_what_was_read(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(path: str) -> bytes:
        found = content_digest(path)
        if "two" not in (shared.root / "a.txt").read_text():
            _write(shared)
            time.sleep(0.06)  # the new time is old enough to be trusted
        return found

    time.sleep(0.06)
    monkeypatch.setitem(facts._DIGESTS, Facet.FILE, slowly)
    session = shared.start()
    before = shared.track(_reading("a.txt"), by=session).digest
    assert (shared.root / "a.txt").read_text() == "two a.txt"
    assert shared.track(_reading("a.txt"), by=session).digest != before


def test_a_result_of_an_earlier_content_is_under_that_whenever_the_change_came(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    among, data = _reading("a.txt", "b.txt"), Fact(Facet.FILE, "a.txt")
    then = {data: content_digest(str(shared.root / "a.txt"))}
    first = shared.track(among).digest
    track = shared.session.tracker.track

    def late(*given: Any) -> Tracked:
        _write(shared)
        return track(*given)

    monkeypatch.setattr(shared.session.tracker, "track", late)
    found = shared.session.tracker.track_as_of((shared.function,), Declared(), among, then)
    assert found.digest == first == found.manifest.code_digest
    assert found.outside.digests[data] == then[data]
    monkeypatch.undo()
    assert shared.track(among).digest != first


# -- texts --------------------------------------------------------------------------------------


def test_the_text_of_a_file_is_that_of_its_digest_or_none(shared: Shared) -> None:
    tracked = shared.track(_reading("a.txt"))
    (dependency,) = tracked.outside.dependencies
    assert tracked.subject(dependency) == "one a.txt"
    _write(shared)
    assert tracked.subject(dependency) is None
