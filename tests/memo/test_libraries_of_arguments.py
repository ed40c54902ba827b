"""A library that nothing but an argument brings in counts by its version."""

from pathlib import Path

import pytest

LIBRARY = """
class Model:
    def __init__(self, x): self.x = x
    def predict(self): return self.x * {factor}
def made(x): return x * {factor}
"""
SCRIPT = """
import sys
sys.path.insert(0, "site-packages")
from hitsave import memo
from brought_along.models import Model, made

@memo
def f(x, model):
    print("ran")
    return {body}

print(f(1, {argument}))
"""


@pytest.mark.parametrize(
    ("argument", "body"),
    [
        ("Model(3)", "model.predict()"),
        ("[1, {'a': Model(3)}]", "model[1]['a'].predict()"),
        ("Model", "model(3).predict()"),
        ("made", "model(3)"),
        ("Model(3).predict", "model()"),
        ("sys.modules['brought_along.models']", "model.made(3)"),
        ("sys.modules['brought_along']", "model.models.made(3)"),
        ("__import__('functools').partial(made, 3)", "model()"),
    ],
)
def test_a_new_version(run, tmp_path: Path, argument: str, body: str) -> None:
    packages = tmp_path / "project" / "site-packages"
    information = packages / "brought_along-1.dist-info"
    (packages / "brought_along").mkdir(parents=True)
    (packages / "brought_along" / "__init__.py").write_text("")
    information.mkdir()
    script = SCRIPT.format(argument=argument, body=body)
    for version, said in (("1.0", ["ran", "6"]), ("1.0", ["6"]), ("2.0", ["ran", "9"])):
        factor = 2 if version == "1.0" else 3
        (packages / "brought_along" / "models.py").write_text(LIBRARY.format(factor=factor))
        (information / "METADATA").write_text(f"Name: brought_along\nVersion: {version}\n")
        (information / "RECORD").write_text(
            "brought_along/__init__.py,,\nbrought_along/models.py,,\n"
        )
        (information / "top_level.txt").write_text("brought_along\n")
        # Python would take bytecode of the same second, and a source of the same size, for its own.
        assert run(script, PYTHONDONTWRITEBYTECODE="1").stdout.split() == said
