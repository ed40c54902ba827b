from arpeggio import (
    EOF,
    NoMatch,
    OneOrMore,
    Optional,
    ParserPython,
    PTNodeVisitor,
    UnorderedGroup,
    ZeroOrMore,
    visit_parse_tree,
)
from arpeggio import RegExMatch as match
from arpeggio.cleanpeg import ParserPEG

GRAMMAR = """
items = list EOF
list = name ("," name)*
name = r'[a-z]+' / "<" list ">"
"""


def number():
    return match(r"\d*\.?\d+")


def factor():
    return Optional(["+", "-"]), [number, ("(", expression, ")")]


def term():
    return factor, ZeroOrMore(["*", "/"], factor)


def expression():
    return term, ZeroOrMore(["+", "-"], term)


def options():
    return UnorderedGroup("fast", Optional("loud"))


def calculation():
    return OneOrMore(expression, sep=";"), Optional(options), EOF


class Reckoner(PTNodeVisitor):
    def visit_number(self, node, _):
        return float(node.value)

    def visit_factor(self, _, children):
        return -children[-1] if children[0] == "-" else children[-1]

    def visit_term(self, _, children):
        found = children[0]
        for sign, other in zip(children[1::2], children[2::2], strict=True):
            found = found * other if sign == "*" else found / other
        return found

    def visit_expression(self, _, children):
        return sum(each for each in children if isinstance(each, float))

    def visit_calculation(self, node, children):
        return [str(each) for each in children], node.position, node.position_end


def run(case):
    parser = ParserPython(calculation, reduce_tree=bool(case), memoization=not case)
    tree = parser.parse("1 + 2 * (3 - .5); -4 / 2 loud fast")
    found = [str(tree), visit_parse_tree(tree, Reckoner(debug=False)) if not case else ""]
    peg = ParserPEG(GRAMMAR, "items", ignore_case=bool(case))
    found.append(str(peg.parse("a, <b>, c" if case else "a, b, c").tree_str()))
    for text in ("1 +", "1 2; x"):
        try:
            parser.parse(text)
        except NoMatch as error:
            found.append(str(error))
    return str(found)
