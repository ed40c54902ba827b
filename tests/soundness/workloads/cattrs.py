import datetime
import enum

import attr
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override


class Kind(enum.Enum):
    A = "a"
    B = "b"


@attr.define
class Item:
    name: str
    price: float
    kind: Kind = Kind.A


@attr.define
class Basket:
    items: list[Item]
    when: datetime.date
    notes: dict[str, int] | None = None


@attr.define
class Other:
    weight: int


C = cattrs.Converter(forbid_extra_keys=True)
C.register_unstructure_hook(datetime.date, lambda d: d.isoformat())
C.register_structure_hook(datetime.date, lambda text, _: datetime.date.fromisoformat(text))
C.register_structure_hook(Item, make_dict_structure_fn(Item, C, price=override(rename="cost")))
C.register_unstructure_hook(
    Item, make_dict_unstructure_fn(Item, C, kind=override(omit_if_default=True))
)


def run(case):
    raw = {
        "items": [{"name": "x", "cost": "3.5", "kind": "b"}, {"name": "y", "cost": case}],
        "when": "2024-01-02",
    }
    found = [str(C.structure(raw, Basket)), str(C.unstructure(C.structure(raw, Basket)))]
    found.append(str(C.structure({"weight": case}, Other | Basket)))
    for bad in (
        {"items": [{"name": 1}], "when": "no"},
        {"items": [], "when": "2024-01-01", "z": 1},
    ):
        try:
            C.structure(bad, Basket)
        except Exception as error:
            found.append(str(cattrs.transform_error(error)))
    return str(found)
