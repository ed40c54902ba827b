"""torch: tensors, dtypes and devices.

Owns what of a tensor counts: class, dtype, shape, device, elements, `requires_grad` and `grad`; not
strides. Refuses tensors without elements of their own, and those inside a graph of gradients, which
hold all that they were computed from. Modules count by their fields: see `declared`.
"""

import sys
from typing import Any

from hitsave.codec.library_digests.numpy import array_node
from hitsave.codec.nodes import Context, Node, Opener, field_steps
from hitsave.errors import NotDigestibleError
from hitsave.raw import class_name


def opener_of(kind: type) -> Opener | None:
    """Return the opener of torch's own type `kind`; None for any other type."""
    torch: Any = sys.modules["torch"]
    known: dict[type, Opener] = {
        torch.Tensor: _open_tensor,
        torch.nn.Parameter: _open_tensor,
        torch.nn.Buffer if hasattr(torch.nn, "Buffer") else torch.Tensor: _open_tensor,
        torch.Size: lambda value, _: Node("torch.Size", tuple(value)),
        torch.Generator: _open_generator,
    }
    texts = (torch.dtype, torch.device, torch.layout, torch.memory_format)
    return known.get(kind) or (_open_text if kind in texts else None)


def _open_text(value: Any, _: Context) -> Node:
    return Node("torch.text", (class_name(type(value))[1], str(value)))


def _open_generator(value: Any, _: Context) -> Node:
    return Node("torch.Generator", (str(value.device), value.get_state()), mutable=True)


def _open_tensor(value: Any, _: Context) -> Node:
    if not value.is_leaf:
        raise NotDigestibleError(
            "A tensor that a graph of gradients leads to has no digest.",
            "Pass tensor.detach(), or leave it out with ignore.",
        )
    if value.is_meta or value.is_quantized:
        raise NotDigestibleError("A tensor without elements of its own has no digest.", "")
    detached = value.detach()
    children = (
        class_name(type(value))[1],
        str(value.dtype),
        tuple(value.shape),
        str(value.device),
        str(value.layout),
        value.requires_grad,
        value.grad,
        *_elements(detached),
    )
    return Node("torch.Tensor", children, _STEPS, mutable=True)


_STEPS = field_steps(("", "dtype", "shape", "device", "layout", "requires_grad", "grad"))


def _elements(tensor: Any) -> tuple[object, ...]:
    torch: Any = sys.modules["torch"]
    if tensor.layout == torch.strided:
        return (_bytes_node(tensor),)
    if tensor.layout == torch.sparse_coo:
        whole = tensor.coalesce()
        return whole.indices(), whole.values()
    pair = ("ccol_indices", "row_indices")
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        pair = ("crow_indices", "col_indices")
    return (*(getattr(tensor, name)() for name in pair), tensor.values())


def _bytes_node(tensor: Any) -> Node:
    torch: Any = sys.modules["torch"]
    plain = tensor.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return array_node(plain.view(torch.uint8).numpy())
