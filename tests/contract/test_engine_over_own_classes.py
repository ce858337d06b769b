"""The Engine over an application's own classes: `where` selects what `decide` allows, on both."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, insert, select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

from acl_engine import AccessDenied, CompiledPolicy, Engine, Principal, Resource, load_pack
from acl_engine.domain.accountability import AuditEntry, Receipt
from acl_engine.domain.control import Refusal
from acl_engine.domain.errors import (
    AuditUnavailable,
    ConfigError,
    InputError,
    PolicyError,
    SessionDead,
    StoreError,
)
from acl_engine.domain.text import Text
from tests.contract.application import (
    MODEL,
    POLICY,
    Base,
    Branch,
    Express,
    Parcel,
    User,
    documents,
)

ROOT = Path(__file__).parents[2]
TEXTS = [None, "a", "A", "b", "a%", "a_", "%", "１", "1", "欧", "", "a "]
STAGES = ["IN", "OUT", "SEALED", "in", "a", "１"]
ROWS = [
    {
        "id": number,
        "branch_code": TEXTS[number % len(TEXTS)],
        "stage": STAGES[(number // 3) % len(STAGES)],
        "courier": TEXTS[(number * 5 + number // 12) % len(TEXTS)],
        "weight": [None, 0, 1, 2, 3][number % 5],
        "fragile": [None, True, False][(number // 2) % 3],
        "phone": ["19012345678", "19087654321", None][number % 3],
        "receiver": f"c{number % 4}",
    }
    for number in range(1, 145)
]
PARCEL = Resource(Parcel, {"branch": "branch_code"}, people={"recipient": "receiver"})
ENGINE = Engine(CompiledPolicy.from_text(MODEL, POLICY), {"parcel": PARCEL})


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    """The application's own session; its SQLite tables ignore case, as a legacy one may."""
    if request.param == "sqlite":
        bind = create_engine(f"sqlite:///{tmp_path / 'app.db'}")
        with bind.begin() as cx:
            cx.exec_driver_sql(
                "CREATE TABLE app_parcels (id INTEGER PRIMARY KEY, at TEXT COLLATE NOCASE,"
                " stage TEXT COLLATE NOCASE, courier TEXT COLLATE RTRIM, weight INTEGER,"
                " fragile BOOLEAN, phone TEXT, receiver TEXT, made_at DATETIME)"
            )
    else:
        url = request.getfixturevalue("postgres_url").replace(
            "postgresql://", "postgresql+psycopg://"
        )
        bind = create_engine(url)
    with Session(bind) as opened:
        Base.metadata.create_all(bind)
        documents.create(bind)
        opened.execute(insert(Branch), [{"code": one} for one in TEXTS if one is not None])
        opened.execute(insert(Parcel), ROWS)
        yield opened
    bind.dispose()


def selected(session: Session, who: Any, action: str = "read", engine: Engine = ENGINE) -> set[int]:
    return set(session.scalars(select(Parcel.id).where(engine.where(who, action, Parcel))))


def decided(session: Session, who: Any, action: str = "read", engine: Engine = ENGINE) -> set[int]:
    every = session.scalars(select(Parcel))
    return {one.id for one in every if engine.decide(who, action, one).allowed}


def inside(model: type[Parcel] = Parcel) -> Parcel:
    """A parcel of branch `a`, not yet stored."""
    return model(branch_code="a", stage="IN", courier="q", weight=1)


