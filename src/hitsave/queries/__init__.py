"""Questions about a project's code, and their answers as values.

Every window asks here. Owns what a target is, and the static graph of what it depends on, or what
depends on it. Refuses to run, import or record anything of the user's, and to print: the project is
read from its files alone, also where some of its modules are loaded in this process.
"""

from hitsave.queries.answers import Edge, FacetDigest, Graph, Node, Step
from hitsave.queries.graph import dependencies, dependents, path_between

__all__ = [
    "Edge",
    "FacetDigest",
    "Graph",
    "Node",
    "Step",
    "dependencies",
    "dependents",
    "path_between",
]
