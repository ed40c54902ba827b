import pygal
from pygal.style import DarkStyle, LightColorizedStyle

OPTIONS = {"no_prefix": True, "js": (), "disable_xml_declaration": True, "print_values": True}


def chart(kind, style, **options):
    made = kind(**OPTIONS, style=style, title=kind.__name__, **options)
    made.x_labels = ["a", "b", "c"]
    made.add("one", [1, 5, 3])
    made.add("two", [{"value": 2, "label": "two"}, None, 4], secondary=kind is pygal.Line)
    return made.render(is_unicode=True)


def run(case):
    style = DarkStyle if case else LightColorizedStyle
    kinds = (pygal.Line, pygal.Pie, pygal.Radar) if case else (pygal.Bar, pygal.Line, pygal.Box)
    return "".join(
        chart(kind, style, logarithmic=False, legend_at_bottom=bool(case)) for kind in kinds
    )