users = st.builds(
    User,
    account=st.sampled_from([one for one in [*TEXTS, *STAGES] if one is not None]),
    role=st.sampled_from(["courier", "manager", "guest", "friend", "staff", "nobody"]),
    branch=st.sampled_from(TEXTS),
    limit=st.sampled_from([None, 0, 1, 2, "1", 1.5]),
    friends=st.sampled_from([(), ("a",), ("A", "%"), ("１", "欧", "a "), (None,)]),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(who=users)
def test_where_selects_what_decide_allows(session: Session, who: User) -> None:
    """Row by row: NULLs, LIKE wildcards, case, full-width digits, empty lists, deny rows."""
    for action in ("read", "reassign", "fly"):
        assert selected(session, who, action) == decided(session, who, action)


def test_it_really_selects(session: Session) -> None:
    """Each role of the policy sees some, and none sees all."""
    for who in (
        User("a", "courier", limit=9),
        User("x", "manager", "a", 9),
        User("１", "guest"),
        User("x", "friend", friends=("A", "%")),
        User("x", "staff", limit=0),
    ):
        assert 0 < len(selected(session, who)) < len(ROWS), who


def test_case_and_padding_of_a_legacy_table_do_not_widen(session: Session) -> None:
    """A column that the database compares without case or trailing spaces is compared by bytes."""
    found = session.scalars(
        select(Parcel.branch_code).where(ENGINE.where(User("x", "manager", "a", 9), "read", Parcel))
    )
    assert set(found) == {"a"}
    friends = User("x", "friend", friends=("a",))
    couriers = session.scalars(select(Parcel.courier).where(ENGINE.where(friends, "read", Parcel)))
    assert set(couriers) == {"a"}


def test_it_stands_beside_any_other_condition(session: Session) -> None:
    """Joins, order, limit, subqueries, a subclass: it is one condition among others."""
    manager = User("x", "manager", "a", 9)
    where = ENGINE.where(manager, "read", Parcel)
    query = select(Parcel.id).join(Branch).where(where, Parcel.weight > 0).order_by(Parcel.id)
    expected = [row["id"] for row in ROWS if row["branch_code"] == "a" and (row["weight"] or 0) > 0]
    allowed = [one for one in expected if one in decided(session, manager)]
    assert list(session.scalars(query.limit(3))) == allowed[:3]
    inner = select(Parcel.id).where(where).scalar_subquery()
    assert set(session.scalars(select(Parcel.id).where(Parcel.id.in_(inner)))) == decided(
        session, manager
    )
    assert ENGINE.decide(manager, "read", inside(Express)).allowed


def test_two_principals_share_no_compiled_statement(session: Session) -> None:
    """SQLAlchemy's statement cache keeps the text, never somebody else's values."""
    for branch in ("a", "A", "b", "a", "欧"):
        who = User("x", "manager", branch, 9)
        assert selected(session, who) == decided(session, who)


def test_a_plain_index_serves_the_condition(tmp_path: Path) -> None:
    """The comparison by bytes does not cost the index of an ordinary column."""
    bind = create_engine(f"sqlite:///{tmp_path / 'app.db'}")
    Base.metadata.create_all(bind)
    where = ENGINE.where(User("x", "manager", "a", 9), "reassign", Parcel)
    with bind.begin() as cx:
        cx.exec_driver_sql("CREATE INDEX by_branch ON app_parcels (at)")
        query = str(
            select(Parcel.id).where(where).compile(bind, compile_kwargs={"literal_binds": True})
        )
        plan = cx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
    bind.dispose()
    assert any("USING INDEX by_branch" in str(row) for row in plan), plan


def test_another_database_is_refused_when_the_statement_is_compiled() -> None:
    """MySQL compares without case: the condition does not compile for it."""
    query = select(Parcel.id).where(ENGINE.where(User("x", "manager", "a", 9), "read", Parcel))
    for spoken in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        assert "WHERE" in str(query.compile(dialect=spoken))
    with pytest.raises(StoreError) as caught:
        query.compile(dialect=mysql.dialect())  # type: ignore[no-untyped-call]
    assert caught.value.message.code == "scope.unsayable"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("r.obj.made_at == r.sub.account", "partial.attribute"),
        ("r.obj.colour == r.sub.account", "partial.attribute"),
        ('regexMatch(r.obj.stage, "^O.*$")', "partial.unsayable"),
        ("r.obj.branch.code == r.sub.account", "partial.unsayable"),
    ],
)
def test_what_sql_cannot_say_is_refused(condition: str, code: str) -> None:
    """With the place in the policy; nothing is selected instead."""
    policy = CompiledPolicy.from_text(MODEL, f"p, clerk, parcel, read, {condition}, allow\n")
    engine = Engine(policy, {"parcel": PARCEL})
    with pytest.raises(PolicyError) as caught:
        engine.where(User("x", "clerk"), "read", Parcel)
    assert caught.value.message.code == code
    assert str(caught.value.where) == "policy.csv:1"


