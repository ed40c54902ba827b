"""Which functions started during an evaluation."""

import sys

import pytest

PROFILED = sys.version_info < (3, 12)
"""Whether starts are told by a profile function, which sees its own thread and new ones."""


def test_everything_that_starts_is_noted_each_time(project) -> None:
    out = project.run("""
        from prelude import *
        def helper(x): return x + 1
        def unused(): pass
        class Shape:
            def __init__(self): self.area = helper(1)
            @property
            def size(self): return self.area
        def f(): return Shape().size
        f()
        for _ in range(3):
            observed = observe(f)
            print(names(observed), observed.blind)
    """)
    assert out == ["['Shape.__init__', 'Shape.size', 'f', 'helper'] ()"] * 3


def test_a_start_says_where_the_code_is_and_who_is_above(project) -> None:
    out = project.run("""
        from prelude import *
        import functools
        def key(x): return -x
        def f():
            return sorted([1, 2], key=functools.partial(key))
        observed = observe(f)
        for started, caller in sorted(observed.started.items()):
            print(local([started.path]), *started[1:], local([caller.path]), *caller[1:])
    """)
    assert out == [
        "['project/main.py'] 4 key -1 ['project/main.py'] f 6",
        "['project/main.py'] 5 f -1 ['project/main.py'] <module> 7",
    ]


def test_code_outside_the_project_is_not_noted(project) -> None:
    project.write("library/lib.py", "def apply(f):\n    return f()\n")
    out = project.run("""
        from prelude import *
        import json, lib
        def f(): return lib.apply(lambda: json.loads("[1]")) + eval("(lambda: [2])()")
        print(names(observe(f)))
    """)
    assert out == ["['f', 'f.<locals>.<lambda>']"]


def test_modules_imported_during_the_evaluation_are_noted(project) -> None:
    project.write("project/plug.py", "class Plug:\n    def go(self): pass\ndef unused(): pass\n")
    out = project.run("""
        from prelude import *
        def f():
            import plug
            plug.Plug().go()
        print(names(observe(f)))
    """)
    assert out == ["['<module>', 'Plug', 'Plug.go', 'f']"]


def test_lambdas_on_one_line_are_told_apart(project) -> None:
    out = project.run("""
        from prelude import *
        table = {"a": lambda x: x + 1, "b": lambda x: -x}
        first = observe(table["a"], 1).started
        second = observe(table["b"], 1).started
        print(len(first), len(second), first.keys() & second.keys())
        print([started == identify(table["a"].__code__) for started in first])
        print(ran(table["a"]), ran(table["b"]))
    """)
    assert out == ["1 1 set()", "[True]", "True True"]


def test_nested_evaluations_each_see_everything_of_their_own_time(project) -> None:
    out = project.run("""
        from prelude import *
        def early(): pass
        def inner(): early(); late()
        def late(): pass
        def outer():
            early()
            print(names(observe(inner)))
        print(names(observe(outer)))
    """)
    assert out == ["['early', 'inner', 'late']", "['early', 'inner', 'late', 'outer']"]


def test_evaluations_that_overlap_without_nesting(project) -> None:
    out = project.run("""
        from prelude import *
        def a(): pass
        def b(): pass
        def c(): pass
        def main():
            first = begin(in_project)
            a()
            second = begin(in_project)
            b()
            one = first.end()
            c()
            two = second.end()
            print(names(one), one.blind, names(two), two.blind)
        main()
        main()
        print(sys.getprofile())
    """)
    assert out == ["['a', 'b'] () ['b', 'c'] ()"] * 2 + ["None"]


def test_end_gives_the_same_again_and_an_exception_changes_nothing(project) -> None:
    out = project.run("""
        from prelude import *
        def f(): raise ValueError
        evaluation = begin(in_project)
        try: f()
        except ValueError: pass
        first = evaluation.end()
        def after(): pass
        after()
        print(evaluation.end() is first, names(first), first.blind)
    """)
    assert out == ["True ['f'] ()"]


def test_an_evaluation_that_nobody_holds_is_over(project) -> None:
    out = project.run("""
        from prelude import *
        from hitsave.observe import active
        import gc
        def f(): pass
        for _ in range(5):
            begin(in_project)
        gc.collect()
        print(names(observe(f)), len(active.notes), sys.getprofile())
    """)
    assert out == ["['f'] 0 None"]


def test_generators_start_when_they_first_run(project) -> None:
    out = project.run("""
        from prelude import *
        def numbers():
            yield 1
            yield 2
        running, waiting = numbers(), numbers()
        next(running)
        print(names(observe(next, running)), names(observe(next, waiting)))
        print(names(observe(lambda: sum(n for n in [1]))))
    """)
    assert out == ["[] ['numbers']", "['<lambda>', '<lambda>.<locals>.<genexpr>']"]


