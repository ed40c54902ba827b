"""The ledger alone."""

from hypothesis import given
from hypothesis import strategies as st

from hitsave.hook import ExecutedSource, Ledger


def source(module: str, content: bytes = b"") -> ExecutedSource:
    return ExecutedSource(module, f"/{module}.py", content, False)


def test_what_was_never_executed_is_none() -> None:
    assert Ledger().get("absent") is None


def test_the_latest_execution_of_a_name_replaces_the_earlier() -> None:
    ledger = Ledger()
    ledger.keep(source("a", b"1"))
    ledger.keep(source("a", b"2"))
    assert ledger.get("a") == source("a", b"2")
    assert ledger.modules() == ("a",)


def test_forgetting_counts_as_a_change_and_forgetting_the_unknown_does_not() -> None:
    ledger = Ledger()
    ledger.keep(source("a"))
    before = ledger.generation()
    ledger.forget("b")
    assert ledger.generation() == before
    ledger.forget("a")
    assert ledger.generation() > before
    assert ledger.get("a") is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.binary(max_size=2))))
def test_the_ledger_agrees_with_a_dict_and_every_keep_is_a_generation(
    steps: list[tuple[bool, str, bytes]],
) -> None:
    ledger, model, generations = Ledger(), {}, [0]
    for keeps, module, content in steps:
        if keeps:
            model[module] = source(module, content)
            ledger.keep(model[module])
            generations.append(ledger.generation())
        else:
            model.pop(module, None)
            ledger.forget(module)
    assert {module: ledger.get(module) for module in ledger.modules()} == model
    assert generations == sorted(set(generations))
