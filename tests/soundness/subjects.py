"""Subjects: which package is project code, where it comes from, and which workload calls it.

Owns the list. A workload is a module in `workloads/` with `run(case: int) -> str`: deterministic,
under a second, with a result that shows everything that was computed. Refuses to fetch anything
(`packages` does), and to depend on versions: they are whatever the registry has now.
"""

from pathlib import Path
from typing import NamedTuple

WORKLOADS = Path(__file__).parent / "workloads"


class Subject(NamedTuple):
    """A package to edit.

    `requirements` are fetched without their dependencies, `folders` are the top-level packages or
    modules to copy. A subject without requirements is copied from the standard library under the
    name `own`, because the standard library is not project code; `pure` are extension modules that
    the copy is to do without.
    """

    name: str
    about: str
    requirements: tuple[str, ...]
    folders: tuple[str, ...]
    own: str = ""
    pure: tuple[str, ...] = ()

    @property
    def workload(self) -> str:
        """The source of the workload."""
        return (WORKLOADS / f"{self.name}.py").read_text(encoding="utf-8")


_ALL = (
    Subject(
        "markdown_it",
        "a Markdown parser: rules in registries, called by name",
        ("markdown-it-py", "mdurl"),
        ("markdown_it", "mdurl"),
    ),
    Subject("chess", "a rules engine: tables that are built on import", ("chess",), ("chess",)),
    Subject(
        "functional",
        "helpers over iterables: decorators, generators, currying",
        ("toolz", "more-itertools"),
        ("toolz", "more_itertools"),
    ),
    Subject(
        "tinycss2",
        "a CSS parser: syntax nodes as classes",
        ("tinycss2", "webencodings"),
        ("tinycss2", "webencodings"),
    ),
    Subject("lark", "a parser generator: callbacks by rule name", ("lark",), ("lark",)),
    Subject(
        "sympy",
        "computer algebra: large, metaclasses, dispatch by class, caches",
        ("sympy", "mpmath"),
        ("sympy", "mpmath"),
    ),
    Subject(
        "jinja2",
        "templates compiled to Python source at run time",
        ("jinja2", "markupsafe"),
        ("jinja2", "markupsafe"),
        pure=("_speedups",),
    ),
    Subject(
        "mako",
        "templates compiled to modules: a lexer of registered classes, inheritance",
        ("mako", "markupsafe"),
        ("mako", "markupsafe"),
        pure=("_speedups",),
    ),
    Subject(
        "docutils",
        "a documentation tool: visitors by class name, readers and writers imported by name",
        ("docutils",),
        ("docutils",),
    ),
    Subject(
        "pygal",
        "plots as a hierarchy of classes: mixins, configuration through metaclasses",
        ("pygal", "importlib-metadata<8.6", "zipp"),
        ("pygal", "importlib_metadata", "zipp"),
    ),
    Subject("mistune", "Markdown with plug-ins", ("mistune",), ("mistune",)),
    Subject(
        "pygments", "lexers in a registry, imported by computed name", ("pygments",), ("pygments",)
    ),
    Subject("pyparsing", "parsers as a hierarchy of classes", ("pyparsing",), ("pyparsing",)),
    Subject("networkx", "graphs: dispatch decorators, lazy imports", ("networkx",), ("networkx",)),
    Subject(
        "marshmallow",
        "schemas: metaclasses, hooks found by marks on methods",
        ("marshmallow",),
        ("marshmallow",),
    ),
    Subject(
        "construct",
        "binary formats: operators and lazy expressions",
        ("construct",),
        ("construct",),
    ),
    Subject(
        "pyrsistent",
        "persistent collections: records with checked fields",
        ("pyrsistent",),
        ("pyrsistent", "_pyrsistent_version"),
    ),
    Subject(
        "aiostream",
        "asyncio: operators made by decorators, async generators",
        ("aiostream", "typing-extensions"),
        ("aiostream", "typing_extensions"),
    ),
    Subject("attrs", "classes whose methods are generated as text", ("attrs",), ("attr", "attrs")),
    Subject(
        "multipledispatch",
        "functions chosen by the types of all arguments",
        ("multipledispatch",),
        ("multipledispatch",),
    ),
    Subject(
        "parso",
        "a Python parser: lru_cache, grammar files read at run time",
        ("parso",),
        ("parso",),
    ),
    Subject(
        "ply",
        "a parser generator: rules found by name and docstring in the caller's module",
        ("ply",),
        ("ply",),
    ),
    Subject("mpmath", "numerics: methods set on a context class", ("mpmath",), ("mpmath",)),
    Subject(
        "autograd",
        "derivatives: registries filled by decorators and calls on import",
        ("autograd",),
        ("autograd",),
    ),
    Subject("simpy", "simulation: generators resumed by an event loop", ("simpy",), ("simpy",)),
    Subject(
        "markdown", "Markdown with extensions in priority registries", ("markdown",), ("markdown",)
    ),
    Subject("sqlparse", "a lexer of tables and a chain of filters", ("sqlparse",), ("sqlparse",)),
    Subject(
        "pyflakes",
        "a checker: handlers by the name of a node's class",
        ("pyflakes",),
        ("pyflakes",),
    ),
    Subject(
        "arpeggio",
        "a parser generator: functions as grammar rules, visitors by rule name",
        ("arpeggio",),
        ("arpeggio",),
    ),
    Subject(
        "transitions",
        "state machines: methods made on instances",
        ("transitions", "six"),
        ("transitions", "six"),
    ),
    Subject("voluptuous", "validators compiled to closures", ("voluptuous",), ("voluptuous",)),
    Subject(
        "pint",
        "units: a registry of definitions that is parsed on start",
        ("pint", "flexparser", "flexcache"),
        ("pint", "flexparser", "flexcache"),
    ),
    Subject(
        "cattrs",
        "converters that are generated as text, dispatched by type",
        ("cattrs", "attrs"),
        ("cattrs", "attrs", "attr"),
    ),
    Subject("mistletoe", "Markdown: tokens found by class", ("mistletoe",), ("mistletoe",)),
    Subject("svgwrite", "drawings: elements from tables", ("svgwrite",), ("svgwrite",)),
    Subject(
        "uncertainties",
        "numbers with errors: operators set on a class in a loop",
        ("uncertainties",),
        ("uncertainties",),
    ),
    Subject(
        "traitlets",
        "configuration: descriptors, metaclasses, observers",
        ("traitlets",),
        ("traitlets",),
    ),
    Subject(
        "rich",
        "terminal output: protocols, lexers imported by name",
        ("rich", "markdown-it-py", "mdurl", "pygments"),
        ("rich", "markdown_it", "mdurl", "pygments"),
    ),
    Subject("pycparser", "a C parser and its visitors", ("pycparser",), ("pycparser",)),
    Subject("asteval", "an interpreter of syntax trees", ("asteval",), ("asteval",)),
    Subject("tinydb", "a database: queries that are closures", ("tinydb",), ("tinydb",)),
    Subject("pluggy", "plug-ins: hooks found by name", ("pluggy",), ("pluggy",)),
    Subject(
        "tatsu",
        "a parser generator: semantics by rule name, grammars compiled to Python source",
        ("tatsu",),
        ("tatsu",),
    ),
    Subject(
        "textx",
        "languages from grammars: classes that are made on the way",
        ("textx", "arpeggio"),
        ("textx", "arpeggio"),
    ),
    Subject(
        "sqlglot",
        "a translator of SQL: dialects by metaclass, tables of parsers and generators",
        ("sqlglot",),
        ("sqlglot",),
    ),
    Subject(
        "genshi",
        "templates whose expressions are compiled: streams of events, filters",
        ("genshi", "six"),
        ("genshi", "six"),
    ),
    Subject(
        "html5lib",
        "an HTML parser: values that hash seeds change, an import hook of six",
        ("html5lib", "six", "webencodings"),
        ("html5lib", "six", "webencodings"),
    ),
    Subject(
        "bs4",
        "a tree of HTML: builders in registries, `__getattr__` for tags",
        ("beautifulsoup4", "soupsieve", "typing-extensions"),
        ("bs4", "soupsieve", "typing_extensions"),
    ),
    Subject(
        "fastjsonschema",
        "schemas compiled to Python source and executed",
        ("fastjsonschema",),
        ("fastjsonschema",),
    ),
    Subject(
        "cerberus",
        "a validator: methods by computed names, read from docstrings",
        ("cerberus",),
        ("cerberus",),
    ),
    Subject(
        "dateutil",
        "dates: parsers, rules, zones that are kept by weak references",
        ("python-dateutil", "six"),
        ("dateutil", "six"),
    ),
    Subject("plotille", "plots in text", ("plotille",), ("plotille",)),
    Subject(
        "stdlib_json", "the standard library's json, in Python", (), ("json",), "myjson", ("_json",)
    ),
    Subject("stdlib_toml", "the standard library's tomllib", (), ("tomllib",), "mytoml"),
    Subject(
        "stdlib_config", "the standard library's configparser", (), ("configparser",), "myconfig"
    ),
    Subject(
        "stdlib_dispatch",
        "the standard library's functools",
        (),
        ("functools",),
        "mytools",
        ("_functools",),
    ),
)

SUBJECTS = {subject.name: subject for subject in _ALL}
