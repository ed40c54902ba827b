from pyflakes import api, reporter

TEXT = """
import os, sys
from typing import List, overload
from . import *
def f(a, a2, *b, c=lambda: d, **e) -> "List[int]":
    global g
    try:
        import json
    except (ImportError, NameError) as error:
        pass
    x = [y for y in range(3) if y is 3]
    "%s %s" % (1,)
    "{} {1}".format(1, 2)
    f"nothing"
    assert (1, "x")
    return undefined, locals
def f(): yield
class A(B):
    name: str = "a"
    def m(self):
        if (1,): print >>sys.stderr, "x"
        raise NotImplemented
match os:
    case {"a": [k, *l]}: del k
    case _: break
__all__ = ["A", "absent"]
"""


class Kept:
    def __init__(self):
        self.lines = []

    def write(self, text):
        self.lines.append(text)


def run(case):
    out, wrong = Kept(), Kept()
    text = TEXT if case else TEXT.replace("    case _: break\n", "")
    number = api.check(text + "\n" * case, "some.py", reporter.Reporter(out, wrong))
    api.check("def (:", "bad.py", reporter.Reporter(out, wrong))
    return f"{number} {''.join(out.lines)} {''.join(wrong.lines)}"
