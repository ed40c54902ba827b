"""What an evaluation makes and leaves behind is not there in the process that looks it up next."""

from pathlib import Path
from typing import Any

import pytest

LAZY = """
def make():
    return {"factor": 2}

def __getattr__(name):
    if name == "TABLE":
        globals()[name] = make()
        return globals()[name]
    raise AttributeError(name)
"""


@pytest.mark.parametrize("read", ["lazy.TABLE", "tables()"])
def test_what_a_module_finds_when_it_is_asked_and_keeps(
    run: Any, tmp_path: Path, read: str
) -> None:
    script = f"""
        import os
        from hitsave import memo
        import lazy

        def tables():
            from lazy import TABLE
            return TABLE

        @memo
        def f(x):
            print("ran", end=" ")
            return {read}["factor"] * ord(x)

        print(*map(f, os.environ["CALLS"]))
    """
    (tmp_path / "project" / "lazy.py").write_text(LAZY)
    assert run(script, CALLS="ab").stdout == "ran ran 194 196\n"
    assert run(script, CALLS="b").stdout == "196\n"
    (tmp_path / "project" / "lazy.py").write_text(LAZY.replace("2", "3"))
    assert run(script, CALLS="ba").stdout == "ran ran 294 291\n"


@pytest.mark.parametrize(
    "put", ["lazy.TABLE = {'factor': factor}", "lazy.TABLE['factor'] = factor"]
)
def test_what_the_program_puts_into_a_module_itself_counts(
    run: Any, tmp_path: Path, put: str
) -> None:
    script = f"""
        import os
        from hitsave import memo
        import lazy

        @memo
        def f(x):
            print("ran", end=" ")
            return lazy.TABLE["factor"] * ord(x)

        print(f("a"), end=" ")
        factor = int(os.environ["FACTOR"])
        {put}
        print(f("a"))
    """
    (tmp_path / "project" / "lazy.py").write_text(LAZY)
    answers = [run(script, FACTOR=factor).stdout.split() for factor in "5566"]
    numbers = [[each for each in answer if each != "ran"] for answer in answers]
    assert numbers == 2 * [["194", "485"]] + 2 * [["194", "582"]]
    assert answers[0].count("ran") == answers[2].count("ran") + 1 == 2


KINDS = """
class Base:
    def weight(self, x):
        return x * 2

def make():
    global Kind
    {test}:
        Kind = type("Kind", (Base,), {{"names": []}})
        Kind.names = [*Kind.names, "made"]
    return Kind()
"""


@pytest.mark.parametrize("test", ["if 'Kind' not in globals()", "try: Kind\n    except NameError"])
def test_a_class_that_is_made_when_it_is_first_asked_for(
    run: Any, tmp_path: Path, test: str
) -> None:
    script = """
        import os
        from hitsave import memo
        import kinds

        @memo
        def f(x):
            print("ran", end=" ")
            return kinds.make().weight(ord(x)), len(kinds.Kind.names)

        print(*map(f, os.environ["CALLS"]))
    """
    text = KINDS.format(test=test)
    (tmp_path / "project" / "kinds.py").write_text(text)
    assert run(script, CALLS="ab").stdout == "ran ran (194, 1) (196, 1)\n"
    assert run(script, CALLS="a").stdout == "(194, 1)\n"
    assert run(script, CALLS="bac").stdout == "ran (196, 1) (194, 1) (198, 1)\n"
    (tmp_path / "project" / "kinds.py").write_text(text.replace("* 2", "* 3"))
    assert run(script, CALLS="ca").stdout == "ran ran (297, 1) (291, 1)\n"


RULES = """
class Rule:
    def __init__(self, name):
        self.name = name
        self.kind = None

WORD, NUMBER = Rule("word"), Rule("number")
ALL = {rule.name: rule for rule in [WORD, NUMBER]}
NAMES = list(ALL)
"""


def test_an_object_that_is_changed_and_held_by_what_was_not_asked_for(
    run: Any, tmp_path: Path
) -> None:
    script = """
        import os
        from hitsave import memo
        import rules

        def kind_of(rule):
            class Kind:
                def text(self, x):
                    return f"{rule.name}{x}"
            rule.kind = Kind
            return Kind()

        @memo
        def f(x):
            print("ran", end=" ")
            return kind_of(rules.WORD).text(x), len(rules.NAMES)

        print(*map(f, os.environ["CALLS"]))
    """
    (tmp_path / "project" / "rules.py").write_text(RULES)
    assert run(script, CALLS="ab").stdout == "ran ran ('worda', 2) ('wordb', 2)\n"
    assert run(script, CALLS="b").stdout == "('wordb', 2)\n"
    (tmp_path / "project" / "rules.py").write_text(RULES.replace("[WORD, NUMBER]", "[WORD]"))
    assert run(script, CALLS="b").stdout == "ran ('wordb', 1)\n"


