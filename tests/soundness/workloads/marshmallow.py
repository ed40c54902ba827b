import datetime

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates


class Person:
    def __init__(self, name, age):
        self.name, self.age = name, age

    def __repr__(self):
        return f"Person({self.name!r}, {self.age!r})"


class PersonSchema(Schema):
    name = fields.String(required=True, validate=validate.Length(min=2))
    age = fields.Integer(load_default=7)

    @validates("age")
    def check_age(self, value, **_):
        if value < 0:
            raise ValidationError("negative")

    @post_load
    def make(self, data, **_):
        return Person(**data)


class BookSchema(Schema):
    title = fields.String(data_key="t")
    author = fields.Nested(PersonSchema)
    day = fields.Date()
    tags = fields.List(fields.String(), dump_default=list)


def run(case):
    shown = [PersonSchema().load({"name": "Ada", "age": str(30 + case)})]
    try:
        PersonSchema().load({"name": "A", "age": -1, "odd": 1})
    except ValidationError as error:
        shown.append(error.messages)
    book = {"title": "T", "author": Person("Bob", case), "day": datetime.date(2020, 1, 2)}
    shown.append(BookSchema().dump(book))
    if case:
        shown.append(BookSchema(many=True, only=("title", "day")).dump([book, book]))
    return repr(shown)
