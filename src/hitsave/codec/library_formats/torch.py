"""Formats of torch: tensors and parameters on the processor, their memory, dtypes and sizes.

Owns how tensors share memory: that is a value of its own, written once, read where it lies. Refuses
other devices and layouts, gradients, hooks and subclasses; modules go through pickle.
"""

import sys
from importlib import import_module
from typing import Any

from hitsave.codec.format import Blob, Format, NotStorableError
from hitsave.codec.library_formats.common import Finder, by_name


def _torch() -> Any:
    return import_module("torch")  # only a stored value of its asks for it


def _take_tensor(value: Any) -> list[Any]:
    if value.layout is not _torch().strided or value.device.type != "cpu" or _has_more(value):
        raise NotStorableError
    numbers = (value.storage_offset(), value.dim(), *value.size(), *value.stride())
    return [value.dtype, value.requires_grad, value.untyped_storage(), *numbers]


def _has_more(value: Any) -> bool:
    """Whether a tensor is more than its numbers."""
    if value.is_quantized or value.is_conj() or value.is_neg():
        return True
    if hasattr(value, "has_names") and value.has_names():
        return True
    if not value.is_leaf or value.grad is not None or value._backward_hooks:
        return True
    return bool(vars(value))


def _build_tensor(parts: list[Any]) -> Any:
    torch = _torch()
    kind, requires_grad, storage, offset, dimensions, *rest = parts
    sizes, strides = rest[:dimensions], rest[dimensions:]
    last = offset + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    # Found by the dtype's own tensor, since a hostile record may name any.
    tensor = torch.empty((0,), dtype=kind)
    if min(offset, *sizes, *strides, 0) < 0 or type(offset) is not int:
        raise ValueError("not the layout of a tensor")
    if 0 not in sizes and (last + 1) * tensor.element_size() > storage.nbytes():
        raise ValueError("a tensor that leads outside of its memory")
    if 0 in sizes and offset * tensor.element_size() > storage.nbytes():
        raise ValueError("a tensor that leads outside of its memory")
    tensor = tensor.set_(storage, offset, tuple(sizes), tuple(strides))
    return tensor.requires_grad_(requires_grad) if requires_grad else tensor


def _build_parameter(parts: list[Any]) -> Any:
    kind, requires_grad, *rest = parts
    return _torch().nn.Parameter(_build_tensor([kind, False, *rest]), requires_grad)


def _take_storage(value: Any) -> list[Any]:
    torch = _torch()
    if value.device.type != "cpu":
        raise NotStorableError
    size = value.nbytes()
    flat = torch.empty((0,), dtype=torch.uint8).set_(value, 0, (size,), (1,))
    return [Blob(memoryview(flat.numpy()) if size else b"")]


def _build_storage(parts: list[Any]) -> Any:
    torch = _torch()
    view = memoryview(parts[0])
    if not view.nbytes:
        return torch.UntypedStorage(0)
    content = bytearray(view) if view.readonly else view
    return torch.frombuffer(content, dtype=torch.uint8).untyped_storage()


def _build_dtype(parts: list[Any]) -> Any:
    found = vars(_torch()).get(parts[0])  # asking the module itself may import others
    if type(found) is not _torch().dtype:
        raise ValueError("not a dtype")
    return found


def _build_size(parts: list[Any]) -> Any:
    return _torch().Size(parts)


_TABLE = {
    "torch:Tensor": Format("torch.Tensor.1", _take_tensor, _build_tensor),
    "torch.nn:Parameter": Format("torch.Parameter.1", _take_tensor, _build_parameter),
    "torch:UntypedStorage": Format("torch.UntypedStorage.1", _take_storage, _build_storage),
    "torch:dtype": Format(
        "torch.dtype.1", lambda value: [str(value).partition(".")[2]], _build_dtype
    ),
    "torch:Size": Format("torch.Size.1", list, _build_size),
}
FORMATS = by_name(_TABLE)
_find = Finder(_TABLE)


def find_format(kind: type) -> Format | None:
    """Return the format of values of exactly the type `kind`."""
    return _find(kind) if "torch" in sys.modules else None
