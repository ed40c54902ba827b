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
sys.path.append("site-packages")
from hitsave import memo
from outside.models import Model, made

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
        ("__import__('functools').partial(made, 3)", "model()"),
    ],
)
def test_a_new_version(run, tmp_path: Path, argument: str, body: str) -> None:
    packages = tmp_path / "project" / "site-packages"
    information = packages / "outside-1.dist-info"
    (packages / "outside").mkdir(parents=True)
    (packages / "outside" / "__init__.py").write_text("")
    information.mkdir()
    script = SCRIPT.format(argument=argument, body=body)
    for version, said in (("1.0", ["ran", "6"]), ("1.0", ["6"]), ("2.0", ["ran", "9"])):
        factor = 2 if version == "1.0" else 3
        (packages / "outside" / "models.py").write_text(LIBRARY.format(factor=factor))
        (information / "METADATA").write_text(f"Name: outside\nVersion: {version}\n")
        (information / "RECORD").write_text("outside/__init__.py,,\noutside/models.py,,\n")
        (information / "top_level.txt").write_text("outside\n")
        assert run(script).stdout.split() == said
