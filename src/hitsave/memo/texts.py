"""Texts: the manifest of a call, and the source or value behind each of its dependencies.

Owns what has to be kept so that a later miss can be explained with a diff.
"""

from functools import lru_cache
from typing import Any

from hitsave.code.dependencies import Dependency, Manifest, pack_manifest
from hitsave.code.project import Module
from hitsave.code.symbol import Facet, Place
from hitsave.code.tracker import Tracked
from hitsave.codec import summarize
from hitsave.digest import digest_parts
from hitsave.session import Session
from hitsave.store import Table, Write

TEXT_LIMIT = 100_000
"""The longest text kept of one dependency, in characters."""


def text_writes(session: Session, tracked: Tracked) -> list[Write]:
    """Return what is to be written so that `tracked` can be compared with later."""
    store = session.store
    if store.get(Table.MANIFESTS, tracked.digest) is not None:
        return []
    code, outside = tracked.code, tracked.outside.dependencies
    if not outside:
        return _code_writes(session, tracked)
    manifest = code.manifest._replace(dependencies=outside, reached=tracked.reached)
    writes = _manifest_writes(session, tracked, tracked.digest, manifest, code.digest)
    if store.get(Table.MANIFESTS, code.digest) is None:
        # Once for all calls that differ in nothing but what they read.
        writes += _code_writes(session, tracked)
    return writes


def _code_writes(session: Session, tracked: Tracked) -> list[Write]:
    # What only misses need is loaded by the first of them.
    from hitsave.memo.imported import imported_write

    code, imported = tracked.code, imported_write(session)
    manifest = code.manifest._replace(imported=imported.key)
    return [imported, *_manifest_writes(session, tracked, code.digest, manifest)]


def _manifest_writes(
    session: Session, tracked: Tracked, key: bytes, manifest: Manifest, beside: bytes = b""
) -> list[Write]:
    store, packed = session.store, pack_manifest(manifest, beside)
    writes = [Write(Table.MANIFESTS, key, packed)]
    for dependency in manifest.dependencies:
        text = current_text(tracked, dependency)
        place = text_key(dependency)
        if text and store.get(Table.TEXTS, place) is None:
            writes.append(Write(Table.TEXTS, place, text[:TEXT_LIMIT].encode("utf-8", "replace")))
    return writes


def text_key(dependency: Dependency) -> bytes:
    """The key of a dependency's text."""
    return digest_parts(
        "text", [str(dependency.symbol).encode(), dependency.facet.encode(), dependency.digest]
    )


def current_text(tracked: Tracked, dependency: Dependency) -> str:
    """Return the text behind a dependency of the present closure; empty where it has none."""
    subject: Any = tracked.subject(dependency)
    if dependency.facet is Facet.HEADER:
        return ""
    if dependency.facet is Facet.VALUE:
        return summarize(subject, 10_000)
    if isinstance(subject, str):
        return subject
    if isinstance(subject, tuple) and isinstance(subject[0], Module):
        return _source_text(*subject)
    return ""


def kept_text(session: Session, dependency: Dependency) -> str:
    """Return the text that was kept of an earlier dependency."""
    kept = session.store.get(Table.TEXTS, text_key(dependency))
    return "" if kept is None else kept.decode("utf-8", "replace")


@lru_cache(maxsize=4)
def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines(keepends=True)


def _source_text(module: Module, place: Place) -> str:
    lines = _lines(module.source.content)
    return "".join(lines[place.line - 1 : place.end_line])
