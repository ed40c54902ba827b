"""Calls one function once, memoised or plain."""

import sys

if sys.argv[1] == "memo":
    from hitsave import memo
else:

    def memo(function):
        return function


def helper(x):
    return x * 2


@memo
def f(x):
    return helper(x) + 1


if __name__ == "__main__":
    f(3)
