"""A page of 50 out of millions of rows: the policy's scope as SQL, beside the SQL of a person.

The rows are an application's own table; the policy is casbin's. Four people ask: the manager of one
branch, a courier, a region of forty branches, and a clerk who may see all but what is lost (a deny
row). Both statements are run in turns, for many people and from a key in the middle.

`statement`: what the database does with ours beside the hand-written one, by the bare driver.
`call`: everything from the policy to the rows, beside the same select written by hand in
SQLAlchemy; this is Python, and does not grow with the table.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, create_engine, event, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from acl_engine import CompiledPolicy
from acl_engine.bootstrap.embedding import Engine as Guard
from bench._postgres import own_server
from bench._table import Table, Target, progress

TITLE = "A page of 50 rows in scope"
MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = role, act, cond, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.sub.role == p.role && r.act == p.act && eval(p.cond)
"""
BRANCHES, COURIERS = 1111, 30_000
REGION = [f"b{number * 27}" for number in range(40)]
POLICY = f"""p, manager, read, r.obj.branch == r.sub.branch, allow
p, courier, read, r.obj.courier == r.sub.name && r.obj.stage in ("IN", "OUT"), allow
p, region, read, r.obj.branch in ({", ".join(f'"{one}"' for one in REGION)}), allow
p, clerk, read, r.obj.weight >= 0, allow
p, clerk, read, r.obj.stage == "LOST", deny
"""
MOST = 1.2  # times the hand-written statement
PEOPLE = 60
TURNS = 6


class Base(DeclarativeBase):
    pass


class Parcel(Base):
    __tablename__ = "parcels"
    id: Mapped[int] = mapped_column(primary_key=True)
    tracking: Mapped[str]
    branch: Mapped[str]
    courier: Mapped[str]
    stage: Mapped[str]
    weight: Mapped[int]


SHOWN = (Parcel.id, Parcel.tracking, Parcel.branch, Parcel.stage)
# The same rows in both databases, made by the database itself.
ROWS = f"""SELECT i, 'T' || i, 'b' || (i * 7919 % {BRANCHES}), 'c' || (i * 7919 % {COURIERS}),
 CASE i % 7 WHEN 0 THEN 'IN' WHEN 1 THEN 'OUT' WHEN 2 THEN 'LOST' ELSE 'DONE' END, i % 5000"""
SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    " INSERT INTO parcels " + ROWS + " FROM n",
    "postgresql": "INSERT INTO parcels " + ROWS + " FROM generate_series(1, {count}::bigint) AS i",
}


