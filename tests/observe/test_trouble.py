"""Trouble inside hitsave while it watches: said, never raised; the program's own always raised."""

import sys

PROFILED = sys.version_info < (3, 12)


def test_a_judgement_of_paths_that_fails(project) -> None:
    project.write("library/lib.py", "def judge(path): raise ValueError(path)\n")
    out = project.run("""
        from prelude import *
        import os
        def judge(path): raise ValueError(path)
        judge.__code__ = judge.__code__.replace(co_filename=os.__file__)
        def f():
            open(__file__).close()
            return 1
        evaluation = begin(judge)
        print(f(), evaluation.end().blind)
        print(observe(f).blind)
    """)
    assert out == ["1 ('hitsave failed while it watched: ValueError',)", "()"]


def test_an_exception_that_a_signal_handler_raises_reaches_the_program(project) -> None:
    out = project.run("""
        from prelude import *
        import signal
        class Late(Exception): pass
        def handler(number, frame): raise Late
        signal.signal(signal.SIGALRM, handler)
        def helper(): pass
        # New code all the time, so that most of the time is spent where starts are noted.
        texts = [compile(f"def f{n}(): pass\\nf{n}()", __file__, "exec") for n in range(4000)]
        def f():
            while True:
                for text in texts:
                    exec(text, {})
        # The import system loses what is raised in the callbacks of its locks: let the first
        # evaluation, which loads what all need, be over.
        observe(helper)
        raised = 0
        for number in range(60):
            signal.setitimer(signal.ITIMER_REAL, 0.0005 * (1 + number))
            try: observe(f)
            except Late: raised += 1
        print(raised)
    """)
    assert out == ["60"]


def test_a_path_that_cannot_be_one(project) -> None:
    out = project.run("""
        from prelude import *
        import os
        class Path:
            def __init__(self, given): self.given = given
            def __fspath__(self):
                if isinstance(self.given, Exception): raise self.given
                return self.given
        def tried(call, *arguments):
            try: call(*arguments)
            except Exception as error: return type(error).__name__
        strange = ["a\\0b", Path("a\\0b"), Path(KeyError()), Path(3), None, "\\udc80", -1, ""]
        calls = [open, os.listdir, os.path.exists, os.path.isdir, os.open]
        def f(): return [tried(call, value) for call in calls for value in strange]
        plain = f()
        found = []
        observed = observe(lambda: found.extend(f()))
        print(plain == found, observed.blind)
    """)  # fmt: skip
    assert out == ["True ()"]


def test_code_that_runs_at_exit_and_after(project) -> None:
    out = project.run("""
        from prelude import *
        import atexit
        class Late:
            def __del__(self): print(self.f(), end=" ")
            def f(self): return "deleted"
        late = Late()
        def last(): print(names(observe(late.f)), end=" ")
        atexit.register(last)
        evaluation = begin(in_project)
    """)
    assert "".join(out).endswith("['Late.f', 'last'] deleted ") or out == ["['Late.f'] deleted "]
