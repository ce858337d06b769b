"""SCIM over the real application: who is let in, what each write does, and what it refuses."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from tests.asgi import Answer, call
from tests.line_world import ROOT, template

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.clocks import SteppedClock
from acl_engine.bootstrap.desk import Desk
from acl_engine.bootstrap.keys import Keys
from acl_engine.bootstrap.service import Service
from acl_engine.bootstrap.service_access import ServiceAccess
from acl_engine.bootstrap.settings import ServerSettings
from acl_engine.identity.passwords import Passwords
from acl_engine.identity.standing import DAY, Rules
from acl_engine.policy.pack import load_pack
from acl_engine.replay.world.company import NOW
from acl_engine.storage.database import Database
from acl_engine.web.app import Area, compose

pytest.importorskip("scim2_server")
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ACCOUNT = "urn:acl-engine:scim:schemas:extension:account:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Office:
    """HR's service beside an administrator, over one copy of the small company."""

    def __init__(self, template_: Database) -> None:
        from acl_engine.web import scim

        self.database = template_.clone_to_memory()
        self.clock = SteppedClock(NOW.astimezone(UTC))
        pack = load_pack(ROOT / "policies" / "courier" / "after")
        keys = Keys.synthetic("courier-small")
        unused: Any = None
        service = Service(
            settings=ServerSettings(),
            database=self.database,
            pack=pack,
            clock=self.clock,
            keys=keys,
            engine=unused,
            central=unused,
            synthetic=True,
        )
        self.app = compose([Area("scim", scim.routes(service))], service)
        self.desk = Desk.over(self.database, keys, self.clock, Rules.of(pack))
        self.acts = Administration(self.desk, Passwords.synthetic())
        self.access = ServiceAccess(self.desk)
        self.token = self.access.issue("svc-hr", "scim", 30, "acct-admin-01")

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: str
    ) -> Answer:
        path, _, query = path.partition("?")
        headers = [("authorization", f"Bearer {self.token if token is None else token}")]
        headers += [(name.replace("_", "-"), value) for name, value in more.items()]
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        return call(
            self.app, f"/scim/v2{path}", method=method, query=query, headers=headers, body=raw
        )

    def new(self, login: str = "courier-900", **more: Any) -> dict[str, Any]:
        return {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE, ACCOUNT],
            "userName": login,
            "displayName": "新人",
            "active": True,
            ENTERPRISE: {"department": "ba-xixiang", "manager": {"value": "sup-0413"}},
            ACCOUNT: {"role": "courier"},
            **more,
        }

    def epoch(self, login: str) -> int:
        return self.acts.account(login).epoch


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database, _ = template(tmp_path_factory.mktemp("scim-unit"))
    yield database
    database.close()


@pytest.fixture
def office(world: Database) -> Iterator[Office]:
    made = Office(world)
    yield made
    made.database.close()


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


# --- who is let in -----------------------------------------------------------------------------


def test_only_a_good_token_for_this_purpose(office: Office) -> None:
    """One answer whatever is wrong with it; the capabilities alone are public."""
    refused = [office.ask("GET", "/Users", token=one) for one in ("", "acls_wrong", "x" * 5000)]
    office.acts.suspend("svc-hr", "acct-admin-01")
    refused.append(office.ask("GET", "/Users"))
    bodies = {one.body for one in refused}
    assert {one.status for one in refused} == {401}
    assert len(bodies) == 1
    assert refused[0].header("www-authenticate")
    assert office.ask("GET", "/ServiceProviderConfig", token="").status == 200
    assert office.ask("GET", "/Schemas", token="").status == 401


@pytest.mark.parametrize("how", ["term", "revoked", "role", "owner"])
def test_a_token_dies_with_what_it_rests_on(office: Office, how: str) -> None:
    assert office.ask("GET", "/Users?count=1").status == 200
    if how == "term":
        office.clock.advance(31 * DAY)
    elif how == "revoked":
        assert office.access.revoke("svc-hr", "acct-admin-01") == 1
    elif how == "role":
        office.acts.move("svc-hr", "label_printer", None, "acct-admin-01")
    else:
        office.acts.leave("p-it-ops-01", "acct-admin-01")
    assert office.ask("GET", "/Users?count=1").status == 401


def test_a_person_has_no_token(office: Office) -> None:
    from acl_engine.domain.errors import InputError

    with pytest.raises(InputError):
        office.access.issue("courier-88", "scim", 30, "acct-admin-01")


