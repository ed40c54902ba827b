from textx import get_children_of_type, metamodel_from_str
from textx.exceptions import TextXError

GRAMMAR = """
Model: 'shapes' name=ID shapes+=Shape links*=Link;
Shape: Circle | Box;
Circle: 'circle' name=ID 'r' radius=NUMBER;
Box: 'box' name=ID '(' sides+=INT[','] ')' (bold?='bold')?;
Link: from=[Shape] '->' to=[Shape];
Comment: /#.*$/;
"""
GRAMMAR = GRAMMAR.replace("from=", "source=").replace(" to=", " target=")
TEXT = "shapes s circle a r 2.5 # c\nbox b (1, 2, 3) bold\nbox d (4)\na -> b b -> d"


class Box:
    def __init__(self, parent, name, sides, bold):
        self.parent, self.name, self.sides, self.bold = parent, name, sides, bold

    @property
    def size(self):
        return sum(self.sides)


def run(case):
    classes = [Box] if case % 2 else []
    meta = metamodel_from_str(GRAMMAR, classes=classes, ignore_case=True)
    meta.register_obj_processors(
        {"Circle": lambda circle: setattr(circle, "radius", circle.radius * 2)}
    )
    model = meta.model_from_str(TEXT)
    shown = [model.name, [type(shape).__name__ for shape in model.shapes], model.shapes[0].radius]
    shown += [(link.source.name, link.target.name) for link in model.links]
    shown += [getattr(box, "size", box.sides) for box in get_children_of_type("Box", model)]
    try:
        meta.model_from_str("shapes s circle a r 1 a -> z")
    except TextXError as error:
        shown.append((error.line, error.col, error.message))
    return repr(shown)
