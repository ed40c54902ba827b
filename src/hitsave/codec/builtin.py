"""Openers of the types that Python itself is made of.

Owns containers, buffers, functions, methods and modules. Refuses types that live in a module of
the standard library: those are in `standard`.
"""

import functools
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, ItemsView, Iterable, Sequence
from gc import get_referents
from itertools import chain

from hitsave.codec.naming import external_name, module_name
from hitsave.codec.nodes import Context, Node, Opener, field_steps, index_step
from hitsave.codec.summary import summarize
from hitsave.errors import NotDigestibleError
from hitsave.raw import is_made_module, namespace_of


def open_list(value: list[object], _: Context) -> Node:
    return Node("list", list.copy(value), index_step, mutable=True)


def open_tuple(value: tuple[object, ...], _: Context) -> Node:
    return Node("tuple", tuple.__add__((), value), index_step)


def open_dict(value: dict[object, object], _: Context) -> Node:
    return pairs_node("dict", list(dict.items(value)))


def pairs_node(tag: str, items: Sequence[tuple[object, object]], *extra: object) -> Node:
    """Return the node of a mapping's `items`, `extra` children after them."""
    children = [*chain.from_iterable(items), *extra]

    def step(position: int) -> str:
        if position % 2 == 0 or position >= 2 * len(items):
            return ""
        return f"[{summarize(children[position - 1], 60)}]"

    return Node(tag, children, step, mutable=True)


def open_view(value: Iterable[object], _: Context) -> Node:
    """Open the keys or the values of a dict, which change with it."""
    return Node(type(value).__name__, list(value), mutable=True)


def open_items(value: "ItemsView[object, object]", _: Context) -> Node:
    return pairs_node("dict_items", list(value))


def open_set(value: set[object], _: Context) -> Node:
    return Node("set", list(set.__iter__(value)), lambda _: "", mutable=True, ordered=False)


def open_frozenset(value: frozenset[object], _: Context) -> Node:
    return Node("frozenset", list(frozenset.__iter__(value)), lambda _: "", ordered=False)


def open_large_text(value: str, _: Context) -> Node:
    content = str.encode(value, "utf-8", "surrogatepass")
    return Node("str", (len(content),), buffers=(content,), size=len(content))


def open_large_bytes(value: bytes, _: Context) -> Node:
    return Node("bytes", (len(value),), buffers=(value,), size=len(value))


def open_bytearray(value: bytearray, _: Context) -> Node:
    size = bytearray.__len__(value)
    return Node("bytearray", (size,), mutable=True, buffers=(memoryview(value),), size=size)


def open_memoryview(value: memoryview, _: Context) -> Node:
    content = value if value.c_contiguous else value.tobytes()
    children = (value.format, value.shape, value.readonly, value.nbytes)
    flat = memoryview(content).cast("B") if value.nbytes else b""
    return Node("memoryview", children, mutable=True, buffers=(flat,), size=value.nbytes)


def open_range(value: range, _: Context) -> Node:
    return Node("range", (value.start, value.stop, value.step))


def open_slice(value: slice, _: Context) -> Node:
    return Node("slice", (value.start, value.stop, value.step), field_steps(_SLICE))


_SLICE = ("start", "stop", "step")


def open_not_implemented(_: object, __: Context) -> Node:
    return Node("NotImplemented")


def open_deque(value: "deque[object]", _: Context) -> Node:
    maximum = deque.__dict__["maxlen"].__get__(value)
    return Node("deque", [*deque.__iter__(value), maximum], index_step, mutable=True)


def open_ordered_dict(value: "OrderedDict[object, object]", _: Context) -> Node:
    names, contents = sorted_fields(value.__dict__)
    return pairs_node("OrderedDict", list(OrderedDict.items(value)), names, *contents)


def open_defaultdict(value: "defaultdict[object, object]", _: Context) -> Node:
    factory = defaultdict.__dict__["default_factory"].__get__(value)
    return pairs_node("defaultdict", list(dict.items(value)), factory)


def open_proxy(value: "types.MappingProxyType[object, object]", _: Context) -> Node:
    # Asking the proxy would run the code of a mapping that is not a dict.
    return Node("mappingproxy", get_referents(value), mutable=True)


def open_namespace(value: types.SimpleNamespace, _: Context) -> Node:
    names, contents = sorted_fields(types.SimpleNamespace.__dict__["__dict__"].__get__(value))
    return Node("SimpleNamespace", (names, *contents), field_steps(names, 1), mutable=True)


def sorted_fields(
    fields: dict[str, object],
) -> tuple[tuple[str, ...], list[object]]:
    """Return names and contents of an instance's `fields`, by name where all names are text."""
    items = list(dict.items(fields))
    if all(type(name) is str for name, _ in items):
        items.sort(key=lambda item: item[0])
    return tuple(name for name, _ in items), [content for _, content in items]


def open_function(value: types.FunctionType, context: Context) -> Node:
    name = context.name(value)
    if name is not None:
        return _project_function(name, value)
    wrapped = value.__dict__.get("__wrapped__")
    if type(wrapped) is types.FunctionType:
        module = value.__globals__.get("__name__")
        return Node("wrapper", (f"{module}:{value.__code__.co_qualname}", wrapped))
    return Node("function", (external_name(value.__module__, value.__qualname__),))


