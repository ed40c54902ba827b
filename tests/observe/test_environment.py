"""Environment variables, and modules asked for by name."""

import pytest

READ = """
    from prelude import *
    import os, lib
    def f():
        {call}
    for _ in range(2):
        observed = observe(f)
        for name, (value, caller) in sorted(observed.environment.items()):
            print(name, value, caller.name, observed.blind)
"""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("os.environ['THERE']", "THERE yes f ()"),
        ("os.environ.get('THERE')", "THERE yes f ()"),
        ("os.environ.get('ABSENT', 1)", "ABSENT None f ()"),
        ("os.getenv('ABSENT')", "ABSENT None f ()"),
        ("'ABSENT' in os.environ", "ABSENT None f ()"),
        ("os.environb[b'THERE']", "THERE yes f ()"),
        ("os.environ.setdefault('THERE', 'no')", "THERE yes f ()"),
        ("[os.environ[name] for name in os.environ if name == 'THERE']", "THERE yes f ()"),
        ("os.environ.copy()", None),
        ("dict(os.environ)", None),
        ("list(os.environ.items())", None),
        ("{**os.environ}", None),
        ("os.environ['OWN'] = '1'; os.environ['OWN']", None),
        ("lib.read('THERE')", None),
        ("os.environ.get(1) if 0 else None", None),
    ],
)
def test_reading_variables(project, call: str, said: str | None) -> None:
    project.write("library/lib.py", "import os\ndef read(name):\n    return os.environ[name]\n")
    out = project.run(READ.format(call=call), THERE="yes")
    out = [line.replace("f.<locals>.<listcomp>", "f") for line in out]
    assert out == ([] if said is None else [said] * 2)


def test_reads_after_a_walk_count(project) -> None:
    project.write("library/lib.py", "")
    call = "dict(os.environ); list(os.environ.values()); os.environ['THERE']"
    assert project.run(READ.format(call=call), THERE="yes") == ["THERE yes f ()"] * 2


IMPORTED = """
    from prelude import *
    import importlib, importlib.util, lib
    def f():
        try: {call}
        except ImportError: pass
    for _ in range(2):
        observed = observe(f)
        for name, caller in sorted(observed.modules.items()):
            print(name, caller.name, observed.blind)
"""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("importlib.import_module('plugins.one')", "plugins.one f ()"),
        ("importlib.import_module('absent.module')", "absent.module f ()"),
        ("importlib.import_module('.one', 'plugins')", "plugins.one f ()"),
        ("importlib.import_module('..two', 'plugins.sub')", "plugins.two f ()"),
        ("importlib.import_module(name='.', package='plugins')", "plugins f ()"),
        ("importlib.util.find_spec('absent')", "absent f ()"),
        ("lib.load('plugins.one')", "plugins.one f ()"),
        ("import plugins.one", None),
    ],
)
def test_modules_asked_for_by_name(project, call: str, said: str | None) -> None:
    project.write("project/plugins/__init__.py", "")
    project.write("project/plugins/one.py", "")
    project.write(
        "library/lib.py", "import importlib\ndef load(name): importlib.import_module(name)\n"
    )
    assert project.run(IMPORTED.format(call=call)) == ([] if said is None else [said] * 2)
