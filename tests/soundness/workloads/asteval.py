import io

from asteval import Interpreter

TEXT = """
def f(a, b=2, *rest, **more):
    total = a + b
    for r in rest:
        if r < 0:
            continue
        total += r
    else:
        total *= 2
    return total
x = [i ** 2 for i in range({n}) if i % 2]
d = {{'k': x, 's': {{1, 2}}}}
y = f(1, 3, *x)
try:
    z = 1 / 0
except ZeroDivisionError:
    z = 'caught'
w = sqrt(2.0) if y > 3 else -1
"""


def run(case):
    out = io.StringIO()
    a = Interpreter(use_numpy=False, writer=out, err_writer=out)
    a(TEXT.format(n=5 + case))
    found = [str({k: a.symtable.get(k) for k in "xdyzw"})]
    for bad in ("1 + 'a'", "import os", "(lambda q: q)(1)", "nope", "x.__class__", "open('/x')"):
        found.append(str(a(bad, show_errors=False)))
        found += [str(e.get_error()[0]) for e in a.error]
        a.error = []
    return str(found) + out.getvalue()
