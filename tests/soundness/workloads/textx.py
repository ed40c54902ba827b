from textx import metamodel_from_str, textx_isinstance

GRAMMAR = """
Model: 'robot' name=ID commands*=Command;
Command: Move | Turn | Repeat;
Move: 'move' steps=INT (unit=Unit)?;
Unit: 'm' | 'cm';
Turn: 'turn' to=[Place] fast?='fast';
Repeat: 'repeat' times=NUMBER '{' places*=Place commands+=Command '}';
Place: 'place' name=ID ('at' where+=FLOAT[','])?;
Comment: /\\/\\/.*$/;
"""
TEXT = """
robot r2 // the first
move 3 cm
repeat 2 { place home at 1.5, 2.0 place far turn home fast move 1 }
turn far
"""


class Place:
    def __init__(self, parent, name, where):
        self.parent, self.name, self.where = parent, name, where


def shown(element):
    commands = [shown(each) for each in getattr(element, "commands", ())]
    fields = {k: getattr(element, k, None) for k in ("name", "steps", "unit", "fast", "times")}
    to = getattr(getattr(element, "to", None), "where", None)
    return type(element).__name__, fields, to, commands


def run(case):
    meta = metamodel_from_str(GRAMMAR, classes=[Place], ignore_case=bool(case))
    meta.register_obj_processors({"Move": lambda move: setattr(move, "steps", move.steps * 2)})
    model = meta.model_from_str(TEXT.upper().replace("R2", "r2") if case == 2 else TEXT)
    is_move = textx_isinstance(model.commands[0], meta["Move"])
    try:
        meta.model_from_str("robot x turn nowhere" if case else "robot x fly")
    except Exception as error:
        return f"{shown(model)} {is_move} {error}"
    return "no error"
