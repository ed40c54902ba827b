"""Facts: how what an evaluation asked for outside the code goes into the code digest."""

import importlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hitsave.code.dependencies import Dependency, pack_manifest
from hitsave.code.facts import TEXT_LIMIT, Outside, fact_name
from hitsave.code.reached import ANY_MODULE, DependencySet, Fact
from hitsave.code.surroundings import NOTHING, content_digest
from hitsave.code.symbol import Facet, Symbol
from hitsave.code.tracker import Declared, Tracked
from hitsave.hook import Ledger
from hitsave.session import Session

Write = Callable[[dict[str, str]], Path]

DATA = Fact(Facet.FILE, "data.txt")
FOLDER = Fact(Facet.LISTING, "parts")
PATH = Fact(Facet.PRESENCE, "data.txt")
RATE = Fact(Facet.VARIABLE, "HS_RATE")


class Subject:
    """A function of a small project, tracked under sets of facts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.session = Session(str(root), Ledger())
        self.function: Any = importlib.import_module("subject7").f

    def track(self, *facts: Fact, functions: tuple[str, ...] = ("subject7:f",)) -> Tracked:
        """The closure under a set, as it is now."""
        among = DependencySet(functions, facts)
        return self.session.tracker.track((self.function,), Declared(), among)

    def as_of(self, digests: Mapping[Fact, bytes]) -> Tracked:
        """The closure under a set, with the digests of an earlier moment."""
        among = DependencySet(["subject7:f"], digests)
        return self.session.tracker.track_as_of((self.function,), Declared(), among, digests)

    def dependency(self, fact: Fact) -> Dependency:
        """What counts of one fact now."""
        return self.track(fact).manifest.by_key()[Symbol(fact.name, ""), fact.facet]


@pytest.fixture
def subject(write: Write, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    root = write({
        "pyproject.toml": "",
        "subject7.py": "def f(module=None):\n    return module and module.RATE\n",
        "data.txt": "one",
        "parts/a": "",
    })  # fmt: skip
    monkeypatch.setenv("HITSAVE_HOME", str(root / "home"))
    monkeypatch.setenv("HITSAVE_STRICT", "1")
    monkeypatch.delenv("HS_RATE", raising=False)
    monkeypatch.syspath_prepend(str(root))
    known = set(sys.modules)
    yield Subject(root)
    for name in set(sys.modules) - known:
        del sys.modules[name]


def _write(root: Path) -> None:
    (root / "data.txt").write_text("two")


def _remove(root: Path) -> None:
    (root / "data.txt").unlink()


def _replace(root: Path) -> None:
    _remove(root)
    (root / "data.txt").mkdir()


def _add(root: Path) -> None:
    (root / "parts" / "b").touch()


def _set(_root: Path) -> None:
    os.environ["HS_RATE"] = "2"


def _drop(root: Path) -> None:
    shutil.rmtree(root / "parts")


def _nothing(_root: Path) -> None:
    return


def _touch(root: Path) -> None:
    (root / "data.txt").write_text("one")
    (root / "parts" / "a").write_text("more")
    (root / "parts" / "__pycache__").mkdir()
    os.environ["HS_OTHER"] = "2"


@pytest.mark.parametrize(
    ("fact", "change"),
    [
        *[(DATA, _write), (DATA, _remove), (DATA, _replace)],
        *[(PATH, _remove), (PATH, _replace)],
        *[(FOLDER, _add), (FOLDER, _drop)],
        (RATE, _set),
    ],
)
def test_a_change_of_a_fact_gives_another_code_digest(
    subject: Subject, fact: Fact, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HS_RATE", "1")
    before = subject.track(fact)
    assert subject.track(fact) is before
    change(subject.root)
    assert subject.track(fact).digest != before.digest


@pytest.mark.parametrize("change", [_nothing, _touch])
@pytest.mark.parametrize("fact", [DATA, PATH, FOLDER, RATE])
def test_what_leaves_a_fact_as_it_was_leaves_the_code_digest(
    subject: Subject, fact: Fact, change: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HS_OTHER", "1")
    before = subject.track(fact)
    change(subject.root)
    assert subject.track(fact) is before


def test_a_fact_does_not_count_where_the_set_lacks_it(subject: Subject) -> None:
    before = subject.track(FOLDER)
    _write(subject.root)
    assert subject.track(FOLDER) is before


def test_a_change_that_is_taken_back_gives_the_first_digest_again(subject: Subject) -> None:
    before = subject.track(DATA).digest
    (subject.root / "data.txt").write_text("two")
    assert subject.track(DATA).digest != before
    (subject.root / "data.txt").write_text("one")
    assert subject.track(DATA).digest == before


# -- names --------------------------------------------------------------------------------------


def test_a_path_below_the_workspace_is_named_relative_to_it() -> None:
    assert fact_name("/w", "/w/a/b.txt") == "a/b.txt"
    assert fact_name("/w", "/wider/b.txt") == "/wider/b.txt"
    assert fact_name("/w", "/elsewhere/b.txt") == "/elsewhere/b.txt"
    assert fact_name("", "/w/a/b.txt") == "/w/a/b.txt"


def digest_below(root: Path, fact: Fact) -> bytes:
    """Return the digest that a fact has in the workspace at `root`."""
    return Outside(str(root), DependencySet((), [fact])).digests[fact]


def test_the_same_facts_in_another_checkout_have_the_same_digests(
    subject: Subject, tmp_path: Path
) -> None:
    other = tmp_path / "moved"
    (other / "parts").mkdir(parents=True)
    (other / "parts" / "a").touch()
    (other / "data.txt").write_text("one")
    for fact in (DATA, PATH, FOLDER):
        assert digest_below(subject.root, fact) == digest_below(other, fact) != NOTHING


def test_a_variable_is_no_path(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("data.txt", "1")
    odd = Fact(Facet.VARIABLE, "data.txt")
    assert digest_below(subject.root, odd) != digest_below(subject.root, DATA)
    assert not subject.dependency(odd).place.path


# -- the moment of asking -----------------------------------------------------------------------


def test_what_was_read_counts_as_it_was_when_it_was_read(subject: Subject) -> None:
    then = content_digest(str(subject.root / "data.txt"))
    first = subject.track(DATA).digest
    _write(subject.root)
    assert subject.as_of({DATA: then}).digest == first != subject.track(DATA).digest


def test_a_closure_of_an_earlier_moment_is_not_taken_for_one_of_now(subject: Subject) -> None:
    subject.as_of({DATA: b"never so"})
    digest = content_digest(str(subject.root / "data.txt"))
    assert subject.dependency(DATA).digest == digest


# -- explanations -------------------------------------------------------------------------------


def _text(subject: Subject, fact: Fact) -> object:
    return subject.track(fact).subject(subject.dependency(fact))


def test_the_text_of_a_small_file_is_kept(subject: Subject) -> None:
    assert _text(subject, DATA) == "one"


@pytest.mark.parametrize("content", [b"a" * (TEXT_LIMIT + 1), b"\xff\xfe\x00"])
def test_no_text_of_a_large_or_binary_file_is_kept(subject: Subject, content: bytes) -> None:
    (subject.root / "data.txt").write_bytes(content)
    assert _text(subject, DATA) is None
    assert subject.dependency(DATA).digest == content_digest(str(subject.root / "data.txt"))


def test_the_value_of_a_variable_is_nowhere(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a password."""
    monkeypatch.setenv("HS_RATE", "s3cr3t-value")
    tracked = subject.track(RATE, FOLDER, DATA)
    assert b"s3cr3t" not in pack_manifest(tracked.manifest)
    assert "s3cr3t" not in repr([*tracked.closure.subjects.values()])


