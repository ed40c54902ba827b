"""Sources of results that differ from run to run: where they are seen, and what is said of them."""

import datetime
import importlib
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hitsave.code.closure import Closure
from hitsave.code.impure import Impurity
from hitsave.code.inert import _inert, inert
from hitsave.code.resolve import ModuleTarget
from hitsave.code.varying import CLOCK, NETWORK, PROCESS, RANDOM, TIMER, UNIQUE

IMPORTS = """\
import datetime, ftplib, os, random, smtplib, socket, subprocess, time, uuid
import urllib.request
import numpy as np
import numpy.random as npr
from datetime import datetime as dt
from numpy.random import default_rng as make, rand
from os import urandom
from random import choice as pick
from time import time as now
"""

# Loaded once for all: each test forgets the modules that it is the first to load.
LOADED = (datetime, np.random, random, socket, time, urllib.request, uuid)

Sources = Callable[..., tuple[Impurity, ...]]


@pytest.fixture(params=["loaded", "not loaded"])
def sources(
    request: pytest.FixtureRequest,
    write: Callable[[dict[str, str]], Path],
    import_path: Callable[[Path], None],
    closure_in: Callable[[Path], Closure],
) -> Sources:
    """Write a module (and others), and return the sources that its function `f` touches."""

    def touched(text: str, **others: str) -> tuple[Impurity, ...]:
        root = write({"tried.py": text, **{f"{name}.py": other for name, other in others.items()}})
        import_path(root)
        if request.param == "loaded":
            importlib.import_module("tried")
        closure = closure_in(root)
        module = closure.resolver.module("tried")
        assert isinstance(module, ModuleTarget)
        closure.add_target(closure.resolver.name(module.module, "f"))
        closure.finish()
        return closure.impure.found()

    return touched


@pytest.fixture
def kept_inert() -> Iterator[None]:
    """What a test declares inert is so for that test only."""
    before = dict(_inert)
    yield
    _inert.clear()
    _inert.update(before)


@pytest.mark.parametrize(
    ("expression", "source", "kind"),
    [
        ("time.time()", "time.time", CLOCK),
        ("now()", "time.time", CLOCK),
        ("sorted([3], key=lambda _: now())", "time.time", CLOCK),
        ("(lambda clock=time.time: clock())()", "time.time", CLOCK),
        ("datetime.datetime.now(datetime.UTC)", "datetime.datetime.now", CLOCK),
        ("dt.now().year", "datetime.datetime.now", CLOCK),
        ("datetime.date.today()", "datetime.date.today", CLOCK),
        ("time.localtime()", "time.localtime", CLOCK),
        ("time.strftime('%Y')", "time.strftime", CLOCK),
        ("time.perf_counter()", "time.perf_counter", TIMER),
        ("time.monotonic_ns()", "time.monotonic_ns", TIMER),
        ("random.random()", "random.random", RANDOM),
        ("random.shuffle([])", "random.shuffle", RANDOM),
        ("pick([1])", "random.choice", RANDOM),
        ("random.Random()", "random.Random", RANDOM),
        ("random.Random(None)", "random.Random", RANDOM),
        ("np.random.rand(3)", "numpy.random.rand", RANDOM),
        ("npr.normal()", "numpy.random.normal", RANDOM),
        ("rand()", "numpy.random.rand", RANDOM),
        ("np.random.default_rng()", "numpy.random.default_rng", RANDOM),
        ("make(seed=None)", "numpy.random.default_rng", RANDOM),
        ("make(3), make(\n    )", "numpy.random.default_rng", RANDOM),
        ("np.random.RandomState().rand()", "numpy.random.RandomState", RANDOM),
        ("os.urandom(3)", "os.urandom", UNIQUE),
        ("urandom(3)", "os.urandom", UNIQUE),
        ("uuid.uuid4()", "uuid.uuid4", UNIQUE),
        ("random.SystemRandom()", "random.SystemRandom", UNIQUE),
        ("socket.create_connection(('a', 1))", "socket.create_connection", NETWORK),
        ("urllib.request.urlopen('http://a')", "urllib.request.urlopen", NETWORK),
        ("subprocess.run(['ls'])", "subprocess.run", PROCESS),
        ("os.system('ls')", "os.system", PROCESS),
    ],
)
def test_a_source_is_seen_however_it_is_spelled(
    sources: Sources, expression: str, source: str, kind: str
) -> None:
    (found,) = sources(f"{IMPORTS}\ndef f():\n    return {expression}\n")
    assert (found.source, found.kind, str(found.owner)) == (source, kind, "tried:f")


