import mistletoe
from mistletoe.ast_renderer import ASTRenderer
from mistletoe.latex_renderer import LaTeXRenderer
from mistletoe.markdown_renderer import MarkdownRenderer

TEXT = """# Head *one*

A [link](http://a.b "t") and `code` ![i](x.png) **bold _both_** ~~gone~~.

> quoted
> - a
>   1. b

| a | b |
|---|:-:|
| 1 | 2 |

```py
x = 1
```

<div>html</div>

***
"""


def run(case):
    text = TEXT + "\n\n" + "more " * case + "\\* [ref]\n\n[ref]: /url\n"
    found = [mistletoe.markdown(text), mistletoe.markdown(text, LaTeXRenderer)]
    found.append(mistletoe.markdown(text, ASTRenderer))
    with MarkdownRenderer(max_line_length=20) as renderer:
        found.append(renderer.render(mistletoe.Document(text)))
    return "\n".join(found)
