"""A policy signed by two people of the tests, for what opens a database of real people."""

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap.policies import PolicySource, open_policy
from acl_engine.domain.pack import Pack
from acl_engine.policy import bundle
from acl_engine.policy.pack import load_pack
from acl_engine.storage.database import Database

AFTER = Path(__file__).parents[1] / "policies" / "courier" / "after"
ANN, BOB = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def replayed(files: dict[str, str], short: int = 0) -> dict[str, Any]:
    """A replay result as the bundle wants it: complete, of exactly these files."""
    return {"policy_digest": bundle.digest_of(files), "summary": {"total": 9, "short": short}}


def signed(pack: Pack, sequence: int = 1, name: str = "courier") -> bytes:
    """A bundle of the pack: author ann, approver bob."""
    files = dict(pack.files)
    made = bundle.make(name, sequence, files, {}, replayed(files))
    made = bundle.sign(made, "author", "ann", ANN)
    return bundle.encode(bundle.sign(made, "approver", "bob", BOB))


def trust_file(into: Path) -> Path:
    """Who may sign: ann writes, bob approves."""
    file = into / "trust.yaml"
    file.write_text(
        "schema: acl-policy-trust/1\npeople:\n"
        f"  - {{name: ann, parts: [author], public_key: {public(ANN)}}}\n"
        f"  - {{name: bob, parts: [author, approver], public_key: {public(BOB)}}}\n"
    )
    file.chmod(0o600)
    return file


def source(into: Path, pack: Pack | None = None, sequence: int = 1) -> PolicySource:
    """The bundle and its trust file, written to a folder."""
    file = into / f"bundle-{sequence}.json"
    file.write_bytes(signed(pack or load_pack(AFTER), sequence))
    return PolicySource(file, trust_file(into))


def loaded(database: Database, into: Path, pack: Pack | None = None) -> Pack:
    """Load the policy over a database, as production does."""
    return open_policy(database, source(into, pack))


def in_environment(into: Path, patch: pytest.MonkeyPatch) -> None:
    """As a production service is told: ACL_POLICY and ACL_POLICY_TRUST."""
    told = source(into)
    patch.setenv("ACL_POLICY", str(told.path))
    patch.setenv("ACL_POLICY_TRUST", str(told.trust))
