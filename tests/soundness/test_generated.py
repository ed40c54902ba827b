"""Generated programs, edited: what the cache gives has to be what the program gives without it.

In the quick suite the examples are always the same; `SOUNDNESS_EXAMPLES=500` tries as many new
ones. A failure prints the program and its edit as the text of an edit case.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, assume, event, given, note, settings
from hypothesis import strategies as st
from tests.soundness.programs import Program, programs

from hitsave.testing import Case, Expect, Run, Verdict, Way
from hitsave.testing.cases import WAYS
from hitsave.testing.judge import judged
from hitsave.testing.sandbox import Sandbox

ASKED = os.environ.get("SOUNDNESS_EXAMPLES")

profile = settings(
    max_examples=int(ASKED or 15),
    derandomize=ASKED is None,
    database=None,
    deadline=None,
    print_blob=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@profile
@given(programs(), st.sampled_from(WAYS))
def test_an_edit_of_a_generated_program_is_seen_if_it_matters(program: Program, way: Way) -> None:
    with TemporaryDirectory(prefix="soundness-") as folder:
        before, after = _truth(program.as_case(Expect.FINER), way, Path(folder, "plain"))
        assume(not before.startswith("'raised"))
        expect = _expected(program, before, after)
        runs = _cached(program.as_case(expect), way, Path(folder, "cached"))
    event(f"{expect}: {program.edit.kind}")
    verdict, reason = judged(expect, before, after, *runs)
    note(program.as_markdown(expect))
    assert verdict is Verdict.OK, f"{verdict} ({way}): {reason}"


def _expected(program: Program, before: str, after: str) -> Expect:
    if before != after:
        return Expect.RECOMPUTES
    return Expect.HITS if program.is_inert else Expect.FINER


def _truth(case: Case, way: Way, folder: Path) -> tuple[str, str]:
    """What the program gives before and after the edit, without a cache."""
    box = Sandbox(case, way, folder, python=sys.executable, cache=False)
    box.place(edited=False)
    before = box.run(1)
    assert before.value is not None, before.error
    box.place(edited=True)
    after = box.run(2, edited=True)
    # An edit may leave no program that can be imported, which says nothing.
    assume(after.value is not None)
    return before.value, after.value or ""


def _cached(case: Case, way: Way, folder: Path) -> tuple[Run, Run, Run, Run]:
    """Run it cold, again, edited, and with the edit taken back."""
    box = Sandbox(case, way, folder, python=sys.executable, cache=True)
    box.place(edited=False)
    cold, warm = box.run(1), box.run(2)
    box.place(edited=True)
    edited = box.run(3, edited=True)
    box.place(edited=False)
    return cold, warm, edited, box.run(4)
