from uncertainties import covariance_matrix, ufloat, ufloat_fromstr, umath, wrap


def run(case):
    x, y = ufloat(1.0 + case, 0.1), ufloat_fromstr("2.50(3)")
    z = umath.sin(x) * y**2 + umath.log(y) / x - abs(-x)
    found = [f"{z:.3u}", f"{z:L}", f"{z:P}", repr(z.derivatives[x]), f"{x:.1e}"]
    found.append([[round(float(c), 9) for c in row] for row in covariance_matrix([x, y, z])])
    f = wrap(lambda a, b: a**2 + 3 * b)
    found.append(f"{f(x, y):S}")
    found.append(str(sorted(z.error_components().values())))
    for bad in (lambda: ufloat_fromstr("a"), lambda: umath.sqrt(-x), lambda: ufloat(1, -1)):
        try:
            found.append(str(bad()))
        except Exception as error:
            found.append(f"{type(error).__name__} {error}")
    return str(found)
