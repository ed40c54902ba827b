from tinydb import Query, TinyDB, where
from tinydb.middlewares import CachingMiddleware
from tinydb.operations import add, delete, increment
from tinydb.storages import MemoryStorage


def run(case):
    db = TinyDB(storage=CachingMiddleware(MemoryStorage))
    t = db.table("t", cache_size=3)
    t.insert_multiple({"n": n, "tag": "ab"[n % 2], "in": {"x": n * case}} for n in range(8))
    q = Query()
    found = [t.search((q.n > 3) & ~(q.tag == "a")), t.count(q["in"].x.one_of([0, 2]))]
    t.update(increment("n"), q.tag.matches("a"))
    t.update(add("n", 10), where("n") < 3)
    t.update(delete("tag"), q.n.test(lambda n: n == 5))
    t.upsert({"n": 99, "new": True}, q.n == 99)
    t.remove(q.tag.exists() & (q.n > 20))
    found += [t.all(), t.get(doc_id=2), t.contains(q.n == 99), len(t), sorted(db.tables())]
    return str(found)
