"""Folders of stores that are tried again and again, from the same beginning."""

import os
import shutil
from pathlib import Path


def put_back(home: Path, sound: Path) -> None:
    """Let the home be as it was before it was damaged."""
    for folder, *_ in os.walk(home):
        os.chmod(folder, 0o700)
    shutil.rmtree(home)
    shutil.copytree(sound, home, symlinks=True)
