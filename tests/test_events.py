"""Events: everybody who subscribed hears them, and nobody who listens can break a call."""

import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest

from hitsave.errors import HitsaveError, HitsaveWarning
from hitsave.events import (
    Bypassed,
    Event,
    Warned,
    emit,
    forget_warnings,
    listening,
    subscribe,
    warn,
    warn_error,
)

EVENT = Bypassed("module:function", "a reason")


@pytest.fixture(autouse=True)
def _no_warnings_given() -> Iterator[None]:
    forget_warnings()
    yield
    forget_warnings()


def test_every_subscriber_hears_every_event_until_it_ends() -> None:
    one: list[Event] = []
    other: list[Event] = []
    end_one, end_other = subscribe(one.append), subscribe(other.append)
    emit(EVENT)
    end_one()
    end_one()
    emit(EVENT)
    end_other()
    assert (len(one), len(other)) == (1, 2)


def test_listening_says_whether_anybody_does() -> None:
    before = listening()
    end = subscribe(lambda _: None)
    assert listening()
    end()
    assert listening() is before


def test_a_subscriber_that_raises_is_dismissed_with_one_warning() -> None:
    calls: list[Event] = []
    heard: list[Event] = []

    def broken(event: Event) -> None:
        calls.append(event)
        raise ValueError("no disk")

    ends = [subscribe(broken), subscribe(heard.append)]
    with pytest.warns(HitsaveWarning, match=r"broken raised ValueError: no disk"):
        emit(EVENT)
    emit(EVENT)
    for end in ends:
        end()
    assert calls == [EVENT]
    assert heard.count(EVENT) == 2


def test_two_broken_subscribers_do_not_call_each_other_for_ever() -> None:
    def broken(_: Event) -> None:
        raise ValueError

    def worse(_: Event) -> None:
        raise OSError

    ends = [subscribe(broken), subscribe(worse)]
    with pytest.warns(HitsaveWarning):
        emit(EVENT)
    for end in ends:
        end()


def test_an_interrupt_in_a_subscriber_passes() -> None:
    def interrupted(_: Event) -> None:
        raise KeyboardInterrupt

    end = subscribe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        emit(EVENT)
    end()


def test_a_warning_is_given_once_for_each_thing() -> None:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        for _ in range(3):
            warn("this", "Something.", "do that")
            warn("that", "Something else.")
    assert [str(w.message) for w in given] == ["Something. (do that)", "Something else."]


def test_an_error_is_warned_of_with_its_hint() -> None:
    heard: list[Event] = []
    end = subscribe(heard.append)
    with pytest.warns(HitsaveWarning, match=r"It broke\. \(mend it\)"):
        warn_error("it", HitsaveError("It broke.", "mend it"))
    end()
    assert heard == [Warned("It broke.", "mend it")]


def test_a_warning_names_the_users_line() -> None:
    with pytest.warns(HitsaveWarning) as given:
        warn_error("it", HitsaveError("It broke."))
    assert given[0].filename == __file__


def test_warnings_as_errors_never_end_the_program() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn("this", "Something.")


def test_a_broken_display_of_warnings_never_ends_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", broken)
        warn("this", "Something.")


def test_a_program_sees_its_warning_at_its_own_line() -> None:
    program = (
        "import threading\n"
        "from hitsave import memo\n"
        "@memo\n"
        "def f(x): return 1\n"
        "f(threading.Lock())\n"
        "f(threading.Lock())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr.startswith("<string>:5: HitsaveWarning: ")
    assert done.stderr.count("HitsaveWarning") == 1
