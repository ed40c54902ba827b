import tatsu

GRAMMAR = r"""
@@grammar::Calc
start = expression $ ;
expression = left:expression op:('+'|'-') right:term | term ;
term = left:term op:('*'|'/') right:factor | factor ;
factor = '(' ~ @:expression ')' | number ;
number::int = /\d+/ ;
"""


class Calculate:
    def number(self, ast):
        return int(ast)

    def _pair(self, ast):
        if not isinstance(ast, dict):
            return ast
        left, right = ast["left"], ast["right"]
        return {"+": left + right, "-": left - right, "*": left * right, "/": left / right}[
            ast["op"]
        ]

    expression = term = _pair


def told(tree):
    if isinstance(tree, dict):
        return {name: told(tree[name]) for name in sorted(tree)}
    return tree


def run(case):
    model = tatsu.compile(GRAMMAR)
    shown = []
    for text in ("1 + 2 * 3", "(4 - 1) * 5", "8 / (2 + 2) - 1"):
        shown += [told(model.parse(text)), model.parse(text, semantics=Calculate())]
    try:
        model.parse("1 + ")
    except tatsu.exceptions.FailedParse as error:
        shown.append(type(error).__name__)
    if case % 2:
        shown.append(len(tatsu.to_python_sourcecode(GRAMMAR)))
    return repr(shown)
