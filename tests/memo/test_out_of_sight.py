"""Evaluations of which not everything can be seen: never stale, never in the way, and told of."""

import sys
from typing import Any

import pytest

TAKE = """
for number in range(6):
    if sys.monitoring.get_tool(number) in (None, "hitsave"):
        if sys.monitoring.get_tool(number):
            sys.monitoring.free_tool_id(number)
        sys.monitoring.use_tool_id(number, f"other{number}")
"""
SPAWNED = """
    import multiprocessing
    with ProcessPoolExecutor(1, multiprocessing.get_context("{method}")) as pool:
        return pool.submit(getattr(helper, "st" + "ep"), x).result()
"""
PROCESS = """
    import multiprocessing
    context = multiprocessing.get_context("{method}")
    queue = context.SimpleQueue()
    process = context.Process(target=put, args=(queue, x))
    process.start()
    found = queue.get()
    process.join()
    return found
"""
INTERPRETER = """
    try: import _interpreters as interpreters
    except ImportError: import _xxsubinterpreters as interpreters
    out, into = os.pipe()
    number = interpreters.create()
    interpreters.run_string(number, "import sys, os; sys.path[:] = " + repr(sys.path) +
        f"; from {helper.step.__module__} import step; os.write({into}, str(step({x})).encode())")
    interpreters.destroy(number)
    return os.read(out, 100)
"""
BLIND = {
    "a pool of forked processes": SPAWNED.format(method="fork"),
    "a pool of spawned processes": SPAWNED.format(method="spawn"),
    "a pool of a fork server": SPAWNED.format(method="forkserver"),
    "a forked process": PROCESS.format(method="fork"),
    "a spawned process": PROCESS.format(method="spawn"),
    "another interpreter": INTERPRETER,
    "another Python": """
        import subprocess
        code = f"from {helper.step.__module__} import step; print(step({x}))"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    """,
    "a fork that ends at once": """
        out, into = os.pipe()
        child = os.fork()
        if not child:
            os.write(into, str(step(x)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        return os.read(out, 100)
    """,
}
PUT = "def put(queue, x):\n    queue.put(getattr(helper, 'st' + 'ep')(x))\n\n"


@pytest.mark.parametrize("body", BLIND.values(), ids=[*BLIND])
def test_what_runs_out_of_sight_counts_and_is_told_of(trial: Any, body: str) -> None:
    told = trial.check(PUT + trial.program(body))
    assert "Widened" in "".join(told)


def test_a_fork_in_the_middle_of_which_both_go_on(trial: Any) -> None:
    main = """
        here, found = os.getpid(), f(3)
        if os.getpid() != here:
            os._exit(0)
        print("answer", found)
    """
    told = trial.check(trial.program("os.fork()\nreturn step(x)", main))
    assert "Widened" in "".join(told)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no sys.monitoring")
@pytest.mark.parametrize("when", ["before the import", "before the call", "in the call"])
def test_tool_ids_that_others_took(trial: Any, when: str) -> None:
    before = "import sys\n" + TAKE if when == "before the import" else ""
    body = (TAKE if when == "in the call" else "") + "return step(x)"
    main = (TAKE if when == "before the call" else "") + "print('answer', f(3))"
    told = trial.check(trial.program(body, main), before)
    assert "Widened" in "".join(told)


OTHERS = {
    "cProfile": ("import cProfile; other = cProfile.Profile(); other.enable()", "other.disable()"),
    "profile": ("sys.setprofile(lambda *_: None)", "sys.setprofile(None)"),
    "profile of threads": ("threading.setprofile(lambda *_: None)", "threading.setprofile(None)"),
    "trace": ("sys.settrace(lambda *_: None)", "sys.settrace(None)"),
    "local trace": ("t = lambda *_: t; sys.settrace(t)", "sys.settrace(None)"),
}


@pytest.mark.parametrize(
    ("other", "where"),
    [
        *[(name, "around") for name in ("cProfile", "profile", "trace", "local trace")],
        *[(name, "in the middle") for name in ("cProfile", "profile", "profile of threads")],
        *[(name, "from the middle on") for name in ("profile", "trace", "local trace")],
    ],
)
def test_debuggers_and_profilers_at_work(trial: Any, other: str, where: str) -> None:
    start, stop = OTHERS[other]
    if where == "around":
        told = trial.check(
            trial.program("return step(x)", f"{start}\nprint('answer', f(3))\n{stop}")
        )
    else:
        middle = stop if where == "in the middle" else "pass"
        main = "print('answer', f(3))\nsys.setprofile(None)\nsys.settrace(None)"
        told = trial.check(trial.program(f"{start}\nfound = step(x)\n{middle}\nreturn found", main))
    is_blind = sys.version_info < (3, 12) and where != "around" and other in ("cProfile", "profile")
    assert not is_blind or "Widened" in "".join(told)


FAIL = """
# It raises, and no frame of it is the program's.
import {module} as module
module.{name} = __import__("functools").partial(int, "no number")
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("hitsave.observe.active", "Notes.start"),
        ("hitsave.observe.starts", "probe_of"),
        ("hitsave.observe.reads", "content_digest"),
        ("hitsave.observe.reads", "asker"),
        ("hitsave.observe.processes", "look_around"),
        ("hitsave.observe.monitoring", "identify"),
        ("hitsave.observe.profiling", "_others_at_work"),
        ("hitsave.observe.audit", "absolute"),
    ],
)
def test_an_exception_within_observation_costs_no_more_than_width(
    trial: Any, module: str, name: str
) -> None:
    (trial.folder / "data.txt").write_text("1")
    body = "return step(x) + int(Path('data.txt').read_text())"
    trial.check(FAIL.format(module=module, name=name) + trial.program(body), hits=False)


def test_an_exception_where_an_evaluation_begins_costs_the_record(trial: Any) -> None:
    fail = FAIL.format(module="hitsave.observe", name="begin")
    told = trial.check(fail + trial.program("return step(x)"), hits=False)
    assert "Warned" in "".join(told)


HELD = """
import gc, queue, weakref
from hitsave import memo

class Large:
    def __init__(self): self.rows = [bytearray(10)]

JOBS, TABLE, LARGE = queue.SimpleQueue(), [Large()], Large()
JOBS.put(1)
TABLE.append(Large())

@memo
def f(x):
    return JOBS.qsize() * x

f(1), f(2)
seen = [weakref.ref(LARGE), *map(weakref.ref, TABLE)]
TABLE.clear()
LARGE = None
gc.collect()
print([each() for each in seen])
"""


def test_what_a_call_does_not_depend_on_is_not_held_on_to(run) -> None:
    for _ in range(2):
        assert run(HELD).stdout.split("\n")[0] == "[None, None, None]"
