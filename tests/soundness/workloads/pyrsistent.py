from pyrsistent import CheckedPVector, PRecord, field, freeze, inc, pmap, pset, pvector, thaw


class Numbers(CheckedPVector):
    __type__ = int


class Point(PRecord):
    x = field(type=int, mandatory=True)
    y = field(type=int, initial=0, invariant=lambda y: (y >= 0, "negative"))


def run(case):
    vector = pvector(range(40 + case)).set(3, "three").append(1)
    mapping = freeze({"a": {"b": [1, 2]}}).transform(["a", "b", 0], inc)
    point = Point(x=case).set(y=4)
    shown = [thaw(vector), thaw(mapping), point.x, point.y, sorted(pset([3, 1, 2]).add(7))]
    try:
        point.set(y=-1)
    except Exception as error:
        shown.append(type(error).__name__)
    if case:
        shown += [
            list(Numbers([1, 2]).extend([3])),
            sorted(pmap({"k": 1}).update({"l": 2}).items()),
        ]
    return repr(shown)
