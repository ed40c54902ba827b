"""What all tests share: whose code is whose."""

import os
from collections.abc import Iterator

import pytest

from hitsave.code.external import Boundary

HERE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "")


@pytest.fixture(scope="session", autouse=True)
def tests_are_nobodys_project() -> Iterator[None]:
    """Test modules are project code where they lie below the workspace, and not next door to it.

    One process loads hundreds of them, and each small project would take in all.
    """
    judge = Boundary._is_project_folder

    def is_project_folder(boundary: Boundary, folder: str) -> bool:
        is_outside = _is_test(folder) and not _is_test(boundary.root)
        return judge(boundary, folder) and not is_outside

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Boundary, "_is_project_folder", is_project_folder)
        yield


def _is_test(folder: str) -> bool:
    return os.path.join(os.path.realpath(folder or os.sep), "").startswith(HERE)
