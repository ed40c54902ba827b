"""Modes: what calls do with the cache, by setting and by context."""

import threading
from pathlib import Path
from typing import Any

import pytest

from hitsave import MissError, OptionError, inert, memo, mode

RAN: list[Any] = inert([])


@pytest.fixture(autouse=True)
def _no_runs() -> None:
    RAN.clear()


@memo
def double(x: int) -> int:
    RAN.append(x)
    return 2 * x


@memo
def fibo(n: int) -> int:
    RAN.append(n)
    return n if n < 2 else fibo(n - 1) + fibo(n - 2)


def test_off_leaves_the_cache_alone() -> None:
    double(1)
    with mode("off"):
        assert double(1) == 2
    assert RAN == [1, 1]
    with mode("off"):
        double(2)
    assert not double.cached(2)


def test_read_only_takes_results_and_records_none() -> None:
    double(1)
    with mode("read-only"):
        assert double(1) == 2
        assert double(2) == 4
    assert RAN == [1, 2]
    assert not double.cached(2)


def test_refresh_computes_once_more_and_records() -> None:
    double(1)
    with mode("refresh"):
        double(1)
        double(1)
    double(1)
    assert RAN == [1, 1]
    with mode("refresh"):
        double(1)
    assert RAN == [1, 1, 1]


def test_refresh_computes_each_number_of_a_recursion_once() -> None:
    fibo(20)
    RAN.clear()
    with mode("refresh"):
        assert fibo(20) == 6765
    assert sorted(RAN) == list(range(21))


def test_refreshing_one_call_leaves_those_it_makes_alone() -> None:
    fibo(20)
    RAN.clear()
    assert fibo.refresh(20) == 6765
    assert RAN == [20]
    fibo.refresh(20)
    assert RAN == [20, 20]


SOURCE: list[int] = inert([1])


@memo
def read() -> int:
    return SOURCE[0]


def test_refresh_replaces_what_was_recorded() -> None:
    assert read() == 1
    SOURCE[0] = 2
    assert read() == 1
    assert read.refresh() == 2
    assert read() == 2
    SOURCE[0] = 3
    with mode("refresh"):
        assert read() == 3
    assert read() == 3


def test_require_raises_with_the_reason_and_a_way_out() -> None:
    double(1)
    with mode("require"):
        assert double(1) == 2
        with pytest.raises(MissError) as missed:
            double(7)
    assert RAN == [1]
    assert "argument x differs" in missed.value.message
    assert "mode 'use'" in missed.value.hint


def test_require_says_why_a_call_can_have_no_result() -> None:
    @memo
    def use(x: Any) -> int:
        return len(x)

    with mode("require"), pytest.raises(MissError) as missed:
        use([threading.Lock()])
    assert "argument x[0] cannot be digested" in missed.value.message


def test_require_leaves_wrong_arguments_to_the_function() -> None:
    with mode("require"), pytest.raises(TypeError) as wrong:
        double(1, 2)  # type: ignore[call-arg]
    assert not isinstance(wrong.value, MissError)


def test_modes_nest_and_end_with_an_exception() -> None:
    def interrupted() -> None:
        with mode("read-only"):
            with mode("off"):
                pass
            double(1)
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert not double.cached(1)
    double(1)
    assert double.cached(1)


def test_a_mode_does_not_reach_other_threads() -> None:
    with mode("read-only"):
        thread = threading.Thread(target=double, args=(1,))
        thread.start()
        thread.join()
    assert double.cached(1)


def test_an_unknown_mode_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(OptionError) as refused, mode("refersh"):
        pass
    assert refused.value.hint == "did you mean 'refresh'?"


PROGRAM = """
from hitsave import memo

@memo
def f(x):
    print("ran")
    return x

f(1)
f(1)
"""


def test_off_by_setting_opens_no_store(run: Any, home: Path) -> None:
    assert run(PROGRAM, HITSAVE_MODE="off").stdout == "ran\nran\n"
    assert not home.exists()


def test_off_by_context_opens_no_store(run: Any, home: Path) -> None:
    program = PROGRAM.replace("f(1)\nf(1)", "import hitsave\nwith hitsave.mode('off'):\n    f(1)")
    assert run(program).stdout == "ran\n"
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("use", 1, 0), ("refresh", 1, 1), ("read-only", 2, 2), ("off", 2, 2)],
)
def test_modes_by_setting(run: Any, name: str, first: int, second: int) -> None:
    runs = [run(PROGRAM, HITSAVE_MODE=name).stdout.count("ran") for _ in range(2)]
    assert runs == [first, second]


def test_require_by_setting(run: Any) -> None:
    done = run(PROGRAM, check=False, HITSAVE_MODE="require")
    assert done.returncode == 1
    assert "MissError: script:f has no recorded result: it has no earlier call." in done.stderr
    run(PROGRAM)
    assert run(PROGRAM, HITSAVE_MODE="require").stdout == ""
