"""Settings: what the user chose, and where each choice comes from.

Owns their names, defaults and precedence: argument > `HITSAVE_*` > `[tool.hitsave]` in
`pyproject.toml` > the user's `config.toml` > default. Refuses to act on them.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hitsave.errors import SettingError
from hitsave.events import warn_error
from hitsave.units import read_share, read_size

MODES = ("use", "refresh", "verify", "read-only", "off", "require")
SENSITIVITIES = ("none", "major", "minor", "patch")
WORKSPACE_MARKS = (".git", "pyproject.toml")


class Setting(NamedTuple):
    """One setting: its default, the text that says what it does, and how a text is read."""

    default: Any
    meaning: str
    read: Callable[[Any], Any]


class Settings(NamedTuple):
    """The settings in force. `origins` says where each comes from."""

    home: str
    mode: str
    verbose: bool
    strict: bool
    version_sensitivity: str
    max_size: int
    sample: float
    origins: Mapping[str, str]


def _choice(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return str(value)

    return read


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in ("1", "true", "yes", "on", "0", "false", "no", "off", ""):
        raise ValueError("true or false")
    return text in ("1", "true", "yes", "on")


def _folder(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a path")
    path = os.path.expanduser(value)
    try:
        return os.path.abspath(path)
    except OSError:
        return path  # the working folder was deleted, and the store will say so


SETTINGS: dict[str, Setting] = {
    "home": Setting(None, "the folder of the local store", _folder),
    "mode": Setting("use", "what calls do with the cache", _choice(*MODES)),
    "verbose": Setting(False, "say on stderr what hits, and why the rest misses", _flag),
    "strict": Setting(False, "raise hitsave's own errors instead of running uncached", _flag),
    "version_sensitivity": Setting(
        "patch", "which change of a distribution's version counts", _choice(*SENSITIVITIES)
    ),
    "max_size": Setting("20 GB", "how much the local store may take up", read_size),
    "sample": Setting("100%", "how many of the calls that hit mode `verify` runs", read_share),
}


def load_settings(root: str) -> Settings:
    """Read the settings for the workspace at `root`.

    What cannot be used (an unknown name, an unusable value) is warned of once and left out.
    """
    values: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}
    origins = dict.fromkeys(SETTINGS, "default")
    for origin, layer in _layers(root):
        for name, value in layer.items():
            try:
                values[name] = _read(name, value, origin)
                origins[name] = origin
            except SettingError as error:
                warn_error(f"setting:{origin}:{name}", error)
    values["home"] = values["home"] or _default_home()
    values["max_size"] = read_size(values["max_size"])
    values["sample"] = read_share(values["sample"])
    return Settings(**values, origins=origins)


def _read(name: str, value: Any, origin: str) -> Any:
    setting = SETTINGS.get(name)
    if setting is None:
        raise SettingError(f"{origin} has an unknown setting {name!r}.", suggestion(name, SETTINGS))
    try:
        return setting.read(value)
    except ValueError as error:
        raise SettingError(
            f"{origin} sets {name} to {value!r}, which cannot be used.", f"it takes {error}"
        ) from None


def suggestion(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return a hint that names what is nearest to `name` among `known`."""
    import difflib  # only for a message: it costs several milliseconds

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"


def _layers(root: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The settings found, from the weakest to the strongest origin."""
    project = os.path.join(root, "pyproject.toml")
    user = os.path.join(_user_folder(), "config.toml")
    return [
        (user, _toml(user)),
        (project, _toml(project, "tool", "hitsave")),
        ("the environment", _environment()),
    ]


def _environment() -> dict[str, Any]:
    found = {}
    for key, value in os.environ.items():
        if key.startswith("HITSAVE_") and value:
            found[key.removeprefix("HITSAVE_").lower()] = value
    return found


def _toml(path: str, *tables: str) -> Mapping[str, Any]:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return {}
    if tables and b"hitsave" not in content:
        return {}
    import tomllib  # only where there is something to read: it costs several milliseconds

    try:
        found: Any = tomllib.loads(content.decode())
    except ValueError as error:
        hint = "mend it, or remove it"
        warn_error(f"toml:{path}", SettingError(f"{path} cannot be read: {error}", hint))
        return {}
    for table in tables:
        found = found.get(table, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _user_folder() -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "hitsave")


def _default_home() -> str:
    import platformdirs  # only where the user did not say

    return platformdirs.user_cache_dir("hitsave", appauthor=False)


def find_root(start: str) -> str:
    """Return the nearest folder at or above `start` with a workspace mark, or `start` itself."""
    folder = os.path.abspath(start)
    while True:
        if any(os.path.exists(os.path.join(folder, mark)) for mark in WORKSPACE_MARKS):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return os.path.abspath(start)
        folder = parent
