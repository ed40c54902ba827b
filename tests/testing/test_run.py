"""Running cases: the truth, the sandbox, and the verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from hitsave.testing import Case, CaseError, Expect, Run, Verdict, Way, parse_chapter
from hitsave.testing.cases import WAYS
from hitsave.testing.judge import judged, run_truth

BASE = """\
# Chapter

## Case

- expect: recomputes

```python script.py
import tools


@memo
def f(x):
    ran()
    return tools.helper(x)
```

```python tools.py
def helper(x):
    return x + 1
```

```diff tools.py
-    return x + 1
+    return x + 2
```
"""


def case_of(old: str = "", new: str = "") -> Case:
    assert old in BASE
    return parse_chapter(BASE.replace(old, new, 1)).cases[0]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_the_truth_is_the_value_before_and_after(way: Way, tmp_path: Path) -> None:
    assert run_truth(case_of(), tmp_path / "box", way=way) == ("4", "5")


def test_a_label_that_says_recomputes_of_an_edit_without_effect_is_refused(tmp_path: Path) -> None:
    case = case_of("+    return x + 2", "+    return 1 + x")
    with pytest.raises(CaseError, match="labelled recomputes, but the value goes from 4 to 4"):
        run_truth(case, tmp_path / "box")


@pytest.mark.parametrize("label", ["hits", "finer"])
def test_a_label_that_denies_an_effect_is_refused(label: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="goes from 4 to 5"):
        run_truth(case_of("recomputes", label), tmp_path / "box")


def test_a_case_that_fails_without_a_cache_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"fails after the edit.*ZeroDivisionError"):
        run_truth(case_of("+    return x + 2", "+    return x / 0"), tmp_path / "box")


def test_a_case_whose_body_does_not_say_that_it_ran_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no body runs before"):
        run_truth(case_of("    ran()\n", ""), tmp_path / "box")


def test_a_file_before_the_edit_is_gone_after_it(tmp_path: Path) -> None:
    lists = "import os\n\n\ndef helper(x):\n    return sorted(os.listdir('pack'))\n"
    text = BASE.replace("- expect", "- removed: pack/a.txt\n- expect")
    text = text.replace("def helper(x):\n    return x + 1\n", lists)
    text = text.partition("```diff")[0]
    text += "```text pack/a.txt\na\n```\n\n```text pack/b.txt after\nb\n```\n"
    truth = run_truth(parse_chapter(text).cases[0], tmp_path / "box")
    assert truth == ("['a.txt']", "['b.txt']")


def test_the_edit_can_move_the_project_and_change_environment_and_folder(tmp_path: Path) -> None:
    seen = (
        "os.path.basename(os.path.dirname(os.path.abspath(__file__))), "
        "os.path.basename(os.getcwd()), os.environ.get('MODE'), sys.argv[1:]"
    )
    where = f"import os, sys\n\n\ndef helper(x):\n    return ({seen})\n"
    facts = "- moved: yes\n- folder: elsewhere\n- environment: MODE=a\n- arguments: -v\n- expect"
    text = BASE.replace("def helper(x):\n    return x + 1\n", where).replace("- expect", facts)
    truth = run_truth(parse_chapter(text.partition("```diff")[0]).cases[0], tmp_path / "box")
    assert truth == (
        "('project', 'project', None, [])",
        "('away', 'elsewhere', 'a', ['-v'])",
    )


def test_a_distribution_is_installed_in_the_version_of_the_moment(tmp_path: Path) -> None:
    asks = (
        "from importlib import metadata\nimport lib\n\n\ndef helper(x):\n"
        "    files = sorted(map(str, metadata.files('lib')))\n"
        "    return lib.X, metadata.version('lib'), files[-1]\n"
    )
    text = BASE.replace("def helper(x):\n    return x + 1\n", asks)
    text = text.replace("- expect", "- distribution: lib 1.0 -> 2.0\n- expect")
    text = text.partition("```diff")[0] + "```python site-packages/lib.py\nX = 1\n```\n"
    truth = run_truth(parse_chapter(text).cases[0], tmp_path / "box")
    assert truth == ("(1, '1.0', 'lib.py')", "(1, '2.0', 'lib.py')")


def test_provided_names_come_after_the_docstring_and_future_imports(tmp_path: Path) -> None:
    flawless = '"""Doc."""\nfrom __future__ import annotations\nimport tools\n'
    case = case_of("import tools\n", flawless)
    assert run_truth(case, tmp_path / "box") == ("4", "5")


RIGHT = {
    "cold": Run("1", 1, "", 0.1),
    "warm": Run("1", 0, "", 0.1),
    "edited": Run("2", 1, "", 0.1),
    "reverted": Run("1", 0, "", 0.1),
}


def verdict(expect: Expect = Expect.RECOMPUTES, after: str = "2", **changed: Run) -> Verdict:
    return judged(expect, "1", after, **(RIGHT | changed))[0]


def test_a_cache_that_follows_the_edit_and_comes_back_is_right() -> None:
    assert verdict() is Verdict.OK


@pytest.mark.parametrize("step", RIGHT)
def test_a_failure_is_an_error_wherever_it_comes(step: str) -> None:
    assert verdict(**{step: Run(None, 0, "exit 1: no", 0.1)}) is Verdict.ERROR


def test_the_earlier_value_after_the_edit_is_stale() -> None:
    assert verdict(edited=Run("1", 0, "", 0.1)) is Verdict.STALE


def test_the_edited_value_after_the_reversal_is_stale() -> None:
    assert verdict(reverted=Run("2", 0, "", 0.1)) is Verdict.STALE


def test_a_value_of_neither_version_is_wrong() -> None:
    assert verdict(warm=Run("7", 0, "", 0.1)) is Verdict.WRONG


def test_computing_again_without_an_edit_is_never_a_hit() -> None:
    assert verdict(warm=replace(RIGHT["warm"], ran=1)) is Verdict.NEVER


def test_computing_again_after_an_edit_without_effect_is_needless() -> None:
    edited = Run("1", 1, "", 0.1)
    assert verdict(Expect.HITS, after="1", edited=edited) is Verdict.NEEDLESS
    assert verdict(Expect.FINER, after="1", edited=edited) is Verdict.OK


def test_computing_again_after_the_reversal_is_needless() -> None:
    assert verdict(reverted=replace(RIGHT["reverted"], ran=1)) is Verdict.NEEDLESS


def test_what_is_not_tracked_may_keep_its_earlier_value() -> None:
    assert verdict(Expect.UNTRACKED, edited=Run("1", 0, "", 0.1)) is Verdict.OK
    assert verdict(Expect.UNTRACKED, edited=Run("3", 0, "", 0.1)) is Verdict.WRONG
