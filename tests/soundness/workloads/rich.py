import io

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.pretty import Pretty
from rich.table import Table
from rich.text import Text
from rich.tree import Tree


def run(case):
    out = io.StringIO()
    c = Console(
        file=out,
        width=50 + case,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
    table = Table("a", "b", title="T")
    table.add_row("1", "[bold red]x[/]")
    table.add_row("two", Text("y", style="on blue"), end_section=True)
    c.print(table)
    c.print(Panel.fit("hello :smile:", title="p"))
    tree = Tree("r")
    tree.add("k").add(Pretty({"a": [1, 2.5, None, "s" * 30], "b": {3}}))
    c.print(tree)
    c.print(Markdown("# T\n- a\n- b **c**\n\n> q\n"))
    c.rule("end")
    return out.getvalue()
