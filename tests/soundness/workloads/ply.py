from ply import lex, yacc

tokens = ("NAME", "NUMBER", "EQUALS", "PLUS", "MINUS", "TIMES", "LEFT", "RIGHT")
t_EQUALS = r"="
t_PLUS = r"\+"
t_MINUS = r"-"
t_TIMES = r"\*"
t_LEFT = r"\("
t_RIGHT = r"\)"
t_ignore = " \t"
precedence = (("left", "PLUS", "MINUS"), ("left", "TIMES"), ("right", "UMINUS"))
names = {}
wrong = []


def t_NAME(t):
    r"[a-z_]+"
    return t


def t_NUMBER(t):
    r"\d+"
    t.value = int(t.value)
    return t


def t_newline(t):
    r"\n+"
    t.lexer.lineno += t.value.count("\n")


def t_error(t):
    wrong.append((t.lineno, t.value[0]))
    t.lexer.skip(1)


def p_statement_assign(p):
    "statement : NAME EQUALS expression"
    names[p[1]] = p[3]
    p[0] = p[1]


def p_statement_expression(p):
    "statement : expression"
    p[0] = p[1]


def p_expression_binary(p):
    """expression : expression PLUS expression
    | expression MINUS expression
    | expression TIMES expression"""
    p[0] = (p[2], p[1], p[3])


def p_expression_minus(p):
    "expression : MINUS expression %prec UMINUS"
    p[0] = ("neg", p[2])


def p_expression_group(p):
    "expression : LEFT expression RIGHT"
    p[0] = p[2]


def p_expression_atom(p):
    """expression : NUMBER
    | NAME"""
    p[0] = names.get(p[1], p[1])


def p_error(p):
    wrong.append((p.lineno, p.value) if p else None)


def run(case):
    names.clear()
    wrong.clear()
    lexer = lex.lex()
    parser = yacc.yacc(write_tables=False, debug=False)
    texts = ["a = 1 + 2 * 3", "b = -(a - 4) * a", "b ? + \n (", "7 - 2 - b"]
    found = [parser.parse(text, lexer=lexer, tracking=bool(case)) for text in texts[case:]]
    return f"{found} {sorted(names.items())} {wrong}"
