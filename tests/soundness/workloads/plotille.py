import plotille


def run(case):
    xs = [x / 4 for x in range(20)]
    figure = plotille.Figure()
    figure.width, figure.height = 40 + case, 10
    figure.set_x_limits(min_=0, max_=5)
    figure.color_mode = ("names", "byte")[case % 2]
    figure.plot(xs, [x * x for x in xs], lc="red" if case % 2 == 0 else 25, label="square")
    figure.scatter(xs, [5 - x for x in xs], label="line")
    figure.text([1], [2], ["here"])
    shown = [
        figure.show(legend=True),
        plotille.histogram([1, 2, 2, 3, 3, 3, 7], bins=4, width=20, height=5),
    ]
    shown.append(plotille.hist([1, 1, 2, 5], bins=3, width=20))
    canvas = plotille.Canvas(20, 8, xmax=2, ymax=2)
    canvas.rect(0.1, 0.1, 1.5, 1.2)
    canvas.line(0, 0, 2, 2)
    return "\n".join([*shown, canvas.plot()])
