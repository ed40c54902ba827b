import pyparsing as pp


def grammar():
    number = pp.pyparsing_common.number()
    name = pp.Word(pp.alphas, pp.alphanums + "_")
    call = pp.Forward()
    operand = pp.Group(call) | number | name
    call <<= (
        name("function")
        + pp.Suppress("(")
        + pp.Optional(pp.DelimitedList(operand))
        + pp.Suppress(")")
    )
    return pp.infix_notation(
        operand,
        [
            (pp.Literal("-"), 1, pp.OpAssoc.RIGHT),
            (pp.one_of("* /"), 2, pp.OpAssoc.LEFT),
            (pp.one_of("+ -"), 2, pp.OpAssoc.LEFT),
        ],
    )


def run(case):
    expression = grammar()
    shown = [expression.parse_string(text).as_list() for text in ("1 + 2*x", "f(3, y) - -4")]
    if case:
        shown.append(expression.parse_string("g(h(1.5)) / 2", parse_all=True).dump())
    try:
        expression.parse_string("+", parse_all=True)
    except pp.ParseException as error:
        shown.append(str(error))
    quoted = pp.QuotedString('"', esc_char="\\").set_parse_action(lambda found: found[0].upper())
    return repr([shown, quoted.search_string('say "a\\"b" and "c"').as_list()])