# --- a policy that names records by a text -------------------------------------------------------

TEXT_MODEL = """[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act
"""
TEXT_POLICY = """p, editor, north, /a, read
p, editor, north, /A, write
p, ann, north, /%, read
g, ann, editor, north
"""


def test_records_by_a_text_in_a_table_and_in_a_domain(session: Session) -> None:
    """A casbin policy as it stands: `obj` is a path, `dom` is given by name, rows of a Table."""
    paths = ["/a", "/A", "/%", "/ab", None]
    session.execute(insert(documents), [{"path": one, "open": True} for one in paths])
    policy = CompiledPolicy.from_text(TEXT_MODEL, TEXT_POLICY)
    engine = Engine(policy, {"document": Resource(documents, text="path")})
    for who, dom, act in itertools.product(("ann", "eve"), ("north", "south"), ("read", "write")):
        where = engine.where(who, act, documents, dom=dom)
        found = set(session.scalars(select(documents.c.path).where(where)))
        assert found == {one for one in paths if one and policy.enforce(who, dom, one, act)}
    with pytest.raises(InputError, match="dom"):
        engine.where("ann", "read", documents)


def test_a_type_stands_for_all_of_its_records(session: Session) -> None:
    """Plain roles: `p, clerk, parcel, read` is a right to every parcel."""
    model = (
        TEXT_MODEL.replace("dom, ", "").replace(", r.dom)", ")").replace("r.dom == p.dom && ", "")
    )
    model = model.replace("g = _, _, _", "g = _, _")
    engine = Engine(
        CompiledPolicy.from_text(model, "p, clerk, parcel, read\ng, ann, clerk\n"),
        {"parcel": Parcel},
    )
    assert selected(session, "ann", engine=engine) == {row["id"] for row in ROWS}
    assert (
        selected(session, "ann", "write", engine)
        == selected(session, "eve", engine=engine)
        == set()
    )
    principal = Principal("ann", "p1", "clerk", "b1", "s1")
    assert engine.decide(principal, "read", session.get(Parcel, 1)).allowed


# --- require, audit, sessions --------------------------------------------------------------------


class _Log:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.broken = False

    def append(self, entry: AuditEntry) -> Receipt:
        if self.broken:
            raise AuditUnavailable(Text("t", "坏", "broken").of())
        self.entries.append(entry)
        return Receipt(len(self.entries), "")


class _SingleSignOn:
    def resolve(self, token: str) -> Principal:
        if token != "good":
            raise SessionDead(Refusal("0", (), None, "expired"))
        return Principal("ann", "p1", "courier", "b1", "s1", "pda-1")


def test_a_denial_raises_and_says_nothing(session: Session) -> None:
    """The same text for every reason; the reason is in the audit record of that id."""
    log = _Log()
    engine = Engine(CompiledPolicy.from_text(MODEL, POLICY), {"parcel": PARCEL}, audit=log)
    said = set()
    for who in (User("nobody", "courier", limit=9), User("x", "nobody")):
        with pytest.raises(AccessDenied) as caught:
            engine.require(who, "read", session.get(Parcel, 1))
        said.add(str(caught.value).replace(caught.value.request_id, "ID"))
        assert log.entries[-1].request == caught.value.request_id
        assert (log.entries[-1].effect, log.entries[-1].account) == ("deny", who.account)
    assert len(said) == 1
    decision = engine.require(User("x", "manager", "a", 9), "read", inside())
    assert decision.rules == ("policy.csv:2",)
    engine.where(User("x", "manager", "a", 9), "read", Parcel)
    assert [one.effect for one in log.entries] == ["deny", "deny", "allow", "allow"]


