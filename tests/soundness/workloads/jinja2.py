from jinja2 import DictLoader, Environment, StrictUndefined

TEMPLATES = {
    "base": "<title>{% block title %}none{% endblock %}</title>{% block body %}{% endblock %}",
    "page": (
        "{% extends 'base' %}{% block title %}{{ title|title }}{% endblock %}"
        "{% block body %}{% for x in xs if x is odd %}{{ loop.index }}:{{ x|e }},"
        "{% else %}-{% endfor %}{{ xs|join('<')|upper }}{{ show(2) }}{% endblock %}"
        "{% macro show(n) %}[{{ n * 2 }}]{% endmacro %}"
    ),
    "text": "{% set a = namespace(n=0) %}{% for i in range(4) %}{% set a.n = a.n + i %}{% endfor %}"
    "{{ a.n }} {{ d|dictsort }} {{ 'x y'|replace('x', 'z')|truncate(4) }} {{ 3.7|round|int }}",
}


def run(case):
    environment = Environment(
        loader=DictLoader(TEMPLATES), autoescape=bool(case % 2), undefined=StrictUndefined
    )
    page = environment.get_template("page").render(title="a & b", xs=list(range(case, 6)))
    text = environment.get_template("text").render(d={"b": 1, "a": 2})
    return page + text