def _project_function(name: str, value: types.FunctionType) -> Node:
    cells = value.__closure__ or ()
    names = value.__code__.co_freevars
    return Node("function", (name, *cells), field_steps(names, 1), mutable=bool(cells))


def open_cell(value: types.CellType, _: Context) -> Node:
    try:
        return Node("cell", (value.cell_contents,))
    except ValueError:  # the name has no value yet
        return Node("cell")


def open_method(value: types.MethodType, context: Context) -> Node:
    name = context.method_name(value)
    if name is not None:
        return Node("function", (name,))
    return Node("method", (value.__func__, value.__self__), field_steps(_METHOD))


_METHOD = ("__func__", "__self__")


def open_builtin_function(value: types.BuiltinFunctionType, context: Context) -> Node:
    owner = value.__self__
    if owner is None or type(owner) is types.ModuleType:
        return Node("function", (external_name(value.__module__, value.__qualname__),))
    name = context.method_name(value)
    if name is not None:
        return Node("function", (name,))
    return Node("builtin-method", (value.__name__, owner), field_steps(_METHOD))


def open_method_wrapper(value: types.MethodWrapperType, _: Context) -> Node:
    return Node("builtin-method", (value.__name__, value.__self__), field_steps(_METHOD))


def open_descriptor(value: types.MethodDescriptorType, _: Context) -> Node:
    return Node("descriptor", (value.__name__, value.__objclass__))


def open_partial(value: "functools.partial[object]", _: Context) -> Node:
    names, contents = sorted_fields(value.__dict__)
    children = (value.func, value.args, value.keywords, names, *contents)
    return Node("partial", children, field_steps(("func", "args", "keywords")), mutable=True)


def open_wrapped_method(value: "staticmethod[..., object]", _: Context) -> Node:
    return Node(type(value).__name__, (value.__func__,), field_steps(("__func__",)))


def open_property(value: property, _: Context) -> Node:
    children = (value.fget, value.fset, value.fdel, value.__doc__)
    return Node("property", children, field_steps(("fget", "fset", "fdel", "__doc__")))


def open_lru_cache(value: object, _: Context) -> Node:
    wrapped = vars(value)["__wrapped__"]
    return Node("wrapper", ("functools:lru_cache", wrapped), field_steps(("", "__wrapped__")))


def _names_in(module: types.ModuleType) -> ItemsView[str, object]:
    return dict.items(namespace_of(module) or {})


def open_module(value: types.ModuleType, context: Context) -> Node:
    if is_made_module(value):
        # All modules have `__builtins__` once code was executed in them.
        held = {name: each for name, each in _names_in(value) if name != "__builtins__"}
        names, contents = sorted_fields(held)
        return Node("made module", (names, *contents), field_steps(names, 1), mutable=True)
    name = context.name(value)
    return Node("module", (name or external_name(module_name(value), ""),))


def open_alias(value: types.GenericAlias, _: Context) -> Node:
    return Node("alias", (value.__origin__, value.__args__, value.__unpacked__))


def open_union(value: types.UnionType, _: Context) -> Node:
    return Node("union", (value.__args__,))


def _refuse(what: str) -> Callable[[object, Context], Node]:
    def refuse(_: object, __: Context) -> Node:
        raise NotDigestibleError(
            f"{what} has no digest.", "Leave it out with ignore, or pass what it is made from."
        )

    return refuse


BUILTIN: dict[type, Opener] = {
    list: open_list,
    tuple: open_tuple,
    dict: open_dict,
    type({}.keys()): open_view,
    type({}.values()): open_view,
    type({}.items()): open_items,
    set: open_set,
    frozenset: open_frozenset,
    str: open_large_text,
    bytes: open_large_bytes,
    bytearray: open_bytearray,
    memoryview: open_memoryview,
    range: open_range,
    slice: open_slice,
    types.NotImplementedType: open_not_implemented,
    deque: open_deque,
    OrderedDict: open_ordered_dict,
    defaultdict: open_defaultdict,
    types.MappingProxyType: open_proxy,
    types.SimpleNamespace: open_namespace,
    types.FunctionType: open_function,
    types.CellType: open_cell,
    types.MethodType: open_method,
    types.BuiltinFunctionType: open_builtin_function,
    types.MethodWrapperType: open_method_wrapper,
    types.MethodDescriptorType: open_descriptor,
    types.ClassMethodDescriptorType: open_descriptor,
    types.WrapperDescriptorType: open_descriptor,
    types.GetSetDescriptorType: open_descriptor,
    types.MemberDescriptorType: open_descriptor,
    functools.partial: open_partial,
    functools._lru_cache_wrapper: open_lru_cache,
    staticmethod: open_wrapped_method,
    classmethod: open_wrapped_method,
    property: open_property,
    types.ModuleType: open_module,
    types.GenericAlias: open_alias,
    types.UnionType: open_union,
    types.GeneratorType: _refuse("A generator"),
    types.CoroutineType: _refuse("A coroutine"),
    types.AsyncGeneratorType: _refuse("An asynchronous generator"),
    types.FrameType: _refuse("A frame"),
    types.TracebackType: _refuse("A traceback"),
}
