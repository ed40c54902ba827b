import mistune

TEXT = """# Title

A *para*, **bold**, `code`, ~~gone~~ and [link](/x "t")[^1].

| a | b |
|---|--:|
| 1 | 2 |

- [x] done
- [ ] open

> quote

    indented

[^1]: A note.
"""


def run(case):
    plugins = ["strikethrough", "footnotes", "table", "task_lists"][: 3 + case]
    return mistune.create_markdown(escape=bool(case), plugins=plugins)(TEXT)
