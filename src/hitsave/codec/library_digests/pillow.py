"""Pillow: images.

Owns what of an image counts: class, mode, size, pixels, palette, `info`, and the format and name of
its file. Refuses images of several frames: looking at the others would move the image.
"""

import sys
from typing import Any

from hitsave.codec.nodes import Context, Node, Opener, field_steps
from hitsave.errors import NotDigestibleError
from hitsave.raw import class_name


def opener_of(kind: type) -> Opener | None:
    """Return the opener of Pillow's own type `kind`; None for any other type."""
    image: Any = sys.modules.get("PIL.Image")
    return _open_image if image is not None and issubclass(kind, image.Image) else None


def _open_image(value: Any, _: Context) -> Node:
    if getattr(value, "n_frames", 1) > 1:
        raise NotDigestibleError(
            "An image of several frames has no digest.",
            "Pass the bytes of its file, or one frame as image.copy().",
        )
    pixels = value.tobytes()
    children = (
        class_name(type(value))[1],
        value.mode,
        value.size,
        _palette(value),
        value.info,
        value.format,
        getattr(value, "filename", None),
        len(pixels),
    )
    return Node(
        "pillow.Image",
        children,
        _STEPS,
        mutable=True,
        buffers=(pixels,),
        size=len(pixels),
        owns=frozenset(vars(sys.modules["PIL.Image"].Image())),
    )


_STEPS = field_steps(("", "mode", "size", "palette", "info", "format", "filename"))


def _palette(value: Any) -> tuple[object, ...] | None:
    palette = value.palette
    return None if palette is None else (palette.mode, value.getpalette())
