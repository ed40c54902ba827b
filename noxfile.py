"""Sessions: every check of the project, each in its own environment.

`nox` runs the tests on each supported Python that is found, then lint, typing, layers and docs.
`nox -s benchmarks` measures; it is asked for by name, because figures need a quiet machine. So are
`libraries` and `versions`, which install what is large; `soundness`, `fuzz` and `faults` are long.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import nox

PYTHONS = ("3.11", "3.12", "3.13")
PROJECT = nox.project.load_toml("pyproject.toml")

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.sessions = ["tests", "lint", "typing", "layers", "docs"]
nox.options.error_on_missing_interpreters = False


def _group(name: str) -> list[str]:
    return nox.project.dependency_groups(PROJECT, name)


def _pyenv_folder(version: str) -> str | None:
    """Return the `bin` folder of the newest Python of this version that pyenv has."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = {
        int(match[1]): path / "bin"
        for path in root.glob(f"{version}.*")
        if (match := re.fullmatch(r"\d+\.\d+\.(\d+)", path.name))
    }
    return str(found[max(found)]) if found else None


def _put_interpreters_on_path() -> None:
    """Let nox find what pyenv has installed, and say which Pythons are missing."""
    for version in PYTHONS:
        if folder := _pyenv_folder(version):
            os.environ["PATH"] = os.pathsep.join([folder, os.environ["PATH"]])
        elif shutil.which(f"python{version}") is None:
            print(f"MISSING: no Python {version} on PATH or under pyenv; its tests are not run.")


_put_interpreters_on_path()


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, against the installed package."""
    session.install(".", *_group("test"))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types, with both checkers."""
    session.install(".", *_group("typing"))
    session.run("mypy")
    # Told which interpreter, because it would look for packages in another one on the path.
    python = f"{session.bin}/python" if session.bin_paths else sys.executable
    session.run("pyright", "--pythonpath", python)


@nox.session
def layers(session: nox.Session) -> None:
    """Check that every room imports only from the rows below its own."""
    session.install(".", *_group("layers"))
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install(".", *_group("docs"))
    build = ("sphinx-build", "-W", "--keep-going", "-n", "-q", "-b", "html")
    session.run(*build, "-d", session.create_tmp(), "docs", *(session.posargs or ["docs/_build"]))


@nox.session
def soundness(session: nox.Session) -> None:
    """Run every edit case in every way, then generated programs, then edits of real packages.

    Arguments after `--` go to `python -m tests.soundness`.
    """
    session.install(".", *_group("test"))
    session.run("python", "-m", "pytest", "tests/test_cases.py", env={"CASES_MATRIX": "full"})
    session.run("python", "-m", "pytest", "tests/soundness", env={"SOUNDNESS_EXAMPLES": "300"})
    packages = session.cache_dir / "soundness-packages"
    harness = ("python", "-m", "tests.soundness", "--packages", str(packages))
    session.run(*harness, *(session.posargs or ("--jobs", "2")))


@nox.session
def faults(session: nox.Session) -> None:
    """Try every fault that a store must survive, more often with `-- --rounds 1000`."""
    session.install(".", *_group("test"), *_group("faults"))
    session.run("python", "-m", "pytest", "tests/faults", *(session.posargs or ["--rounds", "100"]))


@nox.session
def libraries(session: nox.Session) -> None:
    """Run the tests of digests and encodings with every library whose values are known."""
    session.install(".", *_group("test"), *_group("libraries"))
    session.run("python", "-m", "pytest", "tests/codec", "tests/golden", *session.posargs)


@nox.session(python="3.12")
@nox.parametrize("versions", ["numpy==2.1.* pandas==2.2.3", "numpy>=2.3 pandas>=3"])
def versions(session: nox.Session, versions: str) -> None:
    """Compare the pinned digests of numpy and pandas, with an old and a new version of each."""
    session.install(".", *_group("test"), *versions.split())
    session.run("python", "-m", "pytest", "tests/golden", "tests/codec/test_frames.py")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Decode very many encodings that nobody wrote."""
    session.install(".", *_group("test"), *_group("libraries"))
    fuzzed = ("python", "-m", "pytest", "tests/codec/test_fuzz.py", *session.posargs)
    session.run(*fuzzed, env={"FUZZ_EXAMPLES": os.environ.get("FUZZ_EXAMPLES", "20000")})


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure against the budgets, and beside other caches."""
    session.install(".", *_group("test"), *_group("peers"))
    session.run("python", "-m", "benchmarks", *session.posargs)
