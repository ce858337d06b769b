"""Which application an address belongs to: read as the servers behind it read it."""

import pytest

from acl_engine.domain.cas import RegisteredService
from acl_engine.identity.service_url import belongs, readable, service_of, with_parameter

HOME = RegisteredService("home", "https://app.example/", "Home")
SUB = RegisteredService("sub", "https://app.example/sub/", "Sub")
LONG = RegisteredService("long", "https://app.example/%73%75%62/", "the same, spelt at length")
DEEP = RegisteredService("deep", "https://app.example/sub/deep/", "Deep")


@pytest.mark.parametrize(
    "path", ["/sub/x", "/%73ub/x", "/s%75b/x", "/sub;jsessionid=1/x", "/sub/x;jsessionid=1", "/sub"]
)
def test_another_spelling_reaches_no_other_application(path: str) -> None:
    """`sub` is due less than `home`: by a spelling of its own address it must not pass for it."""
    found = service_of(f"https://app.example{path}", [HOME, SUB])
    assert found is SUB


@pytest.mark.parametrize("path", ["/sub/..;/admin", "/sub/.;x/admin", "/sub/%2e%2e;a=b/admin"])
def test_a_way_up_behind_a_path_parameter_belongs_to_nobody(path: str) -> None:
    """Some servers drop the parameter, and then go up (`/..;/`)."""
    assert readable(f"https://app.example{path}") is None
    assert not belongs(f"https://app.example{path}", SUB.url)


def test_the_deepest_application_counts_and_not_the_longest_spelling() -> None:
    found = service_of("https://app.example/sub/deep/x", [HOME, LONG, DEEP])
    assert found is DEEP


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://a.example/x", "https://a.example/x?ticket=ST-1"),
        ("https://a.example/x?b=c", "https://a.example/x?b=c&ticket=ST-1"),
        ("https://a.example/x?", "https://a.example/x?&ticket=ST-1"),
    ],
)
def test_the_ticket_is_a_parameter_of_its_own(url: str, made: str) -> None:
    assert with_parameter(url, "ticket", "ST-1") == made
