"""Registering applications: who may, and what stands in the register afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.test_audit_store import store_of
from tests.line_world import ROOT, template

from acl_engine.bootstrap.service_desk import ServiceDesk, registered
from acl_engine.domain.cas import RegisteredService
from acl_engine.domain.errors import ChangeRefused, InputError
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database

ADMIN = "acct-admin-01"
QUERY = RegisteredService("query", "https://query.example/app/", "查询")


@pytest.fixture
def url(tmp_path: Path) -> str:
    database, _ = template(tmp_path)
    database.close()
    return f"sqlite:///{tmp_path / 'line.db'}"


@pytest.fixture
def desk(url: str) -> Iterator[ServiceDesk]:
    with ServiceDesk.open(url, load_pack(ROOT / "policies" / "courier" / "after")) as found:
        yield found


def recorded(url: str) -> list[tuple[str, str, str]]:
    with Database.open(url) as database:
        entries = [one for _, one in store_of(database).entries()]
    return [(one.action, one.effect, one.reason) for one in entries if one.resource == "service"]


@pytest.mark.parametrize("by", ["courier-88", "nobody", ""])
def test_only_an_administrator_registers_and_removes(desk: ServiceDesk, url: str, by: str) -> None:
    """An application that anybody could register would be due what it likes."""
    desk.add(QUERY, ADMIN)
    with pytest.raises(ChangeRefused):
        desk.add(RegisteredService("own", "https://own.example/", "Own", ("name",)), by)
    with pytest.raises(ChangeRefused):
        desk.remove("query", by)
    assert registered(url) == (QUERY,)
    assert recorded(url) == [
        ("service.add", "allow", ""),
        ("service.add", "deny", "administration-not-allowed"),
        ("service.remove", "deny", "administration-not-allowed"),
    ]


@pytest.mark.parametrize(
    "same",
    [
        "https://query.example/app",
        "https://query.example:443/app/",
        "HTTPS://QUERY.example/app/",
        "https://query.example/%61pp/",
    ],
)
def test_one_address_belongs_to_one_application(desk: ServiceDesk, url: str, same: str) -> None:
    """However it is written: the second would be served in place of the first."""
    desk.add(QUERY, ADMIN)
    with pytest.raises(InputError, match="registered already"):
        desk.add(RegisteredService("second", same, "Second"), ADMIN)
    desk.add(RegisteredService("below", "https://query.example/app/below/", "Below"), ADMIN)
    assert [one.name for one in registered(url)] == ["below", "query"]


@pytest.mark.parametrize(
    "title", ["", "  ", "\u3000", "a\nb", "a\x1b[31mb", "\u202eabc", "x" * 101]
)
def test_a_title_that_does_not_show_as_it_is(desk: ServiceDesk, title: str) -> None:
    """It stands on the login page and in terminals: people go by it."""
    with pytest.raises(InputError, match="title"):
        desk.add(RegisteredService("query", QUERY.url, title), ADMIN)
    desk.add(RegisteredService("query", QUERY.url, "旧\u3000查询 1"), ADMIN)
