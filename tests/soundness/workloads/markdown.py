import markdown

TEXT = """# Title {#top}

A *b* **c** `d` [e](f "g") ![h](i) <j@k.l> a^1^
: not

Term
:   meaning[^1]

[^1]: the note

- one
    1. two

    > three

| a | b |
|---|:-:|
| 1 | `2` |

```python
x = 1
```

!!! note "Said"
    inside

*[HTML]: Markup

HTML <div markdown="1">*raw*</div>

[TOC]
"""


KINDS = ("extra", "toc", "admonition", "sane_lists")


def run(case):
    names = (
        ["markdown.extensions." + each for each in KINDS]
        if case
        else ["markdown.extensions.tables", "markdown.extensions.fenced_code"]
    )
    settings = {"markdown.extensions.toc": {"permalink": True}} if case else {}
    made = markdown.Markdown(extensions=names, extension_configs=settings, tab_length=4)
    return made.convert(TEXT) + made.reset().convert("a\n===\n\n* * *\n\n    code & <b>")
