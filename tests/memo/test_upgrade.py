"""What another version of hitsave recorded is computed again, without a word."""

from typing import Any

import pytest

RUN = """
    import os
    from hitsave.code import dependencies
    dependencies.SCHEMA += int(os.environ["OLDER"])
    from hitsave import memo

    def helper(x):
        return x + 1

    @memo
    def f(x):
        print("ran", end=" ")
        return helper(x)

    print(f(1), str(f.explain(2)).split(":")[1].strip() if "EXPLAIN" in os.environ else "")
"""


@pytest.mark.parametrize("explain", [{}, {"EXPLAIN": "1"}])
def test_records_of_another_version_are_passed_over(run: Any, explain: dict[str, str]) -> None:
    older = run(RUN, OLDER="-1")
    assert older.stdout.split() == ["ran", "2"]
    newer = run(RUN, OLDER="0", **explain)
    assert newer.stdout.split()[:2] == ["ran", "2"]
    assert newer.stderr == ""
    again = run(RUN, OLDER="0", **explain)
    assert again.stdout.split()[0] == "2"
    assert again.stderr == ""
    assert run(RUN, OLDER="-1").stdout.split() == ["2"]
