"""Classes of libraries that say which fields their instances have.

Owns which ones are opened by their fields, as the project's are: dataclasses, attrs classes,
pydantic models, estimators of scikit-learn and modules of torch. Refuses those that say themselves
what there is of an instance (`__getstate__`, `__reduce__`): they know best.
"""

import copyreg
from types import FunctionType

from hitsave.codec.instances import hides_state, mro_lookup
from hitsave.raw import class_name, mro_of

_MARKS = ("__dataclass_fields__", "__attrs_attrs__")
_BASES = frozenset(
    {
        ("pydantic.main", "BaseModel"),
        ("sklearn.base", "BaseEstimator"),
        ("torch.nn.modules.module", "Module"),
    }
)
_REDUCTIONS = ("__getstate__", "__getnewargs__", "__getnewargs_ex__", "__reduce__", "__reduce_ex__")

# Modules that write these methods for the classes that they make, over nothing but the fields.
_WRITERS = frozenset({"dataclasses", "attr._make", *(module for module, _ in _BASES)})


def declares_fields(kind: type) -> bool:
    """Whether the fields of an instance of `kind` are all there is of it."""
    bases = mro_of(kind)[:-1]
    is_declared = any(class_name(base) in _BASES for base in bases) or any(
        mro_lookup(kind, mark) is not None for mark in _MARKS
    )
    return is_declared and not hides_state(kind) and not _says_itself(kind)


def _says_itself(kind: type) -> bool:
    if kind in copyreg.dispatch_table:
        return True
    found = [mro_lookup(kind, name) for name in _REDUCTIONS]
    return any(
        method is not None
        and not (type(method) is FunctionType and method.__globals__.get("__name__") in _WRITERS)
        for method in found
    )
