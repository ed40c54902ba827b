"""Files that compiled code of a library opens, unseen, by a path that it was given."""

import sys

import pytest

FUNCTION = "def {name}(source, *args, **kwargs): return source\n"
METHOD = "class {name}:\n    def __init__(self, path, mode='r'): self.path = path\n"


def write_library(project, module: str, text: str) -> None:
    """Write a module of regular packages, which go before those of the name that are installed."""
    package, _, _ = module.rpartition(".")
    while package:
        project.write(f"library/{package.replace('.', '/')}/__init__.py", "")
        package = package.rpartition(".")[0]
    project.write(f"library/{module.replace('.', '/')}.py", text)


@pytest.fixture
def observed(project):
    """Run a call of a library that is stood for by one with the same names."""

    def observed(module: str, text: str, call: str) -> list[str]:
        write_library(project, module, text)
        for name in ("a.dat", "b.dat", "many/one.dat", "many/two.dat", "many/deep/three.dat"):
            project.write(f"project/{name}", name)
        out = project.run(f"""
            from prelude import *
            from pathlib import Path
            from {module} import *
            def f():
                {call}
            seen = observe(f)
            print(*local(seen.files), "|", *local(seen.listings))
        """)
        return [part.strip() for part in out[-1].replace("project/", "").split("|")]

    return observed


@pytest.mark.parametrize(
    ("call", "files", "listings"),
    [
        ("read_parquet('a.dat')", "a.dat", ""),
        ("read_parquet(source='a.dat')", "a.dat", ""),
        ("read_parquet(Path('a.dat'))", "a.dat", ""),
        ("read_parquet(['a.dat', Path('b.dat')])", "a.dat b.dat", ""),
        ("read_parquet('none.dat')", "none.dat", ""),
        ("read_parquet('?.dat')", "a.dat b.dat", "project"),
        ("read_parquet('many')", "many/deep/three.dat many/one.dat many/two.dat", "many many/deep"),
        ("read_parquet('s3://bucket/a.dat')", "", ""),
        ("read_parquet(open)", "", ""),
        ("read_parquet(b'PAR1' * 10)", "", ""),
        ("read_parquet(None)", "", ""),
    ],
)
def test_what_a_function_is_given(observed, call: str, files: str, listings: str) -> None:
    text = FUNCTION.format(name="read_parquet")
    assert observed("pandas.io.parquet", text, call) == [files, listings]


@pytest.mark.parametrize(
    ("call", "files"),
    [
        ("File('a.dat')", "a.dat"),
        ("File('a.dat', 'r+')", "a.dat"),
        ("File('a.dat', 'w'); File('a.dat')", ""),
        ("File(name for name in 'ab')", ""),
    ],
)
def test_what_a_class_is_given(observed, call: str, files: str) -> None:
    text = METHOD.format(name="File")
    assert observed("h5py._hl.files", text, call) == [files, ""]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 tells of it in evaluations alone")
def test_what_was_given_before_any_evaluation(project) -> None:
    write_library(project, "pandas.io.parquet", FUNCTION.format(name="read_parquet"))
    project.write("project/a.dat", "a")
    out = project.run("""
        from prelude import *
        from hitsave.observe import journal
        from pandas.io.parquet import read_parquet
        read_parquet("a.dat")
        readings = journal.readings(ROOT + "/project/main.py", 5, 5)
        print([(str(reading.facet), *local([reading.name])) for reading in readings])
    """)
    assert out == ["[('file', 'project/a.dat')]"]
