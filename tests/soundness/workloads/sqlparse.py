import sqlparse

TEXT = """
select a.x, count(*) as n, case when b.y > 1 then 'one' else "two" end c -- comment
from table1 a left join (select y from t2 where z in (1,2,3)) b on a.id=b.id
where a.x like '%z' and not exists (select 1) group by 1 order by n desc limit 10;
insert into t (a,b) values (1, 'x;y'); /* block */
create or replace function f() returns int as $$ begin return 1; end; $$ language plpgsql;
"""


def run(case):
    options = {
        "reindent": True,
        "keyword_case": "upper" if case else None,
        "identifier_case": "lower",
        "strip_comments": bool(case),
        "use_space_around_operators": True,
    }
    shown = sqlparse.format(TEXT, **options)
    parts = sqlparse.split(TEXT)
    trees = [
        (statement.get_type(), [(type(t).__name__, t.value) for t in statement.tokens])
        for statement in sqlparse.parse(TEXT)
    ]
    return f"{shown}\n{len(parts)}\n{trees}"