@pytest.mark.parametrize(
    "expression",
    [
        "np.random.default_rng(3).random()",
        "make(seed=3)",
        "random.Random(x).random()",
        "time.localtime(0), time.sleep(0)",
        "time.strftime('%Y', time.gmtime(0))",
        "datetime.datetime(2020, 1, 1)",
        "isinstance(x, (dt, random.Random, np.random.Generator))",
        "uuid.uuid5(uuid.NAMESPACE_DNS, 'a'), uuid.UUID(int=3)",
        "socket.AF_INET, socket.timeout",
        "ftplib.CRLF, smtplib.SMTPException",
        "socket.NO_SUCH_NAME, socket.NoSuchError",
        "subprocess.PIPE, subprocess.CalledProcessError",
        "os.path.join('a', 'b'), os.environ.get('A')",
        "random.getstate(), np.random.get_state()",
    ],
)
def test_what_gives_the_same_each_time_is_no_source(sources: Sources, expression: str) -> None:
    assert sources(f"{IMPORTS}\ndef f(x=1):\n    return {expression}\n") == ()


@pytest.mark.parametrize(
    "seeding",
    [
        "def f():\n    random.seed(3)\n    return random.random(), random.choice([1])\n",
        "random.seed(3)\ndef f():\n    return random.random()\n",
        "def g():\n    random.seed(a=4)\ndef f():\n    g()\n    return random.random()\n",
        "def f():\n    np.random.seed(3)\n    return np.random.rand()\n",
    ],
)
def test_numbers_drawn_after_a_seed_are_no_source(sources: Sources, seeding: str) -> None:
    assert sources(IMPORTS + seeding) == ()


@pytest.mark.parametrize(
    ("seeding", "source"),
    [
        ("random.seed()\n    return random.random()", "random.random"),
        ("random.seed(3)\n    return np.random.rand()", "numpy.random.rand"),
        ("np.random.seed(3)\n    return random.random()", "random.random"),
        ("random.seed(3)\n    return random.Random()", "random.Random"),
    ],
)
def test_a_seed_is_for_its_own_module_and_has_to_be_given(
    sources: Sources, seeding: str, source: str
) -> None:
    assert [found.source for found in sources(f"{IMPORTS}def f():\n    {seeding}\n")] == [source]


def test_a_source_is_seen_through_other_modules_and_local_imports(sources: Sources) -> None:
    found = sources(
        "import helpers\nfrom helpers import stamp\n"
        "def f():\n"
        "    from uuid import uuid4\n"
        "    import helpers as again\n"
        "    return helpers.now(), stamp(), uuid4(), again.token_hex()\n",
        helpers="from secrets import token_hex\nfrom time import time as now\nimport os\n"
        "def stamp():\n    return os.urandom(1)\n",
    )
    seen = {(i.source, str(i.owner), i.place.line) for i in found}
    assert seen == {
        ("os.urandom", "helpers:stamp", 5),
        ("secrets.token_hex", "tried:f", 6),
        ("time.time", "tried:f", 6),
        ("uuid.uuid4", "tried:f", 4),
    }


