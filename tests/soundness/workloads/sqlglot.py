import sqlglot
from sqlglot import exp
from sqlglot.optimizer import optimize

QUERIES = (
    "SELECT a, SUM(b) AS total FROM t WHERE c > 3 AND NOT d IS NULL GROUP BY a HAVING SUM(b) > 2",
    "WITH x AS (SELECT id, CAST(v AS TEXT) AS v FROM y)"
    " SELECT x.id, z.w FROM x JOIN z ON x.id = z.id",
    "SELECT DATE_ADD(d, INTERVAL 1 DAY), IFNULL(a, 0), CONCAT(b, 'x') FROM t"
    " ORDER BY a DESC LIMIT 3",
)


def run(case):
    dialect = ("postgres", "duckdb", "snowflake", "bigquery")[case % 4]
    shown = []
    for query in QUERIES:
        tree = sqlglot.parse_one(query, read="mysql")
        shown.append(tree.sql(dialect=dialect, pretty=True))
        shown += sorted(column.name for column in tree.find_all(exp.Column))
    schema = {"t": {"a": "int", "b": "int", "c": "int", "d": "int"}}
    shown.append(optimize(sqlglot.parse_one(QUERIES[0]), schema=schema).sql())
    changed = sqlglot.parse_one("SELECT a FROM b").transform(
        lambda node: exp.column("z") if isinstance(node, exp.Column) else node
    )
    return repr(
        [*shown, changed.sql(), repr(sqlglot.diff(changed, sqlglot.parse_one("SELECT z FROM c")))]
    )
