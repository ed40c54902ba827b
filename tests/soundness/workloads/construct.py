from construct import (
    Array,
    Byte,
    Bytes,
    Computed,
    Const,
    Enum,
    GreedyBytes,
    If,
    Int16ub,
    Int32ul,
    PascalString,
    Prefixed,
    Struct,
    Switch,
    VarInt,
    this,
)

FORMAT = Struct(
    "magic" / Const(b"HS"),
    "kind" / Enum(Byte, one=1, two=2),
    "count" / Int16ub,
    "numbers" / Array(this.count, Int32ul),
    "total" / Computed(lambda context: sum(context.numbers)),
    "name" / PascalString(Byte, "utf8"),
    "extra" / Switch(this.kind, {"one": VarInt, "two": Bytes(2)}),
    "rest" / If(this.count > 1, Prefixed(Byte, GreedyBytes)),
)


def run(case):
    data = {
        "kind": ("one", "two")[case],
        "count": 1 + case,
        "numbers": [5] * (1 + case),
        "name": "naïve",
    }
    data |= {"extra": b"xy" if case else 300, "rest": b"tail"}
    packed = FORMAT.build(data)
    parsed = FORMAT.parse(packed)
    return repr([packed, str(parsed), parsed.total, parsed.extra])
