"""Programs that another program runs as its `__main__`, as `hitsave run` does."""

import subprocess
import sys

import pytest

RUN = """
    import sys
    from types import ModuleType

    def run(path):
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__file__ = path
        with open(path) as file:
            exec(compile(file.read(), path, "exec"), vars(main))
"""

PROGRAM = """
    import sys
    from prelude import ran
    def used(): pass
    def unused(): pass
    used()
    print(ran(used), ran(unused))
"""

FRESH = ["True False"]
"""What ran, and what did not, as a program of its own tells it."""


@pytest.fixture
def programs(project):
    """Two programs: a package that runs others, and one for it to run."""
    project.write("library/starter/run.py", RUN)
    project.write("library/starter/__init__.py", "import prelude\n")
    project.write(
        "library/starter/__main__.py",
        """
        import sys
        from starter.run import run
        run(sys.argv[1])
        """,
    )
    project.path = str(project.write("project/program.py", PROGRAM))
    return project


def output(project, *words: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=project.folder,
        env=project.environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_program_that_a_module_runs(programs) -> None:
    assert output(programs, "-m", "starter", programs.path) == FRESH


def test_a_program_that_a_script_runs(programs) -> None:
    script = programs.write(
        "library/script.py",
        """
        import sys
        import prelude
        from starter.run import run
        run(sys.argv[1])
        """,
    )
    assert output(programs, str(script), programs.path) == FRESH


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 counts the starts of each function")
def test_a_program_that_ran_before(programs) -> None:
    """It is the same file under the same name, reached through a link."""
    link = programs.folder / "link.py"
    link.symlink_to(programs.path)
    script = programs.write(
        "library/script.py",
        f"""
        import sys
        from types import ModuleType
        main = sys.modules["__main__"] = ModuleType("__main__")
        main.__file__ = {str(link)!r}
        import prelude
        from starter.run import run
        run({programs.path!r})
        """,
    )
    assert output(programs, str(script)) == ["True True"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 counts the starts of each function")
def test_a_main_program_of_unknown_origin_may_be_any(programs) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(programs.root / "library")!r})
done = 1
import prelude
from starter.run import run
run({programs.path!r})
"""
    assert output(programs, "-c", code) == ["True True"]