# --- joiner, mover, leaver ---------------------------------------------------------------------


def test_a_joiner_waits_for_undertaking_and_training(office: Office) -> None:
    made = office.ask("POST", "/Users", office.new())
    assert made.status == 201, made.text
    assert (
        made.header(
            "location",
        )
        == "https://127.0.0.1/scim/v2/Users/courier-900"
    )
    account = office.acts.account("courier-900")
    assert (account.status, account.role, account.unit) == ("pending", "courier", "ba-xixiang")
    assert account.made_by == "svc-hr"
    staff = office.desk.directory.of_person("courier-900")
    assert staff.persons[0].superior == "p-sup-0413"


PATHS: dict[str, Any] = {
    "patch with path": ("PATCH", patch({"op": "replace", "path": "active", "value": False})),
    "patch without path": ("PATCH", patch({"op": "replace", "value": {"active": False}})),
    "patch as some write it": (
        "PATCH",
        patch({"op": "Replace", "path": "active", "value": "False"}),
    ),
    "patch of the branch": (
        "PATCH",
        patch({"op": "replace", "path": f"{ENTERPRISE}:department", "value": "ba-shajing"}),
    ),
    "patch of the role": ("PATCH", patch({"op": "remove", "path": f"{ACCOUNT}:role"})),
    "delete": ("DELETE", None),
}


@pytest.mark.parametrize("path", PATHS)
def test_every_write_raises_the_epoch(office: Office, path: str) -> None:
    method, body = PATHS[path]
    before = office.epoch("courier-88")
    answer = office.ask(method, "/Users/courier-88", body)
    assert answer.status in (200, 204), answer.text
    assert office.epoch("courier-88") > before


def test_put_says_all_of_it(office: Office) -> None:
    whole = office.ask("GET", "/Users/courier-88").json()
    before = office.epoch("courier-88")
    assert office.ask("PUT", "/Users/courier-88", whole).status == 200
    assert office.epoch("courier-88") == before, "a repeated sync ends nobody's session"
    whole["active"] = False
    assert office.ask("PUT", "/Users/courier-88", whole).status == 200
    assert office.epoch("courier-88") > before
    assert office.acts.account("courier-88").status == "suspended"


def test_a_leaver_is_not_there_any_more(office: Office) -> None:
    assert office.ask("DELETE", "/Users/courier-88").status == 204
    assert office.ask("GET", "/Users/courier-88").status == 404
    assert office.ask("DELETE", "/Users/courier-88").status == 404
    assert office.acts.account("courier-88").status == "left"
    assert office.ask("POST", "/Users", office.new("courier-88")).status == 409


def test_bulk_is_every_single_request(office: Office) -> None:
    before = office.epoch("courier-89")
    off = patch({"op": "replace", "path": "active", "value": False})
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": office.new()},
        {"method": "PATCH", "path": "/Users/courier-89", "data": off},
        {"method": "DELETE", "path": "/Users/courier-88"},
        {
            "method": "POST",
            "path": "/Users",
            "bulkId": "b",
            "data": office.new("courier-901") | {ACCOUNT: {"role": "sec_auditor"}},
        },
    ]
    answer = office.ask(
        "POST",
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": operations,
        },
    )
    assert [one["status"] for one in answer.json()["Operations"]] == ["201", "200", "204", "403"]
    assert office.epoch("courier-89") > before
    assert office.acts.account("courier-88").status == "left"


# --- what it may not ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["sec_auditor", "account_admin", "dba", "label_printer", "typo"])
def test_it_gives_only_the_roles_that_the_policy_lets_it_give(office: Office, role: str) -> None:
    answer = office.ask("POST", "/Users", office.new() | {ACCOUNT: {"role": role}})
    assert answer.status in (400, 403)
    assert office.desk.account("courier-900") is None


def test_it_moves_no_account_above_what_it_gives(office: Office) -> None:
    for path in (f"{ENTERPRISE}:department", f"{ACCOUNT}:role"):
        value = "ba-shajing" if "department" in path else "courier"
        body = patch({"op": "replace", "path": path, "value": value})
        assert office.ask("PATCH", "/Users/auditor-01", body).status == 403
    assert office.acts.account("auditor-01").role == "sec_auditor"


