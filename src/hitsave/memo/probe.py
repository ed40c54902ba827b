"""The probe: a fresh process that imports some modules and digests some of their globals.

Owns what such a process may do, which is to read: the modules are the program's own, and what they
do when they are imported beyond that (write files, start processes, ask other computers) is
refused to them, as often as not with an error that ends the import. Refuses to judge (`fresh`
does).
"""

import importlib
import json
import os
import sys
from typing import Any

from hitsave.code.resolve import Resolver, project_name
from hitsave.errors import NotDigestibleError
from hitsave.session import Session, start

_FORBIDDEN = (
    "os.fork os.forkpty os.exec os.posix_spawn os.spawn os.startfile os.system subprocess.Popen "
    "os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown "
    "os.utime os.kill shutil.rmtree shutil.move shutil.copyfile shutil.copytree "
    "socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo sqlite3.connect "
    "ftplib.connect smtplib.connect urllib.Request webbrowser.open pty.spawn"
).split()

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def answer() -> None:
    """Answer the question on the standard input, and end."""
    reply = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    question = json.load(sys.stdin)
    os.dup2(silence, 1)
    sys.path[:] = question["path"]
    sys.argv = question["arguments"]
    session = start(question["root"])
    # The store is open by now, and may be read.
    session.manifest(b"")
    sys.addaudithook(_forbid)
    found: dict[str, str] = {}
    for module, names in question["modules"].items():
        found.update(_digests(session, module, names))
    said = json.dumps(found).encode()
    while said:
        said = said[os.write(reply, said) :]
    # What the modules want to be done at the end is for the program itself to do.
    os._exit(0)


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _FORBIDDEN or (event == "open" and _is_writing(*arguments)):
        raise PermissionError(f"{event} is not allowed here")


def _is_writing(path: object, _mode: object, flags: object) -> bool:
    return path != os.devnull and isinstance(flags, int) and bool(flags & _WRITES)


def _digests(session: Session, module: str, names: list[str]) -> dict[str, str]:
    try:
        namespace = vars(importlib.import_module(module))
    except BaseException:
        # Whatever keeps a module from being imported here, nothing is known of its globals.
        return {}
    found = {}
    for name in names:
        digest = _digest(session, namespace, name)
        if digest is not None:
            found[f"{module}:{name}"] = digest.hex()
    return found


def _digest(session: Session, namespace: Any, name: str) -> bytes | None:
    *owners, last = name.split(".")
    for owner in owners:
        namespace = vars(namespace[owner]) if isinstance(namespace.get(owner), type) else {}
    if last not in namespace:
        return None
    resolver = Resolver(session.project)
    digest_value = session.closure_options().digest_value
    try:
        return digest_value(namespace[last], lambda value: project_name(resolver, value)).digest
    except NotDigestibleError:
        return None
