"""All backends agree, whatever is done to them and in whatever order."""

import shutil
import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from hitsave.store import MemoryStore, Store, Table, Write, open_local

TABLES = st.sampled_from([Table.CALLS, Table.HISTORY])
NEW_KEYS = st.binary(min_size=1, max_size=3) | st.binary(min_size=500, max_size=511)
VALUES = st.binary(max_size=20) | st.binary(min_size=4_000, max_size=5_000)


class Agreement(RuleBasedStateMachine):
    """The same steps on every backend; the answers are compared after each."""

    keys = Bundle("keys")
    digests = Bundle("digests")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.stores: list[Store] = [MemoryStore(), open_local(self.folder)]

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        shutil.rmtree(self.folder)

    def agree(self, answers: list[object]) -> object:
        assert answers[0] == answers[1]
        return answers[0]

    @rule(target=keys, key=NEW_KEYS)
    def key(self, key: bytes) -> bytes:
        return key

    @rule(
        writes=st.lists(st.builds(Write, TABLES, keys, VALUES), max_size=4),
        replace=st.booleans(),
        durable=st.booleans(),
    )
    def commit(self, writes: list[Write], replace: bool, durable: bool) -> None:
        for store in self.stores:
            store.commit(writes, replace=replace, durable=durable)

    @rule(table=TABLES, removed=st.lists(keys, max_size=3))
    def delete(self, table: Table, removed: list[bytes]) -> None:
        for store in self.stores:
            store.delete(table, removed)

    @rule(table=TABLES, key=keys)
    def get(self, table: Table, key: bytes) -> None:
        self.agree([store.get(table, key) for store in self.stores])

    @rule(table=TABLES, prefix=st.binary(max_size=2), limit=st.integers(0, 5), last=st.booleans())
    def scan(self, table: Table, prefix: bytes, limit: int, last: bool) -> None:
        self.agree([s.scan(table, prefix, limit=limit, newest_first=last) for s in self.stores])

    @rule(target=digests, parts=st.lists(st.binary(max_size=100), max_size=3))
    def write_object(self, parts: list[bytes]) -> object:
        return self.agree([store.write_object(parts) for store in self.stores])

    @rule(table=TABLES, key=keys, value=VALUES)
    def delete_a_value(self, table: Table, key: bytes, value: bytes) -> None:
        for store in self.stores:
            store.delete(table, {key: value})

    @rule(table=TABLES, prefix=st.binary(max_size=1), after=keys, limit=st.integers(0, 3))
    def scan_behind(self, table: Table, prefix: bytes, after: bytes, limit: int) -> None:
        self.agree([s.scan(table, prefix, limit=limit, after=after) for s in self.stores])

    @rule(digest=digests)
    def delete_object(self, digest: bytes) -> None:
        self.agree([store.delete_object(digest) for store in self.stores])

    @rule(digest=digests | st.binary(min_size=32, max_size=32))
    def read_object(self, digest: bytes) -> None:
        self.agree([store.read_object(digest) for store in self.stores])

    @rule()
    def reopen(self) -> None:
        self.stores[1].close()
        self.stores[1] = open_local(self.folder)

    @invariant()
    def tables_are_equal(self) -> None:
        for table in (Table.CALLS, Table.HISTORY):
            self.agree([store.scan(table, limit=10**6) for store in self.stores])

    @invariant()
    def objects_are_equal(self) -> None:
        self.agree([sorted(held[:2] for held in store.objects()) for store in self.stores])


Agreement.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestAgreement = Agreement.TestCase