def test_it_lifts_no_suspension_but_its_own(office: Office) -> None:
    """Or the nightly sync would undo what security has frozen."""
    off = patch({"op": "replace", "path": "active", "value": False})
    on = patch({"op": "replace", "path": "active", "value": True})
    office.acts.suspend("courier-88", "acct-admin-01")
    assert office.ask("PATCH", "/Users/courier-88", on).status == 403
    assert office.acts.account("courier-88").status == "suspended"
    assert office.ask("PATCH", "/Users/courier-89", off).status == 204
    assert office.ask("PATCH", "/Users/courier-89", on).status == 204
    assert office.acts.account("courier-89").status == "active"


@pytest.mark.parametrize(
    "change",
    [
        {"password": "five loud geese fly"},
        {"Password": "five loud geese fly"},
        {"urn:ietf:params:scim:schemas:core:2.0:User:password": "five loud geese fly"},
    ],
)
def test_no_secret_is_chosen_by_an_administrator(office: Office, change: dict[str, str]) -> None:
    assert office.ask("POST", "/Users", office.new() | change).status == 400
    for operation in (
        {"op": "replace", "value": change},
        {"op": "add", "path": next(iter(change)), "value": "five loud geese fly"},
    ):
        assert office.ask("PATCH", "/Users/courier-88", patch(operation)).status == 400


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"userName": ""},
        {"userName": "A B"},
        {"userName": "admin"},
        {"userName": None},
        {"displayName": None},
        {"active": "perhaps"},
        {ENTERPRISE: {"department": "no-such-unit"}},
        {ENTERPRISE: {"department": "ba-xixiang", "manager": {"value": "nobody"}}},
        {ENTERPRISE: {"department": "ba-xixiang", "manager": {"value": "courier-900"}}},
        {ENTERPRISE: None},
        {"schemas": ["urn:nothing"]},
    ],
)
def test_a_malformed_user_is_refused_whole(office: Office, change: dict[str, Any]) -> None:
    answer = office.ask("POST", "/Users", office.new() | change)
    assert answer.status in (400, 403), answer.text
    assert "Error" in answer.json()["schemas"][0]
    assert office.desk.account("courier-900") is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000, b'{"schemas": 1}']
)
def test_malformed_bodies_are_one_error(office: Office, body: bytes) -> None:
    for method, path in (
        ("POST", "/Users"),
        ("PUT", "/Users/courier-88"),
        ("PATCH", "/Users/courier-88"),
    ):
        assert office.ask(method, path, body).status == 400