def fill(engine: Engine, count: int) -> None:
    """The table, its rows, and the indexes that a person would make for these questions."""
    progress(f"{engine.dialect.name}: {count:,} rows are made")
    Base.metadata.create_all(engine)
    with engine.begin() as cx:
        cx.execute(text(SERIES[engine.dialect.name].replace("{count}", str(count))))
        cx.execute(text("CREATE INDEX parcels_branch ON parcels (branch, id)"))
        cx.execute(text("CREATE INDEX parcels_courier ON parcels (courier, stage, id)"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as cx:
        cx.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def asker(role: str, number: int) -> dict[str, Any]:
    return {"role": role, "branch": f"b{number % BRANCHES}", "name": f"c{number % COURIERS}"}


BY_HAND: dict[str, Callable[[dict[str, Any]], ColumnElement[bool]]] = {
    "manager": lambda who: Parcel.branch == who["branch"],
    "courier": lambda who: and_(Parcel.courier == who["name"], Parcel.stage.in_(["IN", "OUT"])),
    "region": lambda who: Parcel.branch.in_(REGION),
    "clerk": lambda who: and_(Parcel.weight >= 0, Parcel.stage != "LOST"),
}


def page(condition: Any, after: int) -> Any:
    return select(*SHOWN).where(condition, Parcel.id > after).order_by(Parcel.id).limit(50)


class Pages:
    """One database with one number of rows."""

    def __init__(self, engine: Engine, count: int) -> None:
        self._engine = engine
        self._count = count
        self._guard = Guard(CompiledPolicy.from_text(MODEL, POLICY), {"parcel": Parcel})
        self._said: list[tuple[str, Any]] = []
        event.listen(
            engine,
            "before_cursor_execute",
            lambda _c, _k, statement, given, *_: self._said.append((statement, given)),
        )

    def ours(self, session: Session, who: Any, after: int) -> Any:
        where = self._guard.where(who, "read", Parcel)
        return session.execute(page(where, after)).all()

    def hand(self, session: Session, who: Any, after: int) -> Any:
        return session.execute(page(BY_HAND[who["role"]](who), after)).all()

    def measure(self, role: str) -> tuple[float, float, float, float]:
        """Medians in microseconds: hand-written and our statement, hand-written and our call."""
        dice = random.Random(role)
        spent: list[list[float]] = [[], [], [], []]
        with Session(self._engine) as session:
            cursor = session.connection().connection.cursor()
            for _ in range(PEOPLE):
                given = (session, asker(role, dice.randrange(10**6)))
                after = dice.choice((0, self._count // 2))
                self._said.clear()
                same, found = self.hand(*given, after), self.ours(*given, after)
                assert [*map(tuple, same)] == [*map(tuple, found)], role
                asked = [partial(_fetched, cursor, *one) for one in self._said[:2]]
                calls = [partial(one, *given, after) for one in (self.hand, self.ours)]
                for times, one in zip(spent, in_turns([*asked, *calls]), strict=True):
                    times.append(one * 1e6)
        a, b, c, d = (statistics.median(times) for times in spent)
        return a, b, c, d


def _fetched(cursor: Any, statement: str, given: Any) -> Any:
    return cursor.execute(statement, given).fetchall()


def in_turns(acts: list[Callable[[], Any]]) -> list[float]:
    """Seconds of each act, the best of a few turns, so that none has the quiet moments alone.

    Back and forth: the one that comes after the other finds the same rows warm in the cache.
    """
    best = [float("inf")] * len(acts)
    forth = [*enumerate(acts)]
    for turn in range(TURNS):
        for at, act in reversed(forth) if turn % 2 else forth:
            start = time.perf_counter()
            act()
            best[at] = min(best[at], time.perf_counter() - start)
    return best


@contextmanager
def databases(folder: str) -> Iterator[dict[str, Callable[[int], Engine]]]:
    """Both servers, each with a database of its own for every number of rows."""
    server = own_server(f"{folder}/pg")

    def postgres(count: int) -> Engine:
        server.psql(f"CREATE DATABASE rows_{count}")
        uri = server.get_uri(f"rows_{count}").replace("postgresql://", "postgresql+psycopg://")
        return create_engine(uri)

    try:
        yield {
            "SQLite": lambda count: create_engine(f"sqlite:///{folder}/rows_{count}.db"),
            "PostgreSQL": postgres,
        }
    finally:
        server.cleanup()


COLUMNS = (
    "database", "rows", "who", "statement by hand", "ours", "ratio",
    "call by hand", "ours", "ratio",
)  # fmt: skip


def main(arguments: list[str]) -> Iterator[Table]:
    """Every size on every database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    sizes = parser.parse_args(arguments).rows
    rows: list[list[str]] = []
    worst: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="acl-bench-") as folder, databases(folder) as known:
        for name, make in known.items():
            for count in sizes:
                engine = make(count)
                fill(engine, count)
                for role in BY_HAND:
                    progress(f"{name}, {count:,} rows: {role}")
                    a, b, c, d = Pages(engine, count).measure(role)
                    times = [f"{one / 1000:.2f} ms" for one in (a, b, c, d)]
                    found = [*times[:2], f"{b / a:.2f} x", *times[2:], f"{d / c:.2f} x"]
                    rows.append([name, f"{count:,}", role, *found])
                    if count == max(sizes):
                        worst[name] = max(worst.get(name, 0), b / a)
                engine.dispose()
    targets = [
        Target(
            f"{name}: a statement of ours <= {MOST} x the hand-written one at {max(sizes):,} rows",
            f"{found:.2f} x at worst",
            found <= MOST,
        )
        for name, found in worst.items()
    ]
    yield Table(COLUMNS, rows, targets=targets)
