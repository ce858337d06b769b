"""A bundle that is unsigned, changed, signed by one person, or rolled back is not loaded."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.domain.errors import PolicyError
from acl_engine.domain.running import Running
from acl_engine.policy import bundle as b

FILES = {"model.conf": "[request_definition]\n", "policy.csv": "p, a\n"}
AUTHOR, APPROVER, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in b"123")


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


TRUST = (
    b.Trusted("ann", ("author",), public(AUTHOR)),
    b.Trusted("bob", ("author", "approver"), public(APPROVER)),
)


def replayed(files: dict[str, str], short: int = 0) -> dict[str, Any]:
    return {"policy_digest": b.digest_of(files), "summary": {"total": 9, "short": short}}


def signed(sequence: int = 2) -> b.Bundle:
    bundle = b.make("courier", sequence, FILES, {}, replayed(FILES))
    return b.sign(b.sign(bundle, "author", "ann", AUTHOR), "approver", "bob", APPROVER)


def refused(data: bytes, code: str, **options: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        b.verify(data, TRUST, **options)
    assert caught.value.message.code == code


def test_signed_by_two_loads() -> None:
    """Author and approver, both trusted: the files come back as they were."""
    assert b.verify(b.encode(signed()), TRUST).files == FILES


@pytest.mark.parametrize("missing", ["author", "approver"])
def test_one_signature_is_not_enough(missing: str) -> None:
    """Four eyes: one signature less is refused."""
    document = json.loads(b.encode(signed()))
    document["signatures"] = [s for s in document["signatures"] if s["part"] != missing]
    refused(json.dumps(document).encode(), "bundle.unsigned")


def test_changed_file_is_refused() -> None:
    """One changed character in a policy row is noticed."""
    refused(b.encode(signed()).replace(b"p, a", b"p, b"), "bundle.digest")


def test_changed_file_with_fresh_digest_is_refused() -> None:
    """Whoever recomputes the digest still lacks the keys."""
    document = json.loads(b.encode(signed()))
    document["files"]["policy.csv"] = "p, mallory\n"
    document["digest"] = b.digest_of(document["files"])
    document["replay"] = replayed(document["files"])
    refused(json.dumps(document).encode(), "bundle.unsigned")


@pytest.mark.parametrize("key", ["pack", "sequence", "diff", "replay"])
def test_every_part_is_signed(key: str) -> None:
    """Sequence, difference and replay result are bound in, not only the files."""
    document = json.loads(b.encode(signed()))
    document[key] = {"pack": "other", "sequence": 99, "diff": {"x": 1}}.get(
        key, document["replay"] | {"note": "forged"}
    )
    refused(json.dumps(document).encode(), "bundle.unsigned")


def test_author_cannot_approve_themselves() -> None:
    """Bob may play both parts, though not in one bundle."""
    bundle = b.make("courier", 1, FILES, {}, replayed(FILES))
    twice = b.sign(b.sign(bundle, "author", "bob", APPROVER), "approver", "bob", APPROVER)
    refused(b.encode(twice), "bundle.same-person")


def test_one_key_under_two_names_is_one_person() -> None:
    """Two names with one key are the same person."""
    trust = (b.Trusted("ann", ("author",), public(APPROVER)), TRUST[1])
    bundle = b.make("courier", 1, FILES, {}, replayed(FILES))
    twice = b.sign(b.sign(bundle, "author", "ann", APPROVER), "approver", "bob", APPROVER)
    with pytest.raises(PolicyError) as caught:
        b.verify(b.encode(twice), trust)
    assert caught.value.message.code == "bundle.same-person"


def test_part_is_bound_to_the_signature() -> None:
    """An author's signature cannot be presented as an approval, nor the other way round."""
    document = json.loads(b.encode(signed()))
    for one in document["signatures"]:
        one["part"] = "approver" if one["part"] == "author" else "author"
    refused(json.dumps(document).encode(), "bundle.unsigned")


def test_stranger_is_refused() -> None:
    """A valid signature by a key outside of the trust file counts for nothing."""
    bundle = b.sign(signed(), "approver", "eve", STRANGER)
    refused(b.encode(bundle), "bundle.untrusted")


def test_replay_of_another_version_is_refused() -> None:
    """A good result of other files proves nothing about these."""
    with pytest.raises(PolicyError):
        b.make("courier", 1, FILES, {}, replayed({"policy.csv": "p, x\n"}))


@pytest.mark.parametrize("result", [{}, {"summary": {}}, replayed(FILES, short=1)])
def test_replay_that_fell_short_is_refused(result: dict[str, Any]) -> None:
    """No bundle without a complete replay with nothing short."""
    with pytest.raises(PolicyError):
        b.make("courier", 1, FILES, {}, result)


RUNNING = Running("courier", 5, "f" * 64, 5)


def order(to: b.Bundle, **change: Any) -> b.Rollback:
    given = {"from_sequence": 5, "to_digest": to.digest, "reason": "fault", "made_at": 1}
    return b.Rollback(**{**given, **change})


def both(document: b.Rollback) -> bytes:
    return b.encode(b.sign(b.sign(document, "author", "ann", AUTHOR), "approver", "bob", APPROVER))


def test_rollback_needs_an_order_signed_by_both() -> None:
    """An older bundle is let in by an order for exactly this step back, and by nothing less."""
    old = signed(2)
    data = b.encode(old)
    refused(data, "bundle.rollback", running=RUNNING)
    half = b.encode(b.sign(order(old), "author", "ann", AUTHOR))
    refused(data, "bundle.unsigned", running=RUNNING, rollback=half)
    good = both(order(old))
    assert b.verify(data, TRUST, running=RUNNING, rollback=good).sequence == 2
    further = Running("courier", 6, "e" * 64, 6)
    refused(data, "bundle.rollback", running=further, rollback=good)
    other = both(order(old, to_digest="0" * 64))
    refused(data, "bundle.rollback", running=RUNNING, rollback=other)


def test_an_order_is_good_once() -> None:
    """Whoever kept an old order cannot go back by it again, nor by signing it anew."""
    old = signed(2)
    good = both(order(old))
    again = Running("courier", 5, "f" * 64, 5, frozenset({b.order_digest(good)}))
    refused(b.encode(old), "bundle.order-used", running=again, rollback=good)
    resigned = b.encode(b.sign(b.read(good, "order"), "approver", "bob", APPROVER))
    refused(b.encode(old), "bundle.order-used", running=again, rollback=resigned)
    fresh = both(order(old, made_at=2))
    assert b.verify(b.encode(old), TRUST, running=again, rollback=fresh)


def test_a_sequence_names_one_bundle() -> None:
    """Another bundle under the number that runs, or that ran before a step back, is refused."""
    for sequence, running in ((5, RUNNING), (4, Running("courier", 2, "f" * 64, 5))):
        refused(b.encode(signed(sequence)), "bundle.rollback", running=running)
    assert b.verify(b.encode(signed(6)), TRUST, running=RUNNING).sequence == 6


def test_what_runs_may_be_opened_again() -> None:
    """A restart after a step back needs no second order."""
    old = signed(2)
    assert b.verify(b.encode(old), TRUST, running=Running("courier", 2, old.digest, 5)) == old


def test_another_companys_bundle_is_refused() -> None:
    refused(b.encode(signed(9)), "bundle.other-pack", running=Running("gym", 1, "f" * 64, 1))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"schema":"acl-bundle/2"}'])
def test_garbage_is_one_clear_error(data: bytes) -> None:
    """Bad input is named, never a traceback."""
    refused(data, "bundle.unreadable")
