"""The directive `settings-table`: every setting that hitsave knows, from its own list of them."""

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from hitsave.config import SETTINGS


class SettingsTable(SphinxDirective):
    """`{settings-table}`: name, environment variable, default and meaning of each setting."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        lines = ["| setting | environment | default | what it is |", "|---|---|---|---|"]
        for name, setting in SETTINGS.items():
            default = "the user's cache folder" if name == "home" else f"`{_toml(setting.default)}`"
            lines.append(f"| `{name}` | `HITSAVE_{name.upper()}` | {default} | {setting.meaning} |")
        self.content = StringList(lines, source=__file__)
        return self.parse_content_to_nodes()


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("settings-table", SettingsTable)
    return {"parallel_read_safe": True}
