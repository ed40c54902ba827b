"""The probe: fresh processes that import some modules and digest some of their globals.

Owns both sides of the question, and what such a process may do, which is to read: the modules are
the program's own, and what else they do when they are imported (write files, start processes, ask
other computers) is refused to them with an error, which as a rule ends the import. Refuses to judge
when to ask (`fresh` does).
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Set
from typing import Any

from hitsave.code.instances import name_in_code
from hitsave.code.resolve import ABSENT, Resolver
from hitsave.code.symbol import Symbol
from hitsave.errors import NotDigestibleError
from hitsave.memo.fresh import Asked
from hitsave.session import Session, start

TIME_LIMIT = 60.0
"""How long a fresh process may take to import the modules and digest the values, in seconds."""

# Two at a time. A dict of two keys may come out in the same order in all of eight once in 128.
_SEEDS = (("1", "2"), ("3", "4"), ("5", "6"), ("7", "8"))
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from hitsave.memo.probe import answer; answer()"
)

Digests = dict[str, str]
"""By the name of a module, a colon and a qualified name in it: the digest of a value, as hex."""


FORBIDDEN = (
    "os.fork os.forkpty os.exec os.posix_spawn os.spawn os.startfile os.system subprocess.Popen "
    "os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown "
    "os.utime os.kill shutil.rmtree shutil.move shutil.copyfile shutil.copytree "
    "socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo sqlite3.connect "
    "ftplib.connect smtplib.connect urllib.Request webbrowser.open pty.spawn"
).split()
"""The audit events of what a fresh process must not do."""

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


# -- asking -------------------------------------------------------------------------------------


def can_ask() -> bool:
    """Whether `sys.executable` is Python. In a frozen or embedding program it is the program."""
    name = os.path.basename(sys.executable or "").lower()
    return not getattr(sys, "frozen", False) and name.startswith(("python", "pypy"))


def ask(
    root: str, values: Mapping[Symbol, Asked], suspects: Set[Symbol], *, same_seed: bool
) -> set[Symbol]:
    """Return those of `values` that fresh processes do not agree about.

    Asks until they disagree about all `suspects`, a few times at most. With `same_seed` they all
    hash strings as this process does.
    """
    told: list[Digests] = []
    varying: set[Symbol] = set()
    question = _question(root, values.values())
    for seeds in _SEEDS:
        told += _answers(question, len(seeds) * (None,) if same_seed else seeds)
        varying = {symbol for symbol, asked in values.items() if _differs(asked.place, told)}
        if suspects <= varying:
            break
    return varying


def _question(root: str, asked: Iterable[Asked]) -> bytes:
    modules: dict[str, list[str]] = {}
    for each in asked:
        modules.setdefault(each.module, []).append(each.symbol.name)
    question = {"root": root, "path": sys.path, "arguments": sys.argv, "modules": modules}
    return json.dumps(question).encode()


def _differs(place: str, told: list[Digests]) -> bool:
    return len({digests[place] for digests in told if place in digests}) > 1


def _answers(question: bytes, seeds: tuple[str | None, ...]) -> list[Digests]:
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for seed in seeds:
            processes.append(_start(seed))
        # All are given the question before any is waited for.
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(question)
            process.stdin.close()
            process.stdin = None
        return [_answer(process) for process in processes]
    except OSError:
        return []
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _start(seed: str | None) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "HITSAVE_MODE": "read-only"}
    if seed is not None:
        environment["PYTHONHASHSEED"] = seed
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return subprocess.Popen(
        [sys.executable, "-c", _START, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _answer(process: "subprocess.Popen[bytes]") -> Digests:
    try:
        said, _ = process.communicate(timeout=TIME_LIMIT)
        answer: Any = json.loads(said)
    except (subprocess.TimeoutExpired, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


# -- answering ------------------------------------------------------------------------------------


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
    shared: dict[int, Any] = {}
    namespaces = {module: _imported(module) for module in question["modules"]}
    for module, names in question["modules"].items():
        found.update(_digests(session, module, namespaces[module], names, shared))
    said = json.dumps(found).encode()
    while said:
        said = said[os.write(reply, said) :]
    # What the modules want to be done at the end is for the program itself to do.
    os._exit(0)


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event in FORBIDDEN or (event == "open" and _is_writing(*arguments)):
        raise PermissionError(f"{event} is not allowed here")


def _is_writing(path: object, _mode: object, flags: object) -> bool:
    return path != os.devnull and isinstance(flags, int) and bool(flags & _WRITES)


def _imported(module: str) -> dict[str, Any]:
    try:
        return vars(importlib.import_module(module))
    except BaseException:
        # Whatever keeps a module from being imported here, nothing is known of its globals.
        return {}


def _digests(
    session: Session,
    module: str,
    namespace: dict[str, Any],
    names: list[str],
    shared: dict[int, Any],
) -> Digests:
    resolver = Resolver(session.project)
    digest_value = session.closure_options().digest_value
    found = {}
    for name in names:
        value = _value(namespace, name)
        if value is ABSENT:
            continue
        try:
            digest = digest_value(value, lambda each: name_in_code(resolver, each), shared).digest
        except NotDigestibleError:
            continue
        found[f"{module}:{name}"] = digest.hex()
    return found


def _value(namespace: Any, name: str) -> Any:
    *owners, last = name.split(".")
    for owner in owners:
        namespace = vars(namespace[owner]) if isinstance(namespace.get(owner), type) else {}
    return namespace.get(last, ABSENT)