def test_a_generator_may_be_observed_over_many_calls_and_ended_in_another_thread(project) -> None:
    out = project.run("""
        from prelude import *
        import threading
        def helper(): pass
        def numbers():
            helper()
            yield 1
        def observed():
            evaluation = begin(in_project)
            yield from numbers()
            found = evaluation.end()
            print(names(found), found.blind if not PROFILED else ())
        generator = observed()
        next(generator)
        thread = threading.Thread(target=list, args=(generator,))
        thread.start()
        thread.join()
        print(len(__import__("hitsave.observe.active").observe.active.notes))
    """)
    assert out == ["['helper', 'numbers'] ()", "0"]


def test_tasks_of_one_loop(project) -> None:
    out = project.run("""
        from prelude import *
        import asyncio
        async def leaf(): await asyncio.sleep(0)
        async def work():
            evaluation = begin(in_project)
            await leaf()
            await asyncio.gather(leaf(), asyncio.create_task(leaf()))
            return evaluation.end()
        async def main():
            for observed in await asyncio.gather(work(), work()):
                print("leaf" in names(observed), observed.blind)
        asyncio.run(main())
        asyncio.run(main())
    """)
    assert out == ["True ()"] * 4


def test_threads_that_start_during_the_evaluation(project) -> None:
    out = project.run("""
        from prelude import *
        import threading
        from concurrent.futures import ThreadPoolExecutor
        def helper(x): return x
        def work(): helper(1)
        def f():
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        def g():
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(helper, [1, 2, 3]))
        for _ in range(2):
            print(names(observe(f)), observe(f).blind, names(observe(g)), observe(g).blind)
        print(threading.getprofile(), sys.getprofile())
    """)
    assert out == ["['f', 'helper', 'work'] () ['g', 'helper'] ()"] * 2 + ["None None"]


def test_a_pool_that_exists_before(project) -> None:
    out = project.run("""
        from prelude import *
        from concurrent.futures import ThreadPoolExecutor
        def helper(x): return x
        pool = ThreadPoolExecutor(1)
        pool.submit(helper, 1).result()
        def f(): pool.submit(helper, 1).result()
        observed = observe(f)
        print("helper" in names(observed), bool(observed.blind))
    """)
    # On 3.11 nobody can be told of what another thread does: that has to be said.
    assert out == ["False True" if PROFILED else "True False"]


def test_a_thread_that_runs_no_project_code_is_no_reason_to_be_blind(project) -> None:
    project.write("library/lib.py", "import time\ndef wait():\n    time.sleep(30)\n")
    out = project.run("""
        from prelude import *
        import lib, threading
        threading.Thread(target=lib.wait, daemon=True).start()
        def f(): pass
        print(names(observe(f)), observe(f).blind)
    """)
    assert out == ["['f'] ()"]


UNWATCHED = "other threads were at work, which cannot be watched on Python 3.11"


@pytest.mark.skipif(not PROFILED, reason="from Python 3.12 on, all threads are seen")
@pytest.mark.parametrize(
    ("what", "is_blind"),
    [
        ("pass", False),
        ("time.sleep(0.01)", False),
        ("time.sleep(0.01); time.sleep(0.01)", True),
        ("threading.Event().wait(0.01)", True),
        ("lock.acquire(); lock.release()", True),
        ("with condition: condition.notify()", False),
        ("with lock: pass", False),
        ("threading.RLock().acquire()", False),
        ("logging.getLogger().error('')", False),
        ("{}.get(1); [].pop if [] else None", False),
        ("queue.Queue().put(1)", False),
        ("waiting = queue.Queue(); waiting.put(1); waiting.get()", False),
        ("waiting = Simple(); waiting.put(1); waiting.get()", True),
        ("select.select([], [], [], 0)", True),
        ("poll = select.poll(); poll.poll(0)", True),
        ("ends = socket.socketpair(); ends[0].send(b'1'); ends[1].recv(1)", True),
        ("ends = os.pipe(); os.write(ends[1], b'1'); os.read(ends[0], 1)", True),
        ("open(__file__).read()", False),
        ("_thread.start_new_thread(len, ('',))", True),
        ("thread = threading.Thread(target=len, args=('',)); thread.start(); thread.join()", True),
        ("asyncio.run(asyncio.sleep(0))", True),
    ],
)
def test_who_waits_may_wait_for_threads_that_cannot_be_watched(
    project, what: str, is_blind: bool
) -> None:
    out = project.run(f"""
        from prelude import *
        import _thread, asyncio, logging, os, queue, select, socket, threading, time
        class Simple(queue.SimpleQueue): pass
        condition = threading.Condition(threading.Lock())
        lock, done, began = threading.Lock(), threading.Event(), threading.Event()
        def work():
            began.set()
            done.wait()
        def f():
            {what}
        _thread.start_new_thread(work, ())
        began.wait()
        beside = observe(f).blind
        done.set()
        print(beside)
    """)
    assert out[-1] == (f"({UNWATCHED!r},)" if is_blind else "()")


