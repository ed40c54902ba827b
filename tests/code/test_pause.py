"""Pausing the collector, in several threads and after a fork."""

import gc
import os
import subprocess
import sys
import threading
from textwrap import dedent

import pytest

from hitsave.code.pause import collector_paused, frames_of_threads


def test_the_collector_goes_on_after_the_last_pause() -> None:
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_pauses_of_two_threads_that_overlap() -> None:
    inside, leave = threading.Event(), threading.Event()

    def pause() -> None:
        with collector_paused():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=pause)
    thread.start()
    inside.wait()
    with collector_paused():
        leave.set()
        thread.join()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_ends_the_pause() -> None:
    with pytest.raises(KeyError), collector_paused():
        raise KeyError
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_collects() -> None:
    program = """
        import gc, os, threading
        from hitsave.code.pause import collector_paused
        inside, leave = threading.Event(), threading.Event()
        def pause():
            with collector_paused():
                inside.set()
                leave.wait()
        thread = threading.Thread(target=pause)
        thread.start()
        inside.wait()
        if not os.fork():
            with collector_paused(): print(gc.isenabled())
            print(gc.isenabled(), flush=True)
            os._exit(0)
        os.wait()
        print(gc.isenabled())
        leave.set()
        thread.join()
        print(gc.isenabled())
    """
    assert run(program) == ["False", "True", "False", "True"]


def test_the_frames_of_threads_are_those_of_the_interpreter() -> None:
    frames = frames_of_threads()
    assert frames[threading.get_ident()].f_code.co_name == "frames_of_threads"


def test_frames_are_asked_for_while_threads_start_and_garbage_is_collected() -> None:
    program = """
        import gc, sys, threading
        from hitsave.code.pause import frames_of_threads
        gc.set_threshold(1)
        class Loop:
            def __init__(self): self.me = self
            def __del__(self): sum(range(50))
        def look():
            for _ in range(1000):
                Loop()
                frames_of_threads()
        def start():
            for _ in range(100):
                thread = threading.Thread(target=Loop)
                thread.start()
                thread.join()
        sys.setswitchinterval(1e-6)
        threads = [threading.Thread(target=work) for work in (look, look, start, start)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("done")
    """
    assert run(program) == ["done"]


def run(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()
