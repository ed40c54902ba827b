import fastjsonschema

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
        "age": {"type": "integer", "minimum": 0, "multipleOf": 2, "default": 4},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True},
        "when": {"type": "string", "format": "date"},
        "more": {"anyOf": [{"type": "null"}, {"$ref": "#/definitions/more"}]},
    },
    "additionalProperties": False,
    "definitions": {"more": {"type": "object", "minProperties": 1}},
}
VALUES = (
    {"name": "ab"},
    {"name": "A"},
    {"age": 3},
    {"name": "ab", "age": -2},
    {"name": "ab", "age": 3},
    {"name": "ab", "tags": ["a", "a"]},
    {"name": "ab", "tags": ["c"]},
    {"name": "ab", "x": 1},
    {"name": "ab", "more": {}},
    {"name": "ab", "more": {"y": 1}},
    {"name": "ab", "when": "2020-13"},
    5,
)


def run(case):
    validate = fastjsonschema.compile(SCHEMA, use_default=bool(case % 2))
    shown = []
    for value in VALUES:
        try:
            shown.append(validate(dict(value) if isinstance(value, dict) else value))
        except fastjsonschema.JsonSchemaException as error:
            shown.append((error.message, error.path, error.rule))
    return repr([*shown, fastjsonschema.compile_to_code(SCHEMA)[-300:]])
