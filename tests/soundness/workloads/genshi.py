from genshi.filters import Transformer
from genshi.template import MarkupTemplate, NewTextTemplate

PAGE = """<html xmlns:py="http://genshi.edgewall.org/">
<py:def function="row(x, i)"><tr class="c$i"><td>${x.upper()}</td></tr></py:def>
<body><h1 py:content="title">-</h1><table>
<py:for each="i, x in enumerate(xs)">${row(x, i)}</py:for></table>
<p py:if="len(xs) > 2" py:attrs="{'id': 'many'}">many</p>
<py:choose test="kind"><b py:when="1">one</b><i py:otherwise="">other</i></py:choose>
<py:with vars="y = kind + 1">$y</py:with></body></html>"""
TEXT = "Dear $name,\n{% for x in xs %}* ${x}\n{% end %}{% if kind %}yes{% end %}"


def run(case):
    values = {
        "title": "a & <b>",
        "xs": ["p", "q", "r"][: 2 + case % 2],
        "kind": case % 2,
        "name": "N",
    }
    stream = MarkupTemplate(PAGE).generate(**values)
    shown = [stream.render("html" if case % 2 else "xml")]
    stream = MarkupTemplate(PAGE).generate(**values) | Transformer("//td").wrap("em")
    shown.append(stream.render("xhtml", doctype="html"))
    shown.append(NewTextTemplate(TEXT).generate(**values).render())
    return repr(shown)
