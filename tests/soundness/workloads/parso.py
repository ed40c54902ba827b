import parso

CODE = '''import os
@property
def f(a, b=1, *c, **d):
    """Doc."""
    for i in range(3):
        if a > i: yield [x for x in b if x]
    return f"{a!r:>10}" + 'x'
class C(B): y: int = lambda: 3
x = (1,
'''


def run(case):
    version = ("3.9", "3.10")[case % 2]
    grammar = parso.load_grammar(version=version)
    tree = grammar.parse(CODE)
    names = tree.get_used_names()
    errors = [(error.message, error.start_pos) for error in grammar.iter_errors(tree)]
    first = next(tree.iter_funcdefs())
    return repr(
        [
            version,
            tree.get_code() == CODE,
            sorted(names),
            errors,
            tree.dump()[:1500],
            first.is_generator(),
        ]
    )
