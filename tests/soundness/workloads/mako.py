from mako.lookup import TemplateLookup
from mako.template import Template

PAGE = """<%inherit file="base"/>
<%namespace name="tools" file="tools"/>
<%def name="row(cells, **attributes)">
<tr ${" ".join(f"{k}={v}" for k, v in attributes.items())}>
% for cell in cells:
  <td class="${loop.cycle('odd', 'even')}">${cell | h,trim}</td>
% endfor
</tr>
</%def>
<%block name="head">${title.upper() | u}</%block>
% if rows:
  % for cells in rows:
${row(cells, id=loop.index)}
  % endfor
% else:
  nothing ## comment
% endif
<%text>${as it is}</%text>
<%call expr="tools.box(1)">inside</%call>
"""
BASE = "<html><%block name='head'>none</%block>${self.body()}</html>"
TOOLS = "<%def name='box(n)'>[${n}: ${caller.body()}]</%def>"


def run(case):
    lookup = TemplateLookup(strict_undefined=bool(case))
    for name, text in (("base", BASE), ("tools", TOOLS), ("page", PAGE)):
        lookup.put_string(name, text)
    rows = [["<a>", " b "], ["c", 1]] if case else []
    shown = lookup.get_template("page").render(title="a b", rows=rows)
    return shown + Template("${x[0] * 5} % y").render(x=[1])