def test_no_record_no_right(session: Session) -> None:
    """If the log cannot be written, neither a filter nor a decision is given."""
    log = _Log()
    engine = Engine(CompiledPolicy.from_text(MODEL, POLICY), {"parcel": PARCEL}, audit=log)
    log.broken = True
    who = User("x", "manager", "a", 9)
    with pytest.raises(AuditUnavailable):
        engine.where(who, "read", Parcel)
    with pytest.raises(AuditUnavailable):
        engine.require(who, "read", inside())


def test_own_single_sign_on() -> None:
    """A token is resolved by the application's own sessions; anything in doubt is a denial."""
    engine = Engine(
        CompiledPolicy.from_text(MODEL, POLICY), {"parcel": PARCEL}, sessions=_SingleSignOn()
    )
    assert engine.principal("good").account == "ann"
    with pytest.raises(AccessDenied):
        engine.principal("old")
    with pytest.raises(ConfigError):
        ENGINE.principal("good")


# --- questions -----------------------------------------------------------------------------------


def test_who_what_and_which(session: Session) -> None:
    """Complete and paged: the pages join to the whole, and the whole is what decide says."""
    people = [User(f"u{n}", "manager", branch, 9) for n, branch in enumerate(["a", "b", "a", "A"])]
    parcel = session.scalars(select(Parcel).where(Parcel.branch_code == "a")).first()
    page = ENGINE.subjects_for("read", parcel, people, limit=1)
    assert page.items == (people[0],)
    rest = ENGINE.subjects_for("read", parcel, people, after=page.next)
    assert (rest.items, rest.next) == ((people[2],), None)
    manager = User("x", "manager", "a", 9)
    keys: list[int] = []
    after = None
    while True:
        found = ENGINE.resources_for(session, manager, "read", Parcel, after=after, limit=2)
        keys += found.items
        if (after := found.next) is None:
            break
    assert keys == sorted(selected(session, manager))
    parcel = inside()
    assert ENGINE.actions_for(manager, parcel) == ("read", "reassign")
    assert ENGINE.actions_for(User("x", "nobody"), parcel) == ()
    with pytest.raises(InputError):
        ENGINE.subjects_for("read", parcel)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_of_nothing_is_refused(session: Session, limit: int) -> None:
    """It would never end, or leave a record out in silence."""
    manager = User("x", "manager", "a", 9)
    with pytest.raises(InputError, match="limit"):
        ENGINE.resources_for(session, manager, "read", Parcel, limit=limit)
    with pytest.raises(InputError, match="limit"):
        ENGINE.subjects_for("read", inside(), [manager], limit=limit)
    with pytest.raises(InputError, match="after"):
        ENGINE.subjects_for("read", inside(), [manager], after=-1)


def test_blast_radius_counts_records_and_people(session: Session) -> None:
    """By action, with the number of different people whose records they are."""
    manager = User("x", "manager", "a", 9)
    reach = {one.actions: one for one in ENGINE.blast_radius(session, manager)}
    ids = selected(session, manager)
    assert reach["read",].records == len(ids)
    people = {row["receiver"] for row in ROWS if row["id"] in ids}
    assert reach["read",].people == {"recipient": len(people)}
    assert ENGINE.blast_radius(session, User("x", "nobody")) == ()


def test_explain_is_for_the_author() -> None:
    """In both languages, with the row."""
    why = ENGINE.explain(User("x", "manager", "a", 9), "read", inside())
    assert why.decision.allowed
    assert "policy.csv:2" in why.render("en")
    assert "policy.csv:2" in why.render("zh")


# --- a pack over own classes ---------------------------------------------------------------------

PACK = load_pack(ROOT / "tests" / "assets" / "packs" / "small" / "v1")
WAYBILL = Resource(
    Parcel,
    {"waybill_no": "receiver", "assignee": "courier", "custody_unit": "branch_code"},
    people={"recipient": "receiver"},
)
OVER_PACK = Engine(PACK, {"waybill": WAYBILL})


