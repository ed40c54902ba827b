"""scikit-learn: estimators.

Owns that the version of the library counts beside the fields of an estimator, as in its pickle:
what was learnt by one version is not meant for another. Refuses estimators that say themselves what
there is of them, and those of other libraries.
"""

import sys
from typing import Any

from hitsave.codec.declared import declares_fields
from hitsave.codec.instances import class_token, open_instance
from hitsave.codec.nodes import Context, Node, Opener


def opener_of(kind: type) -> Opener | None:
    """Return the opener of scikit-learn's own type `kind`; None for any other type."""
    base: Any = sys.modules.get("sklearn.base")
    is_estimator = base is not None and issubclass(kind, base.BaseEstimator)
    return _open_estimator if is_estimator and declares_fields(kind) else None


def _open_estimator(value: Any, context: Context) -> Node:
    version = sys.modules["sklearn"].__version__
    node = open_instance(value, class_token(type(value), context), None)
    return node._replace(tag="sklearn.estimator", children=(*node.children, version))
