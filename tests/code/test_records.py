"""Analysed records as bytes."""

import ast
import collections
import dataclasses
import typing
from pathlib import Path

import pytest

from hitsave.code.analyze import analyze
from hitsave.code.records import pack_module, unpack_module
from hitsave.errors import SourceError


@pytest.mark.parametrize("module", [ast, collections, dataclasses, typing])
def test_a_record_comes_back_as_it_was(module) -> None:
    record = analyze(Path(module.__file__).read_bytes())
    assert record.functions
    assert record.classes
    assert unpack_module(pack_module(record)) == record


@pytest.mark.parametrize(
    "source", [b"def f(:\n", b"x = '\x00'", b"# coding: nowhere\n", b"x = '\xff'", b"\x7fELF"]
)
def test_what_cannot_be_parsed_is_one_error(source: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be parsed"):
        analyze(source)
