"""What lambdas go by in symbols."""

import pytest

from hitsave.code.analyze import analyze


def labels(source: str, name: str = "<lambda>") -> list[str]:
    found = analyze(source.encode()).functions
    return [definition.label for definition in found[name]]


@pytest.mark.parametrize(
    ("statement", "label"),
    [
        ("inc = lambda x: x", "inc.<lambda>"),
        ("inc: object = lambda x: x", "inc.<lambda>"),
        ("inc = wrap(lambda x: x)", "inc.<lambda>"),
        ("print(inc := lambda x: x)", "inc.<lambda>"),
        ("TABLE = {'inc': lambda x: x}", "TABLE['inc'].<lambda>"),
        ("TABLE = {'a': {5: lambda x: x}}", "TABLE['a'][5].<lambda>"),
        ("TABLE = {KEY: lambda x: x}", "TABLE.<lambda>"),
        ("TABLE['inc'] = lambda x: x", "TABLE['inc'].<lambda>"),
        ("TABLE[KEY] = lambda x: x", "TABLE.<lambda>"),
        ("tools.inc = lambda x: x", "tools.inc.<lambda>"),
        ("TABLE = dict(inc=lambda x: x)", "TABLE.inc.<lambda>"),
        ("register('inc', lambda x: x)", "register('inc').<lambda>"),
        ("tools.register(lambda x: x)", "tools.register().<lambda>"),
        ("def f(by=lambda x: x): pass", "f.<lambda>"),
        ("if FAST:\n    inc = lambda x: x", "inc.<lambda>"),
        ("if (lambda x: x)(1): pass", "<lambda>"),
    ],
)
def test_a_lambda_is_called_after_what_it_is_bound_to(statement: str, label: str) -> None:
    assert labels(statement) == [label]


def test_a_key_too_long_to_read_tells_nothing() -> None:
    assert labels(f"TABLE = {{'{'k' * 100}': lambda: 1}}") == ["TABLE.<lambda>"]
    assert labels(f"TABLE = {{0x1{'0' * 5000}: lambda: 1}}") == ["TABLE.<lambda>"]


def test_those_of_one_label_are_numbered() -> None:
    assert labels("a = [lambda: 1, lambda: 2]") == ["a.<lambda>", "a.<lambda>#2"]
    assert labels("a = lambda: 1\na = lambda: 2") == ["a.<lambda>", "a.<lambda>#2"]


def test_those_in_classes_functions_and_lambdas() -> None:
    source = "class K:\n    go = lambda self: 1\n    x = field(default_factory=lambda: [])\n"
    assert labels(source, "K.<lambda>") == ["K.go.<lambda>", "K.x.default_factory.<lambda>"]
    source = "def f():\n    a = lambda: 1\n    return lambda: 2\n"
    found = labels(source, "f.<locals>.<lambda>")
    assert found == ["f.<locals>.<lambda>", "f.<locals>.<lambda>#2"]
    source = "a = lambda: 1\nb = lambda: lambda: 2\n"
    assert labels(source, "<lambda>.<locals>.<lambda>") == ["b.<lambda>.<locals>.<lambda>"]


def test_no_two_functions_of_a_module_have_one_label() -> None:
    source = (
        "class K:\n    go = lambda self: 1\nK.go = lambda self: 2\ndef f(): pass\ndef f(): pass\n"
    )
    found = analyze(source.encode()).functions.values()
    names = [definition.label for definitions in found for definition in definitions]
    assert sorted(names) == ["K.go.<lambda>", "K.go.<lambda>#2", "f", "f#2"]
