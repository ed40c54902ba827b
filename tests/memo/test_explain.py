"""Explanations: whether a call hits, and what differs from the nearest earlier call if not."""

import re
import subprocess
import sys
import threading
from typing import Any

import pytest

from hitsave import inert, memo
from hitsave.events import Event

RAN: list[Any] = inert([])


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


@memo
def area(width: int, height: int = 2) -> int:
    RAN.append(width)
    return width * height


def test_a_hit_says_when_it_was_recorded() -> None:
    area(3)
    explanation = area.explain(3, height=2)
    assert explanation.hit
    assert re.search(r"recorded on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, when it took", str(explanation))


def test_without_an_earlier_call_it_says_so() -> None:
    explanation = area.explain(3)
    assert (explanation.hit, explanation.reason) == (False, "it has no earlier call")


def test_an_argument_is_shown_as_it_was_and_is() -> None:
    area(3, 4)
    explanation = area.explain(3, 5)
    assert explanation.reason == "argument height differs"
    (change,) = explanation.changes
    assert change.diff.splitlines()[-2:] == ["-4", "+5"]


def test_the_nearest_earlier_call_is_the_one_with_most_arguments_in_common() -> None:
    area(1, 1)
    area(3, 4)
    area(9, 9)
    assert [change.subject for change in area.explain(3, 5).changes] == ["argument height"]


def test_nothing_is_run_recorded_or_told(events: list[Event], warned: list[str]) -> None:
    area.cache_clear()
    area(1)
    events.clear()
    RAN.clear()
    area.explain(2)
    area.explain([threading.Lock()])  # type: ignore[arg-type]
    area.cached(2)
    assert (RAN, events, warned) == ([], [], [])
    assert len(area.calls()) == 1
    assert area.cache_info() == (0, 1)


def test_an_argument_without_a_digest_is_named() -> None:
    explanation = area.explain({"model": [threading.Lock()]})  # type: ignore[arg-type]
    assert not explanation.hit
    assert "argument width['model'][0] cannot be digested" in explanation.reason


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match=r"area\(\) missing 1 required positional argument"):
        area.explain()  # type: ignore[call-arg]


def test_an_expired_result_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    @memo(ttl=60)
    def kept(x: int) -> int:
        return x

    kept(1)
    now[0] += 61
    assert "expired on" in kept.explain(1).reason


def test_a_forgotten_result_has_no_earlier_call() -> None:
    area(1)
    area.forget(1)
    assert area.explain(1).reason == "it has no earlier call"


def test_a_result_of_another_key_function_does_not_count() -> None:
    def lone(x: Any) -> Any:
        return x

    memo(key=len)(lone)("ab")
    assert memo(key=sum)(lone).explain([1, 1]).reason == "it was recorded under other options"


PROGRAM = """
import sys
from hitsave import memo

RATE = {rate}

def helper(x):
    return x {sign} 1

@memo
def f(x):
    return helper(x) * RATE

if sys.argv[1:] == ["run"]:
    f({x})
else:
    explanation = f.explain({x})
    print(explanation.hit, "|", explanation.reason)
    print(explanation.detail)
"""


@pytest.fixture
def explained(run: Any) -> Any:
    """Run the program as it was, and explain the call as it is now."""

    def explained(**now: Any) -> str:
        then = {"rate": 2, "sign": "+", "x": 3}
        run(PROGRAM.format(**then).replace("sys.argv[1:]", '["run"]'))
        return run(PROGRAM.format(**{**then, **now})).stdout  # type: ignore[no-any-return]

    return explained


def test_changed_code_is_shown_as_a_diff(explained: Any) -> None:
    shown = explained(sign="-")
    assert shown.startswith("False | script:helper (body) changed\n")
    assert "script.py:7" in shown
    assert "-    return x + 1" in shown
    assert "+    return x - 1" in shown


def test_a_changed_value_is_shown_as_it_was_and_is(explained: Any) -> None:
    shown = explained(rate=5)
    assert shown.startswith("False | script:RATE (value) changed\n")
    assert "-2" in shown
    assert "+5" in shown


def test_code_and_arguments_are_both_told(explained: Any) -> None:
    shown = explained(sign="-", x=4)
    assert shown.startswith("False | argument x differs; script:helper (body) changed\n")


def test_what_does_not_count_still_hits(run: Any) -> None:
    text = PROGRAM.format(rate=2, sign="+", x=3)
    run(text.replace("sys.argv[1:]", '["run"]'))
    commented = text.replace("    return helper", "    # a comment\n    return helper")
    assert run(commented).stdout.startswith("True | recorded on")


NESTED = """
import sys
from hitsave import memo

@memo
def inner(x):
    return {inner}

@memo
def outer(x):
    return inner(x) {outer}

print(outer.explain(3), "|", outer.cached(3))
print(outer(3), outer.cache_info().misses)
"""
ALL_THE_SAME = "\n  it hits all the same if script:inner gives what it gave"


@pytest.mark.parametrize(
    ("now", "is_decided_inside", "result"),
    [
        ({"inner": "2 * x", "outer": "+ 1"}, True, "7 0"),
        ({"inner": "x * 3", "outer": "+ 1"}, True, "10 1"),
        ({"inner": "x + x", "outer": "+ 2"}, False, "8 1"),
    ],
)
def test_what_calls_inside_decide_is_said_to_be_open(
    run: Any, now: dict[str, str], is_decided_inside: bool, result: str
) -> None:
    assert ALL_THE_SAME not in run(NESTED.format(inner="x + x", outer="+ 1")).stdout
    said, _, end = run(NESTED.format(**now)).stdout.partition(" | ")
    assert said.startswith("script:outer: miss: ")
    assert said.endswith(ALL_THE_SAME) == is_decided_inside
    assert end == f"False\n{result}\n"


def test_explaining_loads_difflib_only_when_asked() -> None:
    program = "import hitsave, sys; assert 'difflib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
