from docutils.core import publish_string

TEXT = """
=====
Title
=====

:Author: Somebody
:Date: 2020-01-01

.. contents:: Table
   :depth: 2

First
-----

A *para* with **bold**, ``literal``, a `link <https://example.org>`_, a footnote [#]_ and |sub|.

.. |sub| replace:: *replaced*

.. [#] The note.

1. one
2. two

   - nested

Second
------

.. note::

   Mind the :math:`x^2`.

.. list-table:: Rows
   :header-rows: 1

   * - a
     - b
   * - 1
     - 2

+-----+-----+
| c   | d   |
+=====+=====+
| 3   | 4   |
+-----+-----+

term
    definition

:unknown:`role` and `First`_.
"""
SETTINGS = {
    "report_level": 5,
    "stylesheet_path": "",
    "embed_stylesheet": False,
    "math_output": "MathML",
    "legacy_column_widths": False,
    "use_latex_citations": True,
}


def run(case):
    writers = ("html5", "pseudoxml") if case else ("latex", "html5")
    settings = {**SETTINGS, "toc_backlinks": bool(case) and "entry"}
    shown = [publish_string(TEXT, writer=writer, settings_overrides=settings) for writer in writers]
    return "".join(part.decode() for part in shown)
