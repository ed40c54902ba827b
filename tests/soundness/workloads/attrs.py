import attr
from attr import converters, validators


@attr.s(auto_attribs=True, order=True)
class Point:
    x: int = attr.ib(converter=int)
    y: int = 0
    tags: list = attr.Factory(list)


@attr.define(slots=True)
class Named(Point):
    name: str = attr.field(default="none", validator=validators.instance_of(str))
    size: float = attr.field(default=1, converter=converters.optional(float), kw_only=True)

    @size.validator
    def _check(self, _, value):
        if value is not None and value < 0:
            raise ValueError("negative")


@attr.frozen
class Pair:
    left: Point
    right: Point


def run(case):
    pair = Pair(Point("3", case), Named(1, 2, ["t"], "n", size=4))
    shown = [pair, attr.asdict(pair), Point(1) < Point(2), attr.evolve(pair.left, y=9)]
    for make in (lambda: Named(1, name=3), lambda: Named(1, size=-1)):
        try:
            shown.append(make())
        except Exception as error:
            shown.append(type(error).__name__)
    if case:
        shown += [
            attr.astuple(pair),
            hash(Pair(1, 2)) == hash(Pair(1, 2)),
            [f.name for f in attr.fields(Named)],
        ]
    return repr(shown)
