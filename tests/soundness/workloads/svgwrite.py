import svgwrite
from svgwrite import cm, mm


def run(case):
    d = svgwrite.Drawing("a.svg", size=("10cm", "5cm"), profile="full", debug=True)
    g = d.add(d.g(id="lines", stroke="green", stroke_width=1 + case))
    for n in range(3):
        g.add(d.line(start=(n * cm, 0), end=((5 + n) * cm, 3 * mm)))
    p = d.path(d="M 10 10", fill="none")
    p.push("L", 20, 20 + case)
    p.push_arc((30, 30), 0, 5)
    d.add(p)
    grad = d.defs.add(d.linearGradient((0, 0), (1, 1), id="g1"))
    grad.add_stop_color(0, "red").add_stop_color(1, "rgb(1,2,3)")
    d.add(d.rect((0, 0), (10, 10), fill=grad.get_paint_server(), rx=2))
    t = d.add(d.text("hi", insert=(1, 2), style="font-size:3"))
    t.rotate(30)
    d.add(d.polygon([(0, 0), (1, 1), (2, case)]))
    d.add_stylesheet("x.css", "t")
    found = [d.tostring()]
    for bad in (lambda: d.circle(r="x y"), lambda: d.rect(size=(1,)), lambda: d.line(stroke=3)):
        try:
            found.append(bad().tostring())
        except Exception as error:
            found.append(f"{type(error).__name__} {error}")
    return "\n".join(found)