def test_a_module_that_is_imported_into_a_package_that_is_asked_by_any_name(
    run: Any, tmp_path: Path
) -> None:
    package = tmp_path / "project" / "plugins"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plain.py").write_text("def run(x):\n    return x * 2\n")
    (package / "tools.py").write_text("def double(x):\n    return x * 2\n")
    script = """
        import os
        from hitsave import memo
        import plugins

        def tools():
            import plugins.tools
            return plugins

        @memo
        def f(x):
            print("ran", end=" ")
            names = [name for name in vars(plugins) if not name.startswith("_")]
            return getattr(tools(), "to" + x).double(2), names

        print(*map(f, os.environ["CALLS"].split()))
    """
    assert run(script, CALLS="ols").stdout == "ran (4, [])\n"
    assert run(script, CALLS="ols").stdout == "(4, [])\n"
    (package / "tools.py").write_text("def double(x):\n    return x * 3\n")
    assert run(script, CALLS="ols").stdout == "ran (6, [])\n"


LATER = """
import os

_function = _class = _module = None
_number = 0


class Base:
    kind = None

    def go(self, x):
        return x + 1


def double(x):
    return x * 2


def triple(x):
    return x * 3


def get():
    global _function, _class, _module, _number
    _number += 1
    if _function is None:
        _function = double
    if _class is None:
        _class = type("Made", (Base,), {})
    if Base.kind is None:
        Base.kind = Base
    if _module is None:
        import json
        _module = json
    return _function
"""
READS_LATER = """
    import os
    from hitsave import memo
    import later

    @memo
    def f(x):
        print("ran", end=" ")
        go = later.get()
        return go(x), later._class().go(x), later.Base.kind().go(x), later._module.dumps(x)

    BEFORE
    print(*[f(int(x)) for x in os.environ["CALLS"]])
"""


def test_a_function_a_class_and_a_module_that_are_set_when_they_are_first_asked_for(
    run: Any, tmp_path: Path
) -> None:
    path = tmp_path / "project" / "later.py"
    path.write_text(LATER)
    script = READS_LATER.replace("BEFORE", "")
    assert run(script, CALLS="12").stdout == "ran ran (2, 2, 2, '1') (4, 3, 3, '2')\n"
    assert run(script, CALLS="2").stdout == "(4, 3, 3, '2')\n"
    assert run(script, CALLS="213").stdout.startswith("ran (4, ")
    path.write_text(LATER.replace("x * 2", "x * 5"))
    assert run(script, CALLS="12").stdout == "ran ran (5, 2, 2, '1') (10, 3, 3, '2')\n"
    path.write_text(LATER.replace("x + 1", "x + 7"))
    assert run(script, CALLS="21").stdout == "ran ran (4, 9, 9, '2') (2, 8, 8, '1')\n"
    path.write_text(LATER.replace("= double", "= triple"))
    assert run(script, CALLS="1").stdout == "ran (3, 2, 2, '1')\n"
    path.write_text(LATER)
    assert run(script, CALLS="321").stdout == "(6, 4, 4, '3') (4, 3, 3, '2') (2, 2, 2, '1')\n"


@pytest.mark.parametrize(
    "before",
    [
        "later._function = getattr(later, os.environ['NAME'])",
        "later.Base.kind = type('K', (later.Base,), {'go': lambda s, x: os.environ['NAME']})",
    ],
)
def test_what_the_program_sets_itself_counts_for_what_it_is(
    run: Any, tmp_path: Path, before: str
) -> None:
    (tmp_path / "project" / "later.py").write_text(LATER)
    script = READS_LATER.replace("BEFORE", "f(1) if 'FIRST' in os.environ else None; " + before)
    answers = {
        (name, *first): run(script, CALLS="1", NAME=name, **dict.fromkeys(first, "1")).stdout
        for name in ("double", "triple", "double", "triple")
        for first in ((), ("FIRST",))
    }
    for (name, *_), answer in answers.items():
        shown = answer.replace("ran ", "")
        if "_function" in before:
            assert shown.startswith("(2," if name == "double" else "(3,")
        else:
            assert f"'{name}'" in shown
