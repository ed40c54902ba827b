"""Analysed records as bytes, so that an unchanged source is analysed once ever."""

from typing import Any

import msgpack

from hitsave.code.definition import (
    NOTHING,
    Binding,
    Chain,
    ClassDefinition,
    Dynamic,
    Effect,
    FunctionDefinition,
    ImportReference,
    ModuleRecord,
    Part,
    References,
    StarImport,
    Store,
)

SCHEMA = 20
"""Grows whenever the analyser or the shape of its records changes."""


def pack_module(record: ModuleRecord) -> bytes:
    """Encode a record."""
    return bytes(msgpack.packb((SCHEMA, record)) or b"")


def unpack_module(data: bytes) -> ModuleRecord:
    """Decode a record that `pack_module` of the same schema encoded."""
    _, record = msgpack.unpackb(data, use_list=False, strict_map_key=False)
    source, functions, classes, bindings, effects, stars, doc, lines = record
    return ModuleRecord(
        source,
        {name: tuple(map(_function, found)) for name, found in functions.items()},
        {name: tuple(map(_class, found)) for name, found in classes.items()},
        {name: tuple(map(_binding, found)) for name, found in bindings.items()},
        tuple(map(_effect, effects)),
        tuple(map(_star, stars)),
        doc,
        lines,
    )


def _references(raw: Any) -> References:
    chains, imports, attributes, dynamics, stores = raw
    if not (chains or imports or attributes or dynamics or stores):
        return NOTHING
    return References(
        tuple(Chain(*chain) for chain in chains),
        tuple(ImportReference(*reference) for reference in imports),
        attributes,
        tuple(Dynamic(*dynamic) for dynamic in dynamics),
        tuple(Store(*store) for store in stores),
    )


def _part(raw: Any) -> Part:
    digest, references, line, end_line = raw
    return Part(digest, _references(references), line, end_line)


def _function(raw: Any) -> FunctionDefinition:
    name, first_line, decorators, header, annotations, body, *rest = raw
    return FunctionDefinition(
        name,
        first_line,
        tuple(map(_part, decorators)),
        _part(header),
        _part(annotations),
        _part(body),
        *rest,
    )


def _binding(raw: Any) -> Binding:
    found = Binding(*raw)
    return found._replace(part=_part(found.part), condition=_condition(found.condition))


def _condition(raw: Any) -> Part | None:
    return None if raw is None else _part(raw)


def _star(raw: Any) -> StarImport:
    level, module, line, condition = raw
    return StarImport(level, module, line, _condition(condition))


def _effect(raw: Any) -> Effect:
    part, touches, driver, defines = raw
    return Effect(_part(part), touches, driver, tuple(defines))


def _class(raw: Any) -> ClassDefinition:
    name, first_line, decorators, head, annotations, bindings, effects, *rest = raw
    return ClassDefinition(
        name,
        first_line,
        tuple(map(_part, decorators)),
        _part(head),
        _part(annotations),
        tuple(map(_binding, bindings)),
        tuple(map(_effect, effects)),
        *rest,
    )
