from pygments import highlight
from pygments.formatters import get_formatter_by_name
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename

PYTHON = '''@decorator
class Point(Base):
    """Doc."""
    def f(self, x: int = 0x1F) -> str:
        return f"{x!r}" + 'text' * 3  # comment
'''


def run(case):
    html = get_formatter_by_name("html", linenos=bool(case), style="default")
    shown = highlight(PYTHON, get_lexer_by_name("python"), html)
    json = get_lexer_for_filename("a.json")
    terminal = get_formatter_by_name("terminal")
    return shown + highlight('{"a": [1, true, "x"]}', json, terminal) + html.get_style_defs()[:500]
