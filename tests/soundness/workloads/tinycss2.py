import tinycss2
import tinycss2.color4

CSS = (
    "@media print { a > b, .c:hover { color: rgb(10%, 20%, 30%); margin: -1.5em auto; "
    "background: url(x.png) } } /* c */ #id { width: calc(1px + 2%) }"
)


def run(case):
    rules, _ = tinycss2.parse_stylesheet_bytes(CSS.encode("utf-8"))
    inner = tinycss2.parse_rule_list(rules[0].content, skip_whitespace=True)
    declared = tinycss2.parse_declaration_list(inner[0].content, skip_whitespace=True)
    colors = ["hsl(120deg 50% 25%)", "rebeccapurple", "#1234", "lab(50% 40 20)"][: 2 + 2 * case]
    parsed = [tinycss2.color4.parse_color(color) for color in colors]
    return repr([tinycss2.serialize(rules), [one.name for one in declared], parsed])
