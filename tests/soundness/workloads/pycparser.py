from pycparser import c_ast, c_generator, c_parser

TEXT = """
typedef unsigned long size;
struct point { int x, y; struct point *next; };
enum kind { A, B = 3 };
static int f(int a, const char *s, ...) {
    int t[3] = {1, 2, [2] = 5};
    for (int i = 0; i < a; i++) { if (t[i] > 1 && !s) continue; else t[i] <<= 2; }
    switch (a) { case 1: return -1; default: break; }
    do { a--; } while (a > 0);
    return (int) sizeof(size) + t[0] ? f(a - 1, s) : 0;
}
"""


class Names(c_ast.NodeVisitor):
    def __init__(self):
        self.found = []

    def visit_ID(self, node):
        self.found.append(node.name)

    def visit_FuncDef(self, node):
        self.found.append("def " + node.decl.name)
        self.generic_visit(node)


def run(case):
    text = TEXT + f"int last = {case};\n"
    tree = c_parser.CParser().parse(text, filename="a.c")
    names = Names()
    names.visit(tree)
    found = [c_generator.CGenerator().visit(tree), str(names.found)]
    for bad in ("int x", "int f( { }", "int a[;"):
        try:
            c_parser.CParser().parse(bad)
        except c_parser.ParseError as error:
            found.append(str(error))
    return "\n".join(found)
