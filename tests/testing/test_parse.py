"""The format of edit cases: what it accepts, and how it refuses the rest."""

import pytest

from hitsave.testing import CaseError, Expect, parse_chapter

CASE = """\
# A chapter

About it.

## One case

Why it is here.

- expect: recomputes

```python script.py
@memo
def f(x):
    ran()
    return x + 1
```

```diff script.py
-    return x + 1
+    return x + 2
```
"""


def one(text: str = CASE):
    (case,) = parse_chapter(text, "page.md").cases
    return case


def test_a_chapter_has_a_title_prose_and_cases() -> None:
    chapter = parse_chapter(CASE, "page.md")
    assert (chapter.title, chapter.prose) == ("A chapter", "About it.")
    assert [case.name for case in chapter.cases] == ["One case"]


def test_a_case_knows_its_line_its_prose_and_its_expectation() -> None:
    case = one()
    assert (case.source, case.prose) == ("page.md:5", "Why it is here.")
    assert case.expect is Expect.RECOMPUTES


def test_a_diff_changes_the_file_after_the_edit_only() -> None:
    case = one()
    assert case.before["script.py"].endswith("return x + 1\n")
    assert case.after["script.py"].endswith("return x + 2\n")


def test_context_lines_of_a_hunk_stay() -> None:
    case = one(CASE.replace("-    return x + 1\n", "     ran()\n-    return x + 1\n"))
    assert "    ran()\n    return x + 2\n" in case.after["script.py"]


def test_hunks_are_applied_one_after_the_other() -> None:
    case = one(CASE.replace("+    return x + 2\n", "+    return x + 2\n\n-    ran()\n"))
    assert case.after["script.py"] == "@memo\ndef f(x):\n    return x + 2\n"


def test_a_hunk_without_old_lines_is_appended() -> None:
    case = one(CASE.replace("-    return x + 1\n+    return x + 2\n", "+\n+Y = 1\n"))
    assert case.after["script.py"] == case.before["script.py"] + "\nY = 1\n"


def test_a_whole_file_can_replace_or_add_one() -> None:
    case = one(CASE + "\n```python new/tools.py after\nX = 1\n```\n")
    assert "new/tools.py" not in case.before
    assert case.after["new/tools.py"] == "X = 1\n"


def test_a_removed_file_is_gone_after_the_edit() -> None:
    text = CASE.replace("- expect", "- removed: old.py\n- expect")
    case = one(text + "\n```python old.py\nX = 1\n```\n")
    assert "old.py" in case.before
    assert "old.py" not in case.after


def test_facts_are_read() -> None:
    facts = (
        "- call: f([1, 2])\n- environment: A=1 'B=two words'\n- arguments: -v 'a b'\n"
        "- folder: elsewhere\n- moved: yes\n- distribution: lib 1.0 -> 2.0\n"
        "- layout: module\n- needs: numpy observation\n- expect"
    )
    case = one(CASE.replace("- expect", facts))
    assert case.call == "f([1, 2])"
    assert case.environment == {"A": "1", "B": "two words"}
    assert case.arguments == ("-v", "a b")
    assert case.elsewhere
    assert case.moved
    assert case.distribution is not None
    assert (case.distribution.before, case.distribution.after) == ("1.0", "2.0")
    assert {way.layout for way in case.ways} == {"module"}
    assert case.needs == ("numpy", "observation")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# A chapter\n", "", "before the title"),
        ("- expect: recomputes", "", "is not a valid Expect"),
        ("- expect: recomputes", "- expect: maybe", "is not a valid Expect"),
        ("- expect", "- expects", "unknown fact 'expects'"),
        ("- expect", "- layout: sideways\n- expect", "unknown layout"),
        ("- expect", "- distribution: lib 1.0\n- expect", "NAME OLD -> NEW"),
        ("- expect", "- removed: none.py\n- expect", "none.py does not exist"),
        ("- expect", "- environment: A\n- expect", "NAME=value"),
        ("```python script.py", "```python", "a fence must read"),
        ("```python script.py", "```python other.py", "no script.py"),
        ("-    return x + 1", "-    return y", "does not match exactly once"),
        ("+    return x + 2\n```", "+    return x + 2", "not closed"),
    ],
)
def test_a_flaw_is_refused_with_its_place(old: str, new: str, complaint: str) -> None:
    with pytest.raises(CaseError, match=r"page\.md:\d+") as caught:
        parse_chapter(CASE.replace(old, new, 1), "page.md")
    assert complaint in str(caught.value)


def test_a_hunk_that_matches_twice_is_refused() -> None:
    twice = CASE.replace("    return x + 1\n```", "    return x + 1\n    return x + 1\n```", 1)
    with pytest.raises(CaseError, match="exactly once"):
        parse_chapter(twice, "page.md")


def test_a_hunk_does_not_match_the_end_of_a_longer_line() -> None:
    with pytest.raises(CaseError, match="exactly once"):
        parse_chapter(CASE.replace("-    return x + 1", "-return x + 1"), "page.md")


def test_two_cases_of_one_name_are_refused() -> None:
    with pytest.raises(CaseError, match="two cases are named 'One case'"):
        parse_chapter(CASE + CASE.partition("About it.\n")[2], "page.md")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(CaseError, match="empty"):
        parse_chapter("", "page.md")
