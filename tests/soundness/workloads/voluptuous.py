import voluptuous as v


def named(value):
    if not str(value).isidentifier():
        raise v.Invalid("no name")
    return str(value)


SCHEMA = v.Schema(
    {
        v.Required("name"): v.All(str, v.Length(min=1, max=8), named),
        v.Optional("age", default=3): v.All(v.Coerce(int), v.Range(min=0, max=99)),
        "tags": [v.Any("a", "b", v.Match(r"^x\d$"))],
        v.Exclusive("one", "which"): v.Boolean(),
        v.Exclusive("two", "which"): v.Maybe(v.Url()),
        v.Inclusive("low", "range"): float,
        v.Inclusive("high", "range"): float,
        v.Extra: object,
    },
    required=False,
)
GOOD = [
    {"name": "ab", "age": "4", "tags": ["a", "x1"], "one": "yes"},
    {"name": "c", "two": "http://a.b/", "low": 1.0, "high": 2.0, "more": {1}},
]
BAD = [
    {"age": -1, "tags": ["c"]},
    {"name": "", "one": 1, "two": None},
    {"name": "a b", "low": 1.0, "age": "x"},
    [],
]


def run(case):
    found = [SCHEMA(each) for each in GOOD]
    for each in BAD[case:]:
        try:
            SCHEMA(each)
        except v.MultipleInvalid as error:
            found.append(sorted(map(str, error.errors)))
    wider = SCHEMA.extend({"name": v.In(["q"])}, extra=v.REMOVE_EXTRA)
    found.append(wider({"name": "q", "other": 1}))
    return str(found)