# -- computed imports ---------------------------------------------------------------------------


def _import(name: str) -> Fact:
    return Fact(Facet.IMPORT, name)


def test_a_module_imported_by_a_computed_name_counts(subject: Subject, write: Write) -> None:
    write({"plug7.py": "import sys\nRATE = 1\n", "other7.py": "RATE = 1\n"})
    before = subject.track(_import("plug7")).digest
    write({"other7.py": "RATE = 2\n"})
    assert subject.track(_import("plug7")).digest == before
    write({"plug7.py": "import sys\nRATE = 22\n"})
    assert subject.track(_import("plug7")).digest != before


def test_a_module_that_was_asked_for_in_vain_counts_once_it_is_there(
    subject: Subject, write: Write
) -> None:
    before = subject.track(_import("plug7")).digest
    assert subject.track(_import("plug7")).digest == before
    write({"plug7.py": "RATE = 1\n"})
    assert subject.track(_import("plug7")).digest != before


def test_that_imports_could_not_be_seen_is_no_dependency_itself(subject: Subject) -> None:
    wide = subject.track(_import(ANY_MODULE))
    assert wide.manifest.dependencies == subject.track().manifest.dependencies


# -- functions that only observation leads to ---------------------------------------------------


def test_a_function_that_was_seen_to_run_counts_by_its_name(subject: Subject, write: Write) -> None:
    write({"plug7.py": "def go():\n    return 1\ndef rest():\n    return 1\n"})
    functions = ("subject7:f", "plug7:go")
    before = subject.track(functions=functions).digest
    write({"plug7.py": "def go():\n    return 1\ndef rest():\n    return 22\n"})
    assert subject.track(functions=functions).digest == before
    write({"plug7.py": "def go():\n    return 333\ndef rest():\n    return 22\n"})
    assert subject.track(functions=functions).digest != before


@pytest.mark.parametrize(
    "name", ["plug7:gone", "gone7:go", "plug7:go#2", "gone7", ":", "plug7:go#x"]
)
def test_a_function_that_is_no_longer_there_is_no_trouble(
    subject: Subject, write: Write, name: str
) -> None:
    write({"plug7.py": "def go():\n    return 1\n"})
    without = subject.track().digest
    assert subject.track(functions=("subject7:f", name)).digest != without
