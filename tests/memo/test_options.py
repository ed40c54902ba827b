"""Options: what each does, and that a mistake in one is told at the decorator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hitsave import OptionError, experiment, inert, memo


def counting(**options: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A memoised function with these options, and the list of its runs."""
    ran: list[Any] = inert([])

    @memo(**options)
    def work(x: Any, jobs: int = 1) -> Any:
        ran.append(x)
        return x if jobs else None

    return work, ran


@pytest.mark.parametrize("ignore", ["jobs", ("jobs",), ["jobs"], {"jobs"}])
def test_an_ignored_parameter_is_no_part_of_the_key(ignore: Any) -> None:
    work, ran = counting(ignore=ignore)
    work(1, jobs=1)
    work(1, jobs=8)
    work(1, 4)
    assert ran == [1]


def test_an_ignored_argument_need_not_have_a_digest() -> None:
    work, ran = counting(ignore="jobs")
    work(1, jobs=(n for n in ()))
    work(1, jobs=(n for n in ()))
    assert ran == [1]


def test_key_takes_the_place_of_the_arguments() -> None:
    work, ran = counting(key=lambda x, **_: len(x))
    assert work("ab") == "ab"
    assert work("cd") == "ab"
    assert work("abc", jobs=2) == "abc"
    assert ran == ["ab", "abc"]


def test_a_key_that_raises_costs_the_cache_and_not_the_call(warned: list[str]) -> None:
    work, ran = counting(key=len)
    assert work(3) == work(3) == 3
    assert ran == [3, 3]
    assert len(warned) == 1
    assert "key= raised TypeError" in warned[0]


def test_other_options_never_find_what_was_recorded_under_these() -> None:
    def work(a: int, b: int) -> tuple[int, int]:
        return a, b

    def lone(key: Any) -> Any:
        return key

    assert memo(ignore="a")(work)(1, 5) == (1, 5)
    assert memo(ignore="b")(work)(5, 9) == (5, 9)
    assert memo(lone)(2) == 2
    assert memo(key=len)(lone)("ab") == "ab"
    assert memo(key=sum)(lone)([1, 1]) == [1, 1]


def test_a_result_is_good_for_its_ttl(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    work, ran = counting(ttl=timedelta(minutes=1))
    work(1)
    now[0] += 59
    work(1)
    assert ran == [1]
    now[0] += 2
    work(1)
    assert ran == [1, 1]
    now[0] += 59
    work(1)
    assert ran == [1, 1]


def test_depends_on_accepts_functions_classes_and_modules() -> None:
    class Helper:
        pass

    work, ran = counting(depends_on=[len, Helper, pytest])
    work(1)
    work(1)
    assert ran == [1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ignore": "job"}, "did you mean 'jobs'"),
        ({"ignore": 3}, "ignore takes a parameter's name"),
        ({"ignore": [1]}, "ignore takes a parameter's name"),
        ({"version": 1.5}, "version takes an int or a str"),
        ({"version": True}, "version takes an int or a str"),
        ({"key": "x"}, "key takes a function"),
        ({"local_only": "yes"}, "local_only takes True or False"),
        ({"ttl": 0}, "ttl takes a number of seconds above 0"),
        ({"ttl": -1}, "ttl takes a number of seconds above 0"),
        ({"ttl": "1h"}, "ttl takes a number of seconds above 0"),
        ({"ttl": float("nan")}, "ttl takes a number of seconds above 0"),
        ({"ttl": timedelta(0)}, "ttl takes a number of seconds above 0"),
        ({"depends_on": "helper"}, "depends_on takes a list of functions"),
        ({"depends_on": [3]}, "depends_on takes a list of functions"),
        ({"depends_on": len}, "depends_on takes a list of functions"),
        ({"key": len, "ignore": "jobs"}, "key stands for all arguments"),
    ],
)
def test_a_bad_option_is_refused_at_the_decorator(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as refused:
        counting(**options)
    assert said in str(refused.value)
    assert refused.value.hint


def test_options_go_by_name_alone() -> None:
    with pytest.raises(TypeError):
        memo(len, 1)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        memo(ignored="x")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        experiment(ttl=3)  # type: ignore[call-overload]


VERSIONED = """
from hitsave import memo

def helper(x):
    return x + {helper}

@memo(version={version})
def f(x):
    print("ran")
    return helper(x) * {factor}

print(f(1))
"""


def test_a_version_stands_for_the_functions_own_source_alone(run: Any) -> None:
    def outcome(**parts: int) -> list[str]:
        return run(VERSIONED.format(**parts)).stdout.split()  # type: ignore[no-any-return]

    assert outcome(version=1, helper=1, factor=1) == ["ran", "2"]
    assert outcome(version=1, helper=1, factor=10) == ["2"]
    assert outcome(version=1, helper=2, factor=10) == ["ran", "30"]
    assert outcome(version=2, helper=2, factor=10) == ["ran", "30"]
    assert outcome(version=2, helper=2, factor=20) == ["30"]


KEYED = """
from hitsave import memo

@memo(key=lambda x: x % {modulus})
def f(x):
    return x

print(f({x}))
"""


def test_an_edit_of_the_key_function_begins_afresh(run: Any) -> None:
    assert run(KEYED.format(modulus=10, x=13)).stdout == "13\n"
    assert run(KEYED.format(modulus=10, x=3)).stdout == "13\n"
    assert run(KEYED.format(modulus=100, x=3)).stdout == "3\n"
