import sympy


def run(case):
    x, y = sympy.symbols("x y")
    polynomial = (x + 1) ** (2 + case) * (y - 1)
    return repr(
        [
            str(sympy.expand(polynomial)),
            str(sympy.factor(x**3 - 1)),
            str(sympy.diff(sympy.sin(x) * sympy.exp(x), x)),
            str(sympy.integrate(x**2 + sympy.cos(x), x)),
            sympy.solve(x**2 - 2 - case, x),
            sympy.Matrix([[1, 2], [3, 4 + case]]).det(),
            sympy.factorint(360 + case),
            str(sympy.pi.evalf(20)),
            sympy.latex(sympy.sqrt(x) / y),
        ]
    )
