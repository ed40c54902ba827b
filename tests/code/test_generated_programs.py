"""Generated programs: their scopes against CPython's own, edits of them against its compiler."""

import ast
import copy
import random
import symtable
import warnings
from collections.abc import Iterator
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import CodeType

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hitsave.code.analyze import analyze
from hitsave.code.definition import FunctionDefinition
from hitsave.code.records import pack_module, unpack_module
from hitsave.code.scope import Comprehension, Scope, Scopes

thorough = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))

# -- programs: functions and classes that bind and read a few names in every way ----------------

NAMES = ("a", "b", "c", "d")
GLOBALS = ("p", "q", "r")

names = st.sampled_from(NAMES + GLOBALS)


def _expressions(depth: int) -> st.SearchStrategy[str]:
    leaf = st.one_of(names, st.sampled_from(["1", "'text'", "None"]))
    if not depth:
        return leaf
    inner = _expressions(depth - 1)
    return st.one_of(
        leaf,
        st.builds("({} + {})".format, inner, inner),
        st.builds("{}.{}".format, names, names),
        st.builds("({}).{}".format, inner, names),
        st.builds("{}({}, {}={})".format, names, inner, names, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, names, inner, inner),
        st.builds("{{{}: {} for {} in {} for {} in {}}}".format, *(names, inner) * 3),
        st.builds("any({} for {} in {})".format, inner, names, inner),
        st.builds("(lambda {}={}: {})".format, names, inner, inner),
        st.builds("({} := {})".format, names, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("({})['k']".format, inner),
        st.builds("({}).get('k', {})".format, inner, inner),
        st.builds("(yield {})".format, inner),
    )


expressions = _expressions(2)


def _indent(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


def _simple() -> st.SearchStrategy[list[str]]:
    line = st.one_of(
        st.builds("{} = {}".format, names, expressions),
        st.builds("{}, *{} = {}".format, names, names, expressions),
        st.builds("{} += {}".format, names, expressions),
        st.builds("{}: int".format, names),
        st.builds("({}): int".format, names),
        st.builds("{}: {} = {}".format, names, names, expressions),
        st.builds("{}.{} = {}".format, names, names, expressions),
        st.builds("{}[{}] = {}".format, names, expressions, expressions),
        st.builds("del {}".format, names),
        st.builds("print({})".format, expressions),
        st.builds("import {}.{}".format, names, names),
        st.builds("import {}.{} as {}".format, names, names, names),
        st.builds("from {} import {} as {}".format, names, names, names),
        st.builds("assert {}, {}".format, expressions, expressions),
    )
    return line.map(lambda text: [text])


def _head(head: str, body: list[str]) -> list[str]:
    return [head, *_indent(body or ["pass"])]


def _compound(block: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    heads = st.one_of(
        st.builds("if {}:".format, expressions),
        st.builds("for {} in {}:".format, names, expressions),
        st.builds("for {}[{}] in {}:".format, names, names, expressions),
        st.builds("while {}:".format, expressions),
        st.builds("with {} as {}:".format, expressions, names),
        st.builds("class {}({}, x={}):".format, names, expressions, expressions),
        st.builds("def {}({}, *, {}={}):".format, names, names, st.just("k"), expressions),
        st.builds("def {}(*{}, **{}) -> {}:".format, names, st.just("s"), st.just("t"), names),
    )
    return st.builds(_head, heads, block)


def _pairs(block: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    tries = st.builds(
        lambda body, kind, name, handler: [
            *_head("try:", body),
            *_head(f"except {kind} as {name}:", handler),
        ],
        *(block, names, names, block),
    )
    matches = st.builds(
        lambda subject, kind, first, second, rest, body: [
            f"match {subject}:",
            *_indent(_head(f"case {kind}({first}, a={second}):", body)),
            *_indent(_head(f"case [{first}, *{rest}]:", body)),
            *_indent(_head(f"case {{'k': {first}, **{rest}}}:", body)),
        ],
        *(expressions, names, names, names, names, block),
    )
    decorated = st.builds(
        lambda decorator, name, body: [f"@{decorator}", *_head(f"def {name}():", body)],
        *(expressions, names, block),
    )
    return st.one_of(tries, matches, decorated)


def _join(statements: list[list[str]]) -> list[str]:
    return [line for statement in statements for line in statement]


def _blocks(depth: int) -> st.SearchStrategy[list[str]]:
    statement = _simple()
    if depth:
        inner = _blocks(depth - 1)
        statement = st.one_of(_simple(), _compound(inner), _pairs(inner))
    return st.lists(statement, max_size=3).map(_join)


def _declared(declarations: list[str], body: list[str]) -> list[str]:
    return [*declarations, *body]


declarations = st.lists(
    st.one_of(st.builds("global {}".format, names), st.builds("nonlocal {}".format, names)),
    max_size=1,
)

functions = st.builds(
    lambda outer, middle, inner, rest: (
        "\n".join(
            [
                "def outer(a):",
                *_indent(outer),
                "    b = 1",
                *_indent(_head("def middle(c):", [*middle, *_head("def inner():", inner)])),
                *_indent(rest),
            ]
        )
        + "\n"
    ),
    _blocks(2),
    st.builds(_declared, declarations, _blocks(1)),
    st.builds(_declared, declarations, _blocks(1)),
    _blocks(1),
)
"""Sources of a module with one function, `outer`, of which not every one compiles."""


# -- scopes -------------------------------------------------------------------------------------

MADE = "made"
"""Stands for the list, set or dict that a comprehension makes."""


class _Generating(ast.NodeTransformer):
    """Makes every comprehension a generator expression, which binds and reads the same names.

    From Python 3.12 only those have symbol tables of their own.
    """

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        self.generic_visit(node)
        generator = ast.GeneratorExp(node.elt, node.generators)
        return ast.Call(ast.Name(MADE, ast.Load()), [generator], [])

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        self.generic_visit(node)
        generator = ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators)
        return ast.Call(ast.Name(MADE, ast.Load()), [generator], [])


def _table(tree: ast.Module) -> symtable.SymbolTable:
    generating = _Generating().visit(copy.deepcopy(tree))
    return symtable.symtable(ast.unparse(generating), "generated", "exec")


def _compiles(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "generated", "exec")
    except SyntaxError:
        return False
    return True


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _tables(child)


def _key(table: symtable.SymbolTable) -> tuple[str, str, int]:
    kind = "class" if table.get_type() == "class" else "function"
    return kind, table.get_name(), table.get_lineno()


def _expected(tree: ast.Module) -> dict[tuple[str, str, int], list[set[str]]]:
    """The local names of every scope, by kind, name and line; those of one line as a list."""
    found: dict[tuple[str, str, int], list[set[str]]] = {}
    for table in _tables(_table(tree)):
        local = {s.get_name() for s in table.get_symbols() if s.is_local()}
        found.setdefault(_key(table), []).append({n for n in local if not n.startswith(".")})
    return found


def _actual(tree: ast.Module) -> dict[tuple[str, str, int], list[set[str]]]:
    scopes = Scopes(tree)
    found: dict[tuple[str, str, int], list[set[str]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef, Comprehension)):
            scope = scopes[node]
            name = getattr(node, "name", "genexpr")
            name = "lambda" if isinstance(node, ast.Lambda) else name
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            found.setdefault((kind, name, node.lineno), []).append(_locals_of(scope))
    return found


def _locals_of(scope: Scope) -> set[str]:
    every = scope.parameters | scope.stored | scope.named | scope.imports.keys()
    return {name for name in every if scope.binds(name)}


def _sorted(found: dict[tuple[str, str, int], list[set[str]]]) -> object:
    return {key: sorted(map(sorted, scopes)) for key, scopes in found.items()}


@thorough
@given(functions)
def test_every_scope_binds_what_cpython_says_it_binds(source: str) -> None:
    assume(_compiles(source))
    tree = ast.parse(ast.unparse(ast.parse(source)))  # on the lines of what it is compared with
    assert _sorted(_actual(tree)) == _sorted(_expected(tree)), source


class _Unannotated(ast.NodeTransformer):
    """Takes out annotations, which count apart from the body."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        if not node.decorator_list:
            node.returns = None
        return node


def _adds_to_name(node: ast.AST) -> bool:
    return isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)


def _globals_read(table: symtable.SymbolTable) -> set[str]:
    """The names that code of a function reads from the module, its inner scopes included."""
    own = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    if table.get_type() == "class":
        # Until the class body has bound a name, it means the global.
        own |= {s.get_name() for s in table.get_symbols() if s.is_local() and s.is_referenced()}
    return own.union(*(_globals_read(child) for child in table.get_children()))


@thorough
@given(functions)
def test_a_body_refers_to_the_globals_that_cpython_says_it_reads(source: str) -> None:
    assume(_compiles(source))
    plain = ast.unparse(_Unannotated().visit(ast.parse(source)))
    (outer,) = _table(ast.parse(plain)).get_children()
    (definition,) = analyze(plain.encode()).functions["outer"]
    found = {chain.names[0] for chain in definition.body.references.chains}
    expected = _globals_read(outer) - {MADE}
    assert expected <= found, source
    # `x += 1` reads x too, which a symbol table does not say.
    tree = ast.parse(source)
    added = {n.target.id for n in ast.walk(tree) if _adds_to_name(n)}  # type: ignore[attr-defined]
    assert found <= expected | added, source


# -- edits ---------------------------------------------------------------------------------------


def mutated(tree: ast.Module, choose: random.Random) -> ast.Module:
    """Return a copy of `tree` with one small edit; it may not compile, or be no different."""
    copied = copy.deepcopy(tree)
    edits = [_edit_field, _edit_list, _edit_list, _replace_expression, _join_in_list, _wrap]
    choose.choice(edits)(copied, choose)
    return ast.fix_missing_locations(copied)


def _nodes(tree: ast.Module, kind: type[ast.AST] = ast.AST) -> list[ast.AST]:
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def _edit_field(tree: ast.Module, choose: random.Random) -> None:
    """Change an identifier, a constant or an operator."""
    places = [(n, f) for n in _nodes(tree) for f in n._fields if _is_plain(getattr(n, f, None))]
    node, field = choose.choice(places)
    value = getattr(node, field)
    if isinstance(value, ast.operator):
        setattr(node, field, choose.choice([ast.Add(), ast.Sub(), ast.BitOr()]))
    elif isinstance(node, ast.Constant):
        node.value = choose.choice([0, 1, 1.0, True, "", "text", b"text", None, ..., 1j, "1"])
    elif isinstance(value, str):
        setattr(node, field, choose.choice(NAMES + GLOBALS))


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, ast.operator, int, float)) and value != "outer"


def _lists(tree: ast.Module) -> list[list[ast.AST]]:
    every = (getattr(n, f, None) for n in _nodes(tree) if n is not tree for f in n._fields)
    return [value for value in every if isinstance(value, list) and value]


def _edit_list(tree: ast.Module, choose: random.Random) -> None:
    """Drop, repeat, swap or move an element of a list."""
    values = choose.choice(_lists(tree))
    first, second = choose.randrange(len(values)), choose.randrange(len(values))
    match choose.randrange(4):
        case 0:
            del values[first]
        case 1:
            values.insert(second, copy.deepcopy(values[first]))
        case 2:
            values[first], values[second] = values[second], values[first]
        case _:
            others = choose.choice(_lists(tree))
            others.append(values.pop(first))


def _join_in_list(tree: ast.Module, choose: random.Random) -> None:
    """Make `x, a` into `x.a`, `x(a)` or `x[a]`."""
    pairs = [
        (values, position)
        for values in _lists(tree)
        for position in range(len(values) - 1)
        if all(isinstance(value, ast.expr) for value in values)
    ]
    if pairs:
        values, position = choose.choice(pairs)
        first, second = values[position : position + 2]
        assert isinstance(first, ast.expr)
        assert isinstance(second, ast.expr)
        values[position : position + 2] = [_joined(first, second, choose)]


def _joined(first: ast.expr, second: ast.expr, choose: random.Random) -> ast.expr:
    if isinstance(second, ast.Name) and choose.random() < 0.6:
        return ast.Attribute(first, second.id, ast.Load())
    if choose.random() < 0.5:
        return ast.Call(first, [second], [])
    return ast.Subscript(first, second, ast.Load())


def _replace_expression(tree: ast.Module, choose: random.Random) -> None:
    """Put one expression of the tree in the place of another."""
    places = [
        (n, f) for n in _nodes(tree) for f in n._fields if isinstance(getattr(n, f, None), ast.expr)
    ]
    if places:
        node, field = choose.choice(places)
        setattr(node, field, copy.deepcopy(choose.choice(_nodes(tree, ast.expr))))


def _wrap(tree: ast.Module, choose: random.Random) -> None:
    """Put an expression inside another kind of expression."""
    places = [
        (n, f) for n in _nodes(tree) for f in n._fields if isinstance(getattr(n, f, None), ast.expr)
    ]
    if places:
        node, field = choose.choice(places)
        value = getattr(node, field)
        wrapped = [
            ast.Tuple([value], ast.Load()),
            ast.List([value], ast.Load()),
            ast.Attribute(value, choose.choice(NAMES + GLOBALS), ast.Load()),
            ast.UnaryOp(ast.Not(), value),
            ast.Call(value, [], []),
            ast.Lambda(ast.arguments([], [], None, [], [], None, []), value),
        ]
        setattr(node, field, choose.choice(wrapped))


# -- what a tree compiles to --------------------------------------------------------------------


def compiled(tree: ast.Module) -> object | None:
    """Return what a tree compiles to, but for positions, docstrings, annotations and the names of
    locals that no parameter or inner scope has; None where it does not compile."""
    try:
        # Through text: a tree made by hand can say what no source says.
        source = ast.unparse(_Bare().visit(copy.deepcopy(tree)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _essence(compile(source, "generated", "exec", optimize=0))
    except (SyntaxError, ValueError, TypeError, AttributeError):
        return None


def _is_source(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


class _Bare(ast.NodeTransformer):
    """Takes out docstrings, idle constants and `pass`, and annotations that leave no trace."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and len(body) > 1:
                body[:] = [n for n in body if not isinstance(n, ast.Pass)] or [ast.Pass()]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        return ast.Pass() if isinstance(node.value, ast.Constant) else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if not node.decorator_list:
            node.returns = None
        return node


def _essence(value: object) -> object:
    if isinstance(value, CodeType):
        parameters = value.co_argcount + value.co_kwonlyargcount
        parameters += bool(value.co_flags & CO_VARARGS) + bool(value.co_flags & CO_VARKEYWORDS)
        return (
            *(value.co_name, value.co_argcount, value.co_posonlyargcount),
            *(value.co_kwonlyargcount, value.co_flags, value.co_names),
            # Other locals are numbered in the code.
            value.co_varnames[:parameters],
            *(value.co_freevars, value.co_cellvars, value.co_code, value.co_exceptiontable),
            tuple(map(_essence, value.co_consts)),
        )
    if isinstance(value, tuple):
        return tuple(map(_essence, value))
    return type(value), repr(value)


# -- digests -------------------------------------------------------------------------------------


def _outer(source: str) -> FunctionDefinition:
    (found,) = analyze(source.encode()).functions["outer"]
    return found


def _digests(source: str) -> tuple[bytes, ...]:
    found = _outer(source)
    return found.header.digest, *(d.digest for d in found.decorators), found.body.digest


@thorough
@given(functions, st.randoms(use_true_random=False))
def test_code_that_compiles_to_something_else_has_another_digest(
    source: str, choose: random.Random
) -> None:
    tree = ast.parse(source)
    before = compiled(tree)
    assume(before is not None)
    edited = mutated(tree, choose)
    after = compiled(edited)
    assume(after is not None and after != before)
    text = ast.unparse(edited)
    # A tree made by hand can also be written as what no tree comes from.
    assume(_is_source(text))
    assert _digests(text) != _digests(source), f"{source}\n---\n{text}"


@thorough
@given(functions)
def test_layout_leaves_no_trace(source: str) -> None:
    commented = "".join(f"{line}  # a comment\n\n" for line in source.splitlines())
    assert _digests(commented) == _digests(source)
    assert _digests(ast.unparse(ast.parse(source))) == _digests(source)


class _Noted(ast.NodeTransformer):
    """Adds docstrings to functions and classes, and annotates plain assignments in functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(ast.Constant("About {a.b} and b.")))
        if not node.decorator_list and node.returns is None:
            node.returns = ast.Name("note", ast.Load())
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node  # the annotations of classes count

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Name):
            return ast.AnnAssign(target, ast.Name("note", ast.Load()), node.value, simple=1)
        return node


@thorough
@given(functions)
def test_docstrings_and_local_annotations_leave_no_trace(source: str) -> None:
    tree = _Noted().visit(ast.parse(source))
    noted = ast.unparse(ast.fix_missing_locations(tree))
    assume("global" not in source)  # what is declared global cannot be annotated
    assume("nonlocal" not in source)
    assert _digests(noted) == _digests(source), noted


@thorough
@given(functions)
def test_names_that_nothing_else_can_see_leave_no_trace(source: str) -> None:
    tree = ast.parse(source)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    hidden = Scopes(tree)[function].renameable()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in hidden:
            node.id = "renamed_" + node.id
    assert _digests(ast.unparse(tree)) == _digests(source), source


@thorough
@given(functions)
def test_a_record_survives_packing(source: str) -> None:
    record = analyze(source.encode())
    assert unpack_module(pack_module(record)) == record