@pytest.mark.skipif(not PROFILED, reason="from Python 3.12 on, all threads are seen")
@pytest.mark.parametrize("when", ["before", "during"])
def test_threads_that_cannot_be_watched_on_3_11(project, when: str) -> None:
    out = project.run(f"""
        from prelude import *
        import _thread, threading, time
        done = threading.Event()
        def work(): done.wait()
        def start():
            _thread.start_new_thread(work, ())
            time.sleep(0.1)
        def wait(): threading.Event().wait(0.01)
        if {when!r} == "before":
            start()
            print(observe(wait).blind)
        else:
            print(observe(start).blind)
        done.set()
    """)
    assert out == [f"({UNWATCHED!r},)"]


@pytest.mark.skipif(not PROFILED, reason="from Python 3.12 on, all threads are seen")
def test_it_is_the_thread_of_the_evaluation_that_has_to_wait(project) -> None:
    out = project.run("""
        from prelude import *
        import threading, time
        done, seen = threading.Event(), []
        def f():
            # Long enough for other threads to wait, one of which is being watched.
            until = time.monotonic() + 0.2
            while time.monotonic() < until: pass
        def g():
            while not done.wait(0.01): pass
        threads = [
            threading.Thread(target=lambda: (seen.append(observe(f).blind), done.set())),
            threading.Thread(target=lambda: observe(g)),
        ]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(seen)
    """)
    assert out == ["[()]"]


def test_many_threads_that_evaluate_at_once(project) -> None:
    out = project.run("""
        from prelude import *
        import threading
        functions = []
        for number in range(40):
            text = f"def f{number}(): return g{number}()\\ndef g{number}(): pass"
            exec(compile(text, __file__, "exec"))
            functions.append(globals()[f"f{number}"])
        wrong = []
        def work():
            for function in functions * 5:
                found = names(observe(function))
                if not {function.__name__, function.__name__.replace("f", "g")} <= set(found):
                    wrong.append((function.__name__, found))
        threads = [threading.Thread(target=work) for _ in range(6)]
        sys.setswitchinterval(1e-6)
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(wrong[:3], sys.getprofile(), threading.getprofile())
    """)
    assert out == ["[] None None"]


def test_threads_start_while_evaluations_begin_and_end(project) -> None:
    out = project.run("""
        from prelude import *
        import threading
        ran, wrong = [], []
        def inside(): ran.append(1)
        def f():
            threads = [threading.Thread(target=inside) for _ in range(5)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        def work():
            for _ in range(20):
                if not {"f", "inside"} <= set(names(observe(f))): wrong.append(1)
        threads = [threading.Thread(target=work) for _ in range(6)]
        sys.setswitchinterval(1e-6)
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(len(ran), wrong, sys.getprofile(), threading.getprofile())
    """)
    assert out == ["600 [] None None"]


def test_a_profile_function_for_threads_goes_on(project) -> None:
    out = project.run("""
        from prelude import *
        import threading
        seen = set()
        def profile(frame, event, argument): seen.add(frame.f_code.co_name)
        threading.setprofile(profile)
        def inside(): pass
        def f():
            thread = threading.Thread(target=inside)
            thread.start()
            thread.join()
        print(names(observe(f)), "inside" in seen, threading.getprofile() is profile)
    """)
    assert out == ["['f', 'inside'] True True"]


def test_a_forked_child_goes_on_without_the_evaluations_of_its_parent(project) -> None:
    out = project.run("""
        from prelude import *
        import os
        def child(): pass
        def f(): pass
        evaluation = begin(in_project)
        number = os.fork()
        if not number:
            child()
            print(names(observe(f)), observe(f).blind, bool(evaluation.end().blind), flush=True)
            os._exit(0)
        os.waitpid(number, 0)
        print(names(evaluation.end()), evaluation.end().blind)
    """)
    assert out == ["['f'] () True", "[] ('it started another process',)"]


def test_deep_recursion_is_as_deep_as_without(project) -> None:
    out = project.run("""
        from prelude import *
        def deep(n): return 0 if not n else 1 + deep(n - 1)
        def depth():
            n = 1
            while True:
                try: deep(n)
                except RecursionError: return n
                n += 1
        plain = depth()
        found = []
        observed = observe(lambda: found.append(depth()))
        print(plain - found[0] <= 8, "deep" in names(observed))
    """)
    assert out == ["True True"]
