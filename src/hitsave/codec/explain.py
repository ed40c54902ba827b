"""What was hashed, for looking at when two digests differ.

Owns the text form of a walk: a line for each object, with its path, tag, digest and scalars.
Refuses to be fast: plain data is walked object by object too.
"""

from hitsave.codec.nodes import Node
from hitsave.codec.plain import SCALARS
from hitsave.codec.summary import summarize
from hitsave.codec.walk import NameSymbol, Walk, digest_value
from hitsave.digest import short


def explain_digest(value: object, *, name_symbol: NameSymbol, reduce: bool = True) -> str:
    """Return what the digest of `value` is made of, one line for each object inside.

    The first line has the digest itself. The lines below have the digests of the parts, those
    that differ between two values lead to the difference; plain lists, dicts and tuples have
    other digests here than as parts of a larger one, since they are hashed there in one piece.
    Raises NotDigestibleError as `digest_value` does.
    """
    digest = digest_value(value, name_symbol=name_symbol, reduce=reduce).digest
    lines: list[str] = []

    def trace(path: str, node: Node, part: bytes) -> None:
        scalars = [summarize(child, 80) for child in node.children if type(child) in SCALARS]
        size = f" +{node.size} bytes" if node.size else ""
        lines.append(f"{short(part)} {path or '.'} {node.tag}({', '.join(scalars)}){size}")

    Walk(name_symbol, reduce, trace).run(value)
    return "\n".join([f"{digest.hex()} {summarize(value, 80)}", *reversed(lines)])
