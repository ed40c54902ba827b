from mpmath import fp, iv, mp, mpf, nstr


def run(case):
    with mp.workdps(20 + 10 * case):
        values = [
            mp.zeta(3),
            mp.quad(lambda x: mp.exp(-(x**2)), [0, 1]),
            mp.findroot(mp.cos, 1.5),
            mp.besselj(case, 2.5),
            mp.gamma(mpf(1) / 3),
            mp.polyroots([1, 0, -2])[0],
            mp.det(mp.matrix([[1, 2], [3, 4 + case]])),
            mp.nsum(lambda n: 1 / n**2, [1, mp.inf]),
            mp.taylor(mp.sin, 0, 3)[3],
        ]
        shown = [nstr(value, 12) for value in values]
    return f"{shown} {iv.mpf([1, 2]) * 2} {fp.erf(0.5)} {mp.identify(mp.sqrt(2))}"
