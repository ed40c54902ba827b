"""Other tools that listen to the interpreter: undisturbed, and never a cause of wrong answers."""

import sys

import pytest

PROFILED = sys.version_info < (3, 12)
OTHER = "('another profiler was at work',)"

monitored = pytest.mark.skipif(PROFILED, reason="sys.monitoring came with Python 3.12")
profiled = pytest.mark.skipif(not PROFILED, reason="from Python 3.12 on no profiler is needed")


@monitored
def test_a_tool_that_disables_its_own_events(project) -> None:
    out = project.run("""
        from prelude import *
        monitoring = sys.monitoring
        seen = []
        def start(code, offset):
            seen.append(code.co_name)
            return monitoring.DISABLE
        def line(code, number):
            seen.append(number)
            return monitoring.DISABLE
        def helper(): pass
        def f(): helper()
        monitoring.use_tool_id(monitoring.COVERAGE_ID, "coverage")
        events = monitoring.events
        monitoring.register_callback(monitoring.COVERAGE_ID, events.PY_START, start)
        monitoring.register_callback(monitoring.COVERAGE_ID, events.LINE, line)
        monitoring.set_events(monitoring.COVERAGE_ID, events.PY_START | events.LINE)
        f()
        for _ in range(2):
            observed = observe(f)
            print(names(observed), observed.blind)
        monitoring.set_events(monitoring.COVERAGE_ID, 0)
        print({"f", "helper"} <= set(seen), {11, 12} <= set(seen))
        print(monitoring.get_tool(monitoring.COVERAGE_ID))
    """)
    assert out == ["['f', 'helper'] ()"] * 2 + ["True True", "coverage"]


@monitored
def test_all_tool_ids_taken(project) -> None:
    out = project.run("""
        import sys
        for number in range(6):
            sys.monitoring.use_tool_id(number, f"tool {number}")
        from prelude import *
        def f(): pass
        def unused(): pass
        print(observe(f).blind, ran(unused))
        print([sys.monitoring.get_tool(number) for number in range(6)])
        sys.monitoring.free_tool_id(4)
        print(names(observe(f)), observe(f).blind, ran(unused))
    """)
    assert out == [
        "('every tool id of sys.monitoring is in use',) True",
        "['tool 0', 'tool 1', 'tool 2', 'tool 3', 'tool 4', 'tool 5']",
        "['f'] () True",
    ]


@monitored
@pytest.mark.parametrize(
    "taking",
    [
        "sys.monitoring.free_tool_id(number)",
        "sys.monitoring.free_tool_id(number); sys.monitoring.use_tool_id(number, 'thief')",
        "sys.monitoring.set_events(number, 0)",
        "sys.monitoring.register_callback(number, sys.monitoring.events.PY_START, None)",
    ],
)
def test_a_tool_id_that_is_taken_in_the_middle(project, taking: str) -> None:
    out = project.run(f"""
        from prelude import *
        number = next(n for n in range(6) if sys.monitoring.get_tool(n) == "hitsave")
        def helper(): pass
        def f():
            {taking}
            helper()
        def unused(): pass
        print(observe(f).blind, ran(unused))
        print(names(observe(helper)), observe(helper).blind)
        print(sys.monitoring.get_tool(number) in ("hitsave", "thief"))
    """)
    assert out == [
        "('another tool took the place of hitsave in sys.monitoring',) True",
        "['helper'] ()",
        "True",
    ]


def test_cprofile_around_the_evaluation(project) -> None:
    out = project.run("""
        from prelude import *
        import cProfile, pstats
        def helper(): pass
        def f(): helper()
        with cProfile.Profile() as profile:
            observed = observe(f)
        f()
        calls = {name: found[0] for (_, _, name), found in pstats.Stats(profile).stats.items()}
        print(calls["f"], calls["helper"], observed.blind)
    """)
    assert out == [f"1 1 {OTHER if PROFILED else '()'}"]