def test_a_pack_filters_and_masks_own_classes(session: Session) -> None:
    """Relations, stages and fields over the application's own class."""
    courier = Principal("ann", "a", "courier", "b", "s1", "pda")
    facts = {"person": "欧", "role": "courier", "on_shift": True}
    engine = Engine(PACK, {"waybill": WAYBILL}, facts=lambda who: facts)
    assert selected(session, courier, engine=engine) == decided(session, courier, engine=engine)
    ids = selected(session, courier, engine=engine)
    assert ids
    parcel = session.scalars(
        select(Parcel).where(Parcel.id.in_(ids), Parcel.phone.is_not(None))
    ).first()
    shown = engine.view(courier, "read", parcel)
    assert set(shown) == {"waybill_no", "phone"}
    assert parcel is not None
    assert shown["phone"] != parcel.phone
    assert shown["phone"][-2:] == parcel.phone[-2:]
    reach = {
        (one.actions, one.field, one.clear): one for one in engine.blast_radius(session, courier)
    }
    assert reach[("read",), "phone", False].records == len(ids)
    assert (("read",), "phone", True) not in reach
    assert reach[("dial",), "", True].people["recipient"] >= 1


def test_a_missing_fact_denies(session: Session) -> None:
    """Without live facts, nobody is on shift."""
    assert selected(session, {"person": "a", "role": "courier"}, engine=OVER_PACK) == set()


def test_a_casbin_policy_masks_nothing() -> None:
    with pytest.raises(ConfigError):
        ENGINE.view(User("x", "manager", "a", 9), "read", inside())


# --- a newcomer's mistakes -----------------------------------------------------------------------


def test_mistakes_are_named() -> None:
    """One clear line each: what, and what to do."""
    policy = CompiledPolicy.from_text(MODEL, POLICY)
    mixed = CompiledPolicy.from_text(MODEL.replace("r.obj.type ==", "r.obj =="), POLICY)
    mistakes: dict[str, Any] = {
        "mapped.class": lambda: Engine(policy, {"parcel": User}),
        "embedding.policy": lambda: Engine("policy.csv", {"parcel": Parcel}),  # type: ignore[arg-type]
        "embedding.unregistered": lambda: ENGINE.where(User("x", "manager"), "read", Branch),
        "embedding.attribute": lambda: Engine(policy, {"parcel": Resource(Parcel, text="path")}),
        "records.type": lambda: Engine(PACK, {"parcel": Parcel}),
        "records.action": lambda: OVER_PACK.where({}, "fly", Parcel),
        "records.mixed": lambda: Engine(mixed, {}),
    }  # fmt: skip
    for code, mistake in mistakes.items():
        with pytest.raises((InputError, PolicyError)) as caught:
            mistake()
        assert caught.value.message.code == code
        assert "\n" not in caught.value.render("zh")


def test_a_swap_is_seen_at_once_and_a_bad_one_changes_nothing() -> None:
    engine = Engine(CompiledPolicy.from_text(MODEL, POLICY), {"parcel": PARCEL})
    manager, parcel = User("x", "manager", "a", 9), inside()
    assert engine.decide(manager, "read", parcel).allowed
    engine.swap(
        CompiledPolicy.from_text(MODEL, "p, courier, parcel, read, r.obj.weight > 1, allow\n")
    )
    assert not engine.decide(manager, "read", parcel).allowed
    before = engine.version
    with pytest.raises(PolicyError):
        engine.swap(PACK)
    assert engine.version == before


def test_the_statement_holds_values_as_parameters() -> None:
    """A hostile account name is a value, never a piece of SQL."""
    seen: list[str] = []
    bind = create_engine("sqlite://")
    event.listen(bind, "before_cursor_execute", lambda *args: seen.append(args[2]))
    Base.metadata.create_all(bind)
    with Session(bind) as opened:
        who = User("x' OR 1=1 --", "guest")
        assert selected(opened, who) == set()
    bind.dispose()
    assert "OR 1=1" not in "".join(seen)