def test_modules_that_import_a_name_from_each_other_are_no_source(sources: Sources) -> None:
    text = "import one\ndef f():\n    from one import x\n    return x()\n"
    one = "try:\n    from two import x\nexcept ImportError:\n    x = int\n"
    assert sources(text, one=one, two="from one import x\n") == ()


def test_a_module_of_the_project_that_goes_by_the_name_of_a_client_is_no_source(
    sources: Sources,
) -> None:
    text = "import pymysql\ndef f():\n    return pymysql.connect()\n"
    assert sources(text, pymysql="def connect():\n    return 1\n") == ()


def test_the_line_is_that_of_the_call_without_a_seed(sources: Sources) -> None:
    calls = "    random.Random(1)\n" * 4
    (found,) = sources(f"import random\n\ndef f():\n{calls}    random.Random()\n")
    assert found.place.line == 8


def test_functions_that_are_not_reached_have_no_say(sources: Sources) -> None:
    assert sources("import time\ndef f():\n    return 1\ndef g():\n    return time.time()\n") == ()


@pytest.mark.usefixtures("kept_inert")
def test_what_the_user_calls_inert_is_passed_over(sources: Sources) -> None:
    for value in (time.time, datetime.datetime, socket):
        inert(value)
    text = "return now(), time.time(), dt.now(), socket.socket(), time.time_ns()"
    (found,) = sources(f"{IMPORTS}\ndef f():\n    {text}\n")
    assert found.source == "time.time_ns"


# -- end to end ---------------------------------------------------------------------------------

SCRIPT = """\
import hitsave
import time
from helpers import stamp
{setup}

@hitsave.memo
def f(x):
    began = time.perf_counter()
    return x, stamp(), time.perf_counter() - began

print(f(1) == f(1), [f(2)] and f.explain(1))
"""
HELPERS = "import time\n\ndef stamp():\n    return time.time()\n"


@pytest.fixture
def run(write: Callable[[dict[str, str]], Path], tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Run the script in a fresh process; return what it wrote to stdout and to stderr."""

    def run_once(setup: str = "", *words: str) -> tuple[str, str]:
        files = {"script.py": SCRIPT.format(setup=setup), "helpers.py": HELPERS}
        write({"pyproject.toml": "", **files})
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HITSAVE_")}
        done = subprocess.run(
            [sys.executable, *words, "script.py"],
            cwd=tmp_path,
            env={**kept, "HITSAVE_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout, done.stderr

    return run_once


def test_a_source_is_warned_of_once_when_a_result_is_recorded(run) -> None:
    out, err = run()
    assert out.startswith("True script:f: hit: ")
    (warning,) = [line for line in err.splitlines() if "HitsaveWarning" in line]
    assert "script:f uses the clock: time.time in helpers:stamp at " in warning
    assert "helpers.py:4; " in warning
    assert "hitsave.inert(time.time)" in warning


def test_later_processes_hit_and_are_told_by_explain_alone(run) -> None:
    run()
    out, err = run()
    assert err == ""
    head, *lines = out.splitlines()
    assert head.startswith("True script:f: hit: ")
    assert [line.partition(" in ")[0] for line in lines] == [
        "  uses a timer: time.perf_counter",
        "  uses the clock: time.time",
    ]
    assert lines[1].endswith("helpers.py:4")


def test_warnings_that_are_errors_do_not_end_the_program(run) -> None:
    out, err = run("", "-W", "error")
    assert (out[:5], err) == ("True ", "")


def test_what_is_inert_is_neither_warned_of_nor_explained(run) -> None:
    out, err = run("hitsave.inert(time.time)")
    assert "the clock" not in out + err
    assert "uses a timer" in out


def test_the_console_tells_of_a_source_once(run) -> None:
    _, err = run("", "-m", "hitsave", "run", "-v")
    told = [line for line in err.splitlines() if line.startswith("hitsave: impure ")]
    assert len(told) == 1
    assert "script:f: the clock, time.time at " in told[0]