def test_a_cycle_of_superiors_is_refused(office: Office) -> None:
    body = patch(
        {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": "courier-88"}}
    )
    answer = office.ask("PATCH", "/Users/sup-0413", body)
    assert answer.status == 403
    assert "chain" in answer.json()["detail"]


def test_a_part_that_is_refused_changes_nothing(office: Office) -> None:
    """All or nothing: the name is not changed when the role beside it is refused."""
    body = patch(
        {"op": "replace", "path": "displayName", "value": "别人"},
        {"op": "replace", "path": f"{ACCOUNT}:role", "value": "sec_auditor"},
    )
    before = office.ask("GET", "/Users/courier-88").json()
    assert office.ask("PATCH", "/Users/courier-88", body).status == 403
    assert office.ask("GET", "/Users/courier-88").json() == before


def test_a_person_twice_is_refused(office: Office) -> None:
    assert office.ask("POST", "/Users", office.new()).status == 201
    assert office.ask("POST", "/Users", office.new()).status == 409


# --- entity tags, filters, pages ---------------------------------------------------------------


def test_an_old_entity_tag_changes_nothing(office: Office) -> None:
    found = office.ask("GET", "/Users/courier-88")
    tag = found.header("etag") or ""
    assert office.ask("GET", "/Users/courier-88", if_none_match=tag).status == 304
    off = patch({"op": "replace", "path": "active", "value": False})
    assert office.ask("PATCH", "/Users/courier-88", off, if_match=tag).status == 204
    for method, body in (("PATCH", off), ("DELETE", None), ("PUT", found.json())):
        assert office.ask(method, "/Users/courier-88", body, if_match=tag).status == 412
    assert office.acts.account("courier-88").status == "suspended"


@pytest.mark.parametrize(
    ("query", "logins"),
    [
        ('userName eq "courier-88"', {"courier-88"}),
        ('userName eq "COURIER-88"', set()),
        ('userName sw "courier-9"', {"courier-90", "courier-91"}),
        (f'{ACCOUNT}:role eq "claims"', {"claims-03", "claims-04"}),
        ('externalId eq "x-1"', set()),
        ('userName eq "svc-hr"', set()),
        ('userName eq "recipient-01"', set()),
    ],
)
def test_filters_find_staff_alone(office: Office, query: str, logins: set[str]) -> None:
    from urllib.parse import quote

    found = office.ask("GET", f"/Users?filter={quote(query)}").json()
    assert {one["userName"] for one in found.get("Resources", [])} == logins
    assert found["totalResults"] == len(logins)


def test_pages_hold_everyone_once(office: Office) -> None:
    first = office.ask("GET", "/Users?startIndex=1&count=7").json()
    logins: list[str] = []
    for start in range(1, first["totalResults"] + 1, 7):
        page = office.ask("GET", f"/Users?startIndex={start}&count=7").json()
        logins += [one["userName"] for one in page["Resources"]]
    assert len(logins) == len(set(logins)) == first["totalResults"]
    everything = office.ask("GET", "/Users").json()
    assert everything["itemsPerPage"] <= 200
    beyond = office.ask("GET", f"/Users?startIndex={10**20}").json()
    assert (beyond["totalResults"], beyond["Resources"]) == (first["totalResults"], [])


def test_the_character_that_databases_stumble_on_is_refused(office: Office) -> None:
    """In an id, a filter or a value: PostgreSQL takes no U+0000, and that is no failure of ours."""
    patch = {
        "schemas": [PATCH],
        "Operations": [{"op": "replace", "path": "displayName", "value": "x\0"}],
    }
    for answer in (
        office.ask("GET", "/Users/a\0b"),
        office.ask("DELETE", "/Users/a\0b"),
        office.ask("GET", "/Users?filter=userName%20eq%20%22a%5Cu0000b%22"),
        office.ask("POST", "/Users", office.new(displayName="a\0b")),
        office.ask("PATCH", "/Users/courier-88", patch),
    ):
        assert (answer.status, answer.json()["scimType"]) == (400, "invalidValue")


@pytest.mark.parametrize("query", ["userName eq", "bogus eq 1 or", "(((", 'userName zz "x"'])
def test_a_bad_filter_is_said_to_be(office: Office, query: str) -> None:
    from urllib.parse import quote

    answer = office.ask("GET", f"/Users?filter={quote(query)}")
    assert (answer.status, answer.json()["scimType"]) == (400, "invalidFilter")


# --- groups ------------------------------------------------------------------------------------


def test_a_roles_group_gives_and_takes_the_role(office: Office) -> None:
    group = office.ask("GET", "/Groups/role.courier").json()
    assert {"courier-88", "courier-89"} <= {one["value"] for one in group["members"]}
    out = patch({"op": "remove", "path": 'members[value eq "courier-88"]'})
    before = office.epoch("courier-88")
    assert office.ask("PATCH", "/Groups/role.courier", out).status == 204
    assert (office.acts.account("courier-88").role, office.epoch("courier-88") > before) == (
        "none",
        True,
    )
    into = patch({"op": "add", "path": "members", "value": [{"value": "courier-88"}]})
    assert office.ask("PATCH", "/Groups/role.cs_agent", into).status == 204
    assert office.acts.account("courier-88").role == "cs_agent"


def test_a_group_gives_no_role_that_is_not_given(office: Office) -> None:
    into = patch({"op": "add", "path": "members", "value": [{"value": "courier-88"}]})
    assert office.ask("PATCH", "/Groups/role.sec_auditor", into).status == 403
    assert office.ask("DELETE", "/Groups/role.courier").status in (400, 403)
    assert office.acts.account("courier-88").role == "courier"


def test_a_group_of_its_own_gives_no_right(office: Office) -> None:
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "篮球队",
        "members": [{"value": "courier-88"}],
    }
    before = office.epoch("courier-88")
    made = office.ask("POST", "/Groups", body)
    assert made.status == 201
    assert office.epoch("courier-88") == before
    assert office.ask("POST", "/Groups", body).status == 409
    for wrong in ({"displayName": "courier"}, {"members": [{"value": "nobody"}]}):
        assert office.ask("POST", "/Groups", body | {"displayName": "x"} | wrong).status == 400
    assert office.ask("DELETE", f"/Groups/{made.json()['id']}").status == 204