def test_cprofile_inside_the_evaluation(project) -> None:
    out = project.run("""
        from prelude import *
        import cProfile, pstats
        def helper(): pass
        def f():
            with cProfile.Profile() as profile:
                helper()
            calls = {name: found[0] for (_, _, name), found in pstats.Stats(profile).stats.items()}
            print(calls["helper"])
        print(observe(f).blind)
        print(sys.getprofile(), observe(helper).blind)
    """)
    assert out == ["1", OTHER if PROFILED else "()", "None ()"]


def test_a_profile_function_sees_what_it_saw_before(project) -> None:
    out = project.run("""
        from prelude import *
        def helper(): pass
        def f(): helper()
        seen = []
        def profile(frame, event, argument):
            if in_project(frame.f_code.co_filename) and event in ("call", "return"):
                seen.append((event, frame.f_code.co_name))
        sys.setprofile(profile)
        observed = observe(f)
        same = sys.getprofile() is profile
        sys.setprofile(None)
        print(same, names(observed), observed.blind)
        print(seen)
    """)
    assert out == [
        "True ['f', 'helper'] ()",
        "[('call', 'f'), ('call', 'helper'), ('return', 'helper'), ('return', 'f')]",
    ]


@pytest.mark.parametrize("back", ["None", "old", "other"])
def test_a_profile_function_that_is_set_in_the_middle(project, back: str) -> None:
    out = project.run(f"""
        from prelude import *
        def helper(): pass
        def other(frame, event, argument): pass
        def f():
            old = sys.getprofile()
            sys.setprofile(other)
            helper()
            sys.setprofile({back})
        observed = observe(f)
        print(observed.blind, sys.getprofile() is other)
    """)
    assert out == [f"{OTHER if PROFILED else '()'} {back == 'other'}"]


@profiled
def test_a_profile_function_that_raises_fails_as_without(project) -> None:
    out = project.run("""
        from prelude import *
        def profile(frame, event, argument):
            if frame.f_code.co_name == "f": raise ZeroDivisionError
        def f(): pass
        sys.setprofile(profile)
        evaluation = begin(in_project)
        try: f()
        except ZeroDivisionError: print("raised", sys.getprofile())
        print(evaluation.end().blind, sys.getprofile())
    """)
    assert out == ["raised None", f"{OTHER} None"]


TRACED = """
    from prelude import *
    def helper(x):
        y = x
        return y
    def f():
        return helper(1) + sum(n for n in [1, 2])
    seen = []
    def trace(frame, event, argument):
        if not in_project(frame.f_code.co_filename): return None
        seen.append((event, frame.f_code.co_name, frame.f_lineno))
        return trace
    sys.settrace(trace)
    {call}
    same = sys.gettrace() is trace
    sys.settrace(None)
    print(same, [event for event in seen if event[1] in ("f", "helper", "<genexpr>")])
    {after}
"""


def test_a_tracer_sees_every_event_and_stays(project) -> None:
    plain = project.run(TRACED.format(call="f()", after=""))
    after = "print(names(observed), observed.blind)"
    out = project.run(TRACED.format(call="observed = observe(f)", after=after))
    assert out[0] == plain[0]
    assert out[0].startswith("True [('call', 'f'")
    assert out[1] == "['f', 'f.<locals>.<genexpr>', 'helper'] ()"


def test_a_tracer_that_is_set_in_the_middle(project) -> None:
    out = project.run("""
        from prelude import *
        def helper(): pass
        def trace(frame, event, argument): return trace
        def f():
            sys.settrace(trace)
            helper()
        observed = observe(f)
        print(names(observed), observed.blind, sys.gettrace() is trace)
    """)
    assert out == ["['f', 'helper'] () True"]


def test_an_audit_hook_that_lets_no_other_in(project) -> None:
    out = project.run("""
        import sys
        def guard(event, arguments):
            if event == "sys.addaudithook": raise RuntimeError
        sys.addaudithook(guard)
        from prelude import *
        def f(): open(ROOT + "/project/data.txt", "w").close()
        print(names(observe(f)), observe(f).blind)
    """)
    said = "('another audit hook does not let hitsave see which files are read',)"
    assert out == [f"['f'] {said}"]
