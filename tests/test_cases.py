"""The edit cases in `tests/cases`, each in fresh interpreters.

In the quick suite each case is run in one of its ways, and the ways rotate from case to case.
`CASES_MATRIX=full` runs every case in every way, and also compares the mode `off` with the truth.
"""

import importlib.util
import os
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from hitsave.testing import Case, Expect, Report, Verdict, Way, read_chapter, run_case
from hitsave.testing.judge import run_off, run_truth

FULL = os.environ.get("CASES_MATRIX") == "full"
FOLDER = Path(__file__).parent / "cases"
CASES = [case for path in sorted(FOLDER.glob("*.md")) for case in read_chapter(path).cases]
GROUPS = {
    *("own", "helper", "import", "global", "closure", "class", "argument", "decorator", "dynamic"),
    *("async", "memo", "external", "needless", "finer", "call", "live", "ambient"),
    *("observed", "conditions", "effects", "instances", "found"),
}

Reports = Mapping[tuple[str, Way], Future[Report]]


def _group(case: Case) -> str:
    return case.source.partition(".")[0]


def _chosen_ways(case: Case) -> tuple[Way, ...]:
    """One way for each case, so that a run of the quick suite covers all four many times."""
    return case.ways if FULL else (case.ways[zlib.crc32(case.name.encode()) % len(case.ways)],)


def _absent(case: Case) -> list[str]:
    """The modules that the case needs and this interpreter lacks."""
    return [module for module in case.needs if importlib.util.find_spec(module) is None]


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    absent = _absent(case)
    return [pytest.mark.skip(reason=f"needs {', '.join(absent)}")] if absent else []


def _selection() -> Iterator[object]:
    for case in CASES:
        for way in _chosen_ways(case):
            name = f"{_group(case)}: {case.name} [{way}]"
            yield pytest.param(case, way, id=name, marks=_marks(case))


@pytest.fixture(scope="session")
def reports(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reports]:
    """The reports of the cases that this session selected, computed on all cores at once."""
    root = tmp_path_factory.mktemp("cases")
    wanted = [
        (item.callspec.params["case"], item.callspec.params["way"])
        for item in request.session.items
        if "reports" in item.fixturenames and item.get_closest_marker("skip") is None
    ]
    pool = ThreadPoolExecutor(os.cpu_count())
    yield {
        (case.source, way): pool.submit(run_case, case, root / str(number), way=way)
        for number, (case, way) in enumerate(wanted)
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("case", "way"), list(_selection()))
def test_an_edit_has_the_effect_that_its_case_says(case: Case, way: Way, reports: Reports) -> None:
    report = reports[case.source, way].result()
    assert report.verdict is Verdict.OK, str(report)


@pytest.mark.skipif(not FULL, reason="CASES_MATRIX=full runs it")
@pytest.mark.parametrize("group", sorted(GROUPS))
def test_the_mode_off_computes_the_truth(group: str, tmp_path: Path) -> None:
    for number, case in enumerate(case for case in CASES if _group(case) == group):
        if not _absent(case):
            before, _ = run_truth(case, tmp_path / f"{number}-plain")
            off = run_off(case, tmp_path / f"{number}-off", way=case.ways[0])
            assert (off.value, off.error) == (before, ""), case.source


def test_every_group_has_cases() -> None:
    sizes = {group: sum(_group(case) == group for case in CASES) for group in GROUPS}
    assert {path.stem for path in FOLDER.glob("*.md")} == GROUPS
    assert min(sizes.values()) >= 8


def test_edits_of_both_kinds_are_well_covered() -> None:
    expected = [case.expect for case in CASES]
    assert expected.count(Expect.RECOMPUTES) >= 150
    assert expected.count(Expect.HITS) >= 40
