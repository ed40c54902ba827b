from cerberus import Validator

SCHEMA = {
    "name": {"type": "string", "required": True, "minlength": 2, "regex": "[a-z]+"},
    "age": {"type": "integer", "min": 0, "coerce": int, "even": True},
    "tags": {"type": "list", "schema": {"type": "string", "allowed": ["a", "b"]}},
    "inner": {
        "type": "dict",
        "schema": {"x": {"type": "float", "default": 1.5}, "y": {"nullable": True}},
    },
    "either": {"anyof": [{"type": "string"}, {"type": "integer", "max": 3}]},
    "other": {"excludes": "either", "rename": "renamed"},
}
VALUES = (
    {"name": "ab", "age": "4"},
    {"name": "A"},
    {"age": 3},
    {"name": "ab", "age": "x"},
    {"name": "ab", "z": 1},
    {"name": "ab", "tags": ["a", "c"]},
    {"name": "ab", "inner": {"y": None}},
    {"name": "ab", "either": 5},
    {"name": "ab", "either": "s", "other": 1},
    {"name": "ab", "other": 1},
)


class Even(Validator):
    def _validate_even(self, even, field, value):
        """{'type': 'boolean'}"""
        if even and value % 2:
            self._error(field, "is odd")


def run(case):
    validator = Even(SCHEMA, allow_unknown=bool(case % 2))
    shown = []
    for value in VALUES:
        shown.append((validator.validate(value), validator.errors, validator.document))
        shown.append(sorted(str(error.schema_path) for error in validator._errors))
    return repr([*shown, validator.normalized({"name": "ab", "inner": {}})])
