"""Probes: functions whose arguments say what the program asked for.

Owns the table of these functions, by module and qualified name, and what each says. They are told
of every time that they start, unlike others.
"""

import os
from collections.abc import Callable
from types import CodeType, FrameType

from hitsave.code.symbol import Facet
from hitsave.observe.active import Notes
from hitsave.observe.askers import is_written_import, outside_of
from hitsave.observe.journal import Journal, journal
from hitsave.observe.locations import absolute
from hitsave.observe.places import caller_in, path_of
from hitsave.observe.processes import note_start
from hitsave.observe.readers import READERS
from hitsave.observe.reads import ask_module, ask_path
from hitsave.raw import namespace_of

Probe = Callable[[FrameType, tuple[Notes, ...]], None]

_MAPPINGS = frozenset({"os", "_collections_abc", "collections.abc"})
_MAKE_FOLDERS = frozenset({"makedirs", "Path.mkdir"})


def probe_of(name: str, frame: FrameType) -> Probe | None:
    """Return the probe of the function of qualified name `name` that starts in `frame`, if any."""
    known = _PROBES.get(name)
    return None if known is None else known.get(frame.f_globals.get("__name__"))


def _ask_argument(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """`os.path.exists(path)` and the like, `Path.exists(self)` and the like."""
    above = frame.f_back
    if above is not None and above.f_code.co_qualname in _MAKE_FOLDERS:
        # Asked in order to make it, which is the same whether it is there or not.
        return
    path = absolute(frame.f_locals.get(frame.f_code.co_varnames[0]))
    if path:
        ask_path(path, above, notes)


def _read_variable(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    name = _variable_in(frame)
    asking = outside_of(frame, _MAPPINGS)
    if not name or asking is None:
        return
    if _is_new(name, asking, journal):
        journal.enter(Facet.VARIABLE, name, asking)
    for each in notes:
        if name not in each.environment and _is_new(name, asking, each):
            each.environment[name] = (os.environ.get(name), caller_in(asking))


def _is_new(name: str, asking: FrameType, notes: Notes | Journal) -> bool:
    """Whether project code asks for a variable that it has not set, and not to copy them all."""
    is_known = name in notes.variables or _where(asking) in notes.walks
    return not is_known and notes.places.holds(path_of(asking.f_code))


def _write_variable(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    name = _variable_in(frame)
    journal.variables.add(name)
    for each in notes:
        if each.is_own_thread():
            each.variables.add(name)


def _walk_variables(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """All variables are about to be read, which says nothing about any of them."""
    asking = outside_of(frame, _MAPPINGS)
    if asking is not None:
        journal.walks.add(_where(asking))
        for each in notes:
            each.walks.add(_where(asking))


def _where(frame: FrameType) -> tuple[CodeType, int]:
    return frame.f_code, frame.f_lasti


def _variable_in(frame: FrameType) -> str:
    """Return the variable that a method of `os.environ` or `os.environb` is called for."""
    values = frame.f_locals
    mapping = values.get("self")
    if mapping is not os.environ and mapping is not getattr(os, "environb", None):
        return ""
    key = values.get("key")
    return os.fsdecode(key) if isinstance(key, (str, bytes)) else ""


def _import_module(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """`importlib.import_module(name, package)` and `importlib.util.find_spec(name, package)`."""
    values = frame.f_locals
    name = _absolute_name(values.get("name"), values.get("package"))
    ask_module(name, frame.f_back, notes)


def _import_inside(frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """`__import__(package, fromlist=names)`, which looks for the modules that it does not have."""
    asking, package = frame.f_back, namespace_of(frame.f_locals.get("module"))
    names = frame.f_locals.get("fromlist")
    # Walking through anything else may execute code of the program's, or leave nothing to import.
    if type(names) is not list and type(names) is not tuple:
        return
    if asking is None or package is None or is_written_import(asking):
        return
    for name in names:
        if type(name) is str and name not in package:
            ask_module(f"{package.get('__name__')}.{name}", asking, notes)


def _absolute_name(name: object, package: object) -> str:
    """Return the absolute name of a module; empty where there is none."""
    if not isinstance(name, str) or not name.startswith("."):
        return name if isinstance(name, str) else ""
    base = name.lstrip(".")
    above = len(name) - len(base) - 1
    if not isinstance(package, str) or package.count(".") < above:
        return ""
    folder = package.rsplit(".", above)[0] if above else package
    return f"{folder}.{base}" if base else folder


def _start_process(_frame: FrameType, notes: tuple[Notes, ...]) -> None:
    """By any method: only a fork is audited."""
    note_start(notes)


_PROBES: dict[str, dict[object, Probe]] = {
    "_Environ.__getitem__": {"os": _read_variable},
    "_Environ.__setitem__": {"os": _write_variable},
    "_Environ.__delitem__": {"os": _write_variable},
    "_Environ.__iter__": {"os": _walk_variables},
    "import_module": {"importlib": _import_module},
    "find_spec": {"importlib.util": _import_module},
    "_handle_fromlist": {"importlib._bootstrap": _import_inside},
    "exists": {"genericpath": _ask_argument},
    "lexists": {"genericpath": _ask_argument, "posixpath": _ask_argument},
    "isfile": {"genericpath": _ask_argument},
    "isdir": {"genericpath": _ask_argument},
    "Path.exists": {"pathlib": _ask_argument, "pathlib._local": _ask_argument},
    "Path.is_file": {"pathlib": _ask_argument, "pathlib._local": _ask_argument},
    "Path.is_dir": {"pathlib": _ask_argument, "pathlib._local": _ask_argument},
    "PathBase.exists": {"pathlib._abc": _ask_argument},
    "PathBase.is_file": {"pathlib._abc": _ask_argument},
    "PathBase.is_dir": {"pathlib._abc": _ask_argument},
    "BaseProcess.start": {"multiprocessing.process": _start_process},
}
for _module, _name, _probe in READERS:
    _PROBES.setdefault(_name, {})[_module] = _probe
