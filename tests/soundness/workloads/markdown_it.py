from markdown_it import MarkdownIt

TEXT = """# Title

A *para* with `code`, **bold**, a [link](http://example.invalid "t") and ~~gone~~ &amp; more.

| a | b |
|---|--:|
| 1 | 2 |

1. one
2. two
   - deep

> quote

```py
x = 1
```

<b>html</b>
"""


def run(case):
    parser = MarkdownIt("commonmark", {"html": bool(case % 2)}).enable(["table", "strikethrough"])
    return parser.render(TEXT) + repr([token.type for token in parser.parse(TEXT)])
