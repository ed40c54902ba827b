"""Work that is done where nobody here is told of it."""

import sys

import pytest

POOL = "worker processes were alive"

CALLED = """
    from prelude import *
    import multiprocessing, os, subprocess
    def work(x=1): return x
    def f():
        {call}
    if __name__ == "__main__":
        print(observe(f).blind)
"""


@pytest.mark.parametrize(
    "call",
    [
        "os.waitpid(os.fork() or os._exit(0), 0)",
        "subprocess.run([sys.executable, '-c', ''])",
        "subprocess.run(['/bin/sh', '-c', 'true || python3 x.py'])",
        "subprocess.run('true || \"python3\"', shell=True)",
        "os.system('true || ./run.py')",
        "os.system('true || console-script')",
        "os.popen('true || python').read()",
        "multiprocessing.get_context('spawn').Process(target=work).start()",
        "multiprocessing.get_context('forkserver').Process(target=work).start()",
        "multiprocessing.get_context('fork').Process(target=work).start()",
    ],
)
def test_processes_that_may_run_project_code(project, call: str) -> None:
    script = project.write("bin/console-script", f"#!{sys.executable}\n")
    script.chmod(0o755)
    path = f"{script.parent}:/usr/bin:/bin"
    out = project.run(CALLED.format(call=call), PATH=path)
    assert "it started another process" in out[0]


@pytest.mark.parametrize("call", ["subprocess.run(['true'])", "os.system('echo a > out.txt')"])
def test_commands_that_cannot(project, call: str) -> None:
    assert project.run(CALLED.format(call=call)) == ["()"]


def test_a_pool_that_exists_before(project) -> None:
    out = project.run("""
        from prelude import *
        from concurrent.futures import ProcessPoolExecutor
        def work(x): return x
        def f(pool): return pool.submit(work, 1).result()
        if __name__ == "__main__":
            with ProcessPoolExecutor(1) as pool:
                f(pool)
                print(observe(f, pool).blind)
            print(observe(work, 1).blind)
    """)
    assert POOL in out[0]
    assert out[1] == "()"


@pytest.mark.parametrize("when", ["before", "during"])
def test_libraries_that_send_work_elsewhere(project, when: str) -> None:
    project.write("library/ray.py", "")
    before, during = ("import ray", "") if when == "before" else ("", "import ray")
    out = project.run(f"""
        from prelude import *
        {before}
        def f():
            {during or "pass"}
        print(observe(f).blind)
    """)
    assert out == ["('ray may run code in other processes',)"]


def test_other_interpreters(project) -> None:
    out = project.run("""
        from prelude import *
        try: import _interpreters as interpreters
        except ImportError: import _xxsubinterpreters as interpreters
        def f():
            number = interpreters.create()
            interpreters.run_string(number, "import sys; sys.path")
            interpreters.destroy(number)
        print(observe(f).blind)
    """)
    assert out == ["('another interpreter may have run in this process',)"]
