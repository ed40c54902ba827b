from lark import Lark, Transformer, Tree, v_args

GRAMMAR = r"""
    ?start: sum
          | NAME "=" sum -> assign_var
    ?sum: product
        | sum "+" product -> add
        | sum "-" product -> sub
    ?product: atom
        | product "*" atom -> mul
        | product "/" atom -> div
    ?atom: NUMBER -> number
         | "-" atom -> neg
         | NAME -> var
         | "(" sum ")"
    %import common.CNAME -> NAME
    %import common.NUMBER
    %import common.WS_INLINE
    %ignore WS_INLINE
"""


@v_args(inline=True)
class Calculate(Transformer):
    from operator import add, mul, neg, sub
    from operator import truediv as div

    number = float

    def __init__(self):
        super().__init__()
        self.names = {}

    def assign_var(self, name, value):
        self.names[name] = value
        return value

    def var(self, name):
        return self.names[name]


def run(case):
    kind = ("lalr", "earley")[case % 2]
    parser = Lark(GRAMMAR, parser=kind)
    calculate = Calculate()
    shown = [kind]
    for text in ("a = 1 + 2 * 3", "-(4 - 1) / 2", "b = 7", "2 * 3 * 4"):
        tree = parser.parse(text)
        shown += [tree.pretty() if isinstance(tree, Tree) else str(tree), calculate.transform(tree)]
    return repr(shown)
