"""The id of a request passes for no number: it would be hidden where it is needed."""

import secrets

import pytest

from acl_engine.domain.errors import AccessDenied
from acl_engine.domain.request_id import new_request_id
from acl_engine.masking.quoting import without_quotes


def test_an_id_that_looks_like_a_number_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mobile number, an identity number, a landline, a permit, a power of ten."""
    looks = ["ab19012345678cde", "4403011990010112", "fab075526123456c", "f12345678ab07552"]
    drawn = iter([*looks, "1212345612345e12", "0123456789abcdef", "ab12cd34ef56ab78"])
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(drawn))
    assert new_request_id() == "ab12cd34ef56ab78"


def test_every_id_is_said_in_full() -> None:
    for _ in range(20_000):
        message = AccessDenied(new_request_id()).message
        assert without_quotes(message) is message
