"""Which functions ever ran, as far as this process can tell."""

import sys

import pytest

PROFILED = sys.version_info < (3, 12)


def test_a_function_has_run_once_it_ran_in_an_evaluation_or_not(project) -> None:
    project.write("project/lib.py", "def used(): pass\ndef unused(): pass\n")
    out = project.run("""
        from prelude import *
        import lib
        def helper(): pass
        def waiting(): yield
        def running(): yield
        made, begun = waiting(), running()
        next(begun)
        print([ran(f) for f in (helper, waiting, running)], ran(lib.used, "lib"))
        helper()
        lib.used()
        print([ran(f) for f in (helper, waiting, running)])
        print(ran(lib.used, "lib"), ran(lib.unused, "lib"))
    """)
    assert out == ["[False, False, True] False", "[True, False, True]", "True False"]


def test_a_module_that_was_loaded_before(project) -> None:
    project.write("project/early.py", "def unused(): pass\n")
    out = project.run("""
        import early
        def above(): pass
        from prelude import *
        def below(): pass
        print(ran(early.unused, "early"), ran(above), ran(below))
    """)
    # 3.11 counts the starts of each function from the beginning of the process.
    assert out == ["False False False" if PROFILED else "True True False"]


@pytest.mark.skipif(PROFILED, reason="3.11 counts the starts of each function")
def test_a_package_in_the_middle_of_its_import(project) -> None:
    project.write(
        "project/pack/__init__.py",
        "def above(): pass\nfrom pack import inner\ndef below(): pass\n",
    )
    project.write("project/pack/other.py", "def unused(): pass\n")
    project.write(
        "project/pack/inner.py",
        "from pack import other\nfrom prelude import *\ndef under(): pass\n",
    )
    out = project.run("""
        import pack
        from prelude import *
        found = [ran(f, f.__module__) for f in (pack.above, pack.other.unused)]
        print(found, [ran(f, f.__module__) for f in (pack.below, pack.inner.under)])
    """)
    assert out == ["[True, True] [False, False]"]


@pytest.mark.skipif(PROFILED, reason="3.11 counts the starts of each function")
def test_what_stands_below_in_a_loop_may_have_run_before(project) -> None:
    out = project.run("""
        for number in range(2):
            if number:
                from prelude import *
            def below(): pass
            if not number:
                below()
        def outside(): pass
        print(ran(below))
    """)
    assert out == ["True"]


@pytest.mark.skipif(PROFILED, reason="3.11 counts the starts of each function")
def test_a_module_that_is_reloaded_may_have_run_before(project) -> None:
    project.write(
        "project/late.py",
        "import sys\nif 'again' in vars(sys):\n    import prelude\ndef f(): pass\n",
    )
    out = project.run("""
        import importlib, late, sys
        late.f()
        sys.again = True
        importlib.reload(late)
        from prelude import *
        print(ran(late.f, "late"))
    """)
    assert out == ["True"]


def test_lambdas_on_one_line_that_ran_and_that_did_not(project) -> None:
    out = project.run("""
        from prelude import *
        used, unused = [lambda x: x + 1, lambda x: x + 2]
        used(1)
        print(ran(used), ran(unused))
    """)
    # Seen without the end of its body, a lambda is taken to go on to the end of the line.
    assert out == ["True False"]


def test_a_lambda_whose_place_in_the_line_is_not_kept(project) -> None:
    out = project.run(
        """
        from prelude import *
        used, unused = [lambda x: x + 1, lambda x: x + 2]
        used(1)
        print(ran(used), identify(used.__code__).column)
        """,
        "-X",
        "no_debug_ranges",
    )
    assert out == ["True -1"]


@pytest.mark.skipif(not PROFILED, reason="later Pythons are asked by monitoring")
def test_on_3_11_each_copy_of_a_code_object_counts(project) -> None:
    out = project.run("""
        from prelude import *
        def f(): pass
        code = f.__code__
        f()
        f.__code__ = code.replace(co_name="g")
        started = identify(code)
        print(ran(f), has_run(started, "__main__", lambda: [f.__code__, code]))
        print(has_run(started, "__main__", lambda: []))
    """)
    assert out == ["False True", "True"]


@pytest.mark.skipif(not PROFILED, reason="later Pythons are asked by monitoring")
def test_on_3_11_a_counter_that_does_not_count_is_not_believed(project) -> None:
    out = project.run("""
        from prelude import *
        from hitsave.observe import warmup
        warmup._FRESH = -7
        def unused(): pass
        print(ran(unused))
    """)
    assert out == ["True"]


@pytest.mark.skipif(PROFILED, reason="from Python 3.12 on")
def test_functions_may_have_run_while_the_tool_was_taken(project) -> None:
    out = project.run("""
        from prelude import *
        def unused(): pass
        def f(): pass
        print(ran(unused))
        number = next(n for n in range(6) if sys.monitoring.get_tool(n) == "hitsave")
        sys.monitoring.free_tool_id(number)
        print(observe(f).blind, ran(unused))
        print(names(observe(f)), observe(f).blind, ran(unused))
    """)
    assert out == ["False", "() True", "['f'] () True"]
