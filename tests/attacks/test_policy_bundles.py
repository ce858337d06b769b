"""Attacks on which policy runs over real people: unsigned, changed, older, replayed, unrecorded."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests import signed_policy
from tests.contract.test_audit_store import store_of
from tests.signed_policy import AFTER, ANN, BOB, source

from acl_engine.bootstrap.policies import PolicySource, open_policy, policy_for
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import AclError, AuditUnavailable, ConfigError
from acl_engine.domain.pack import Pack
from acl_engine.policy import bundle
from acl_engine.policy.pack import load_pack, pack_from_files
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.group_commit import NOT_DURABLE
from acl_engine.storage.policy_loads import SqlPolicyLoads

PACK = load_pack(AFTER)


def with_remark(number: int) -> Pack:
    """The same policy with other bytes: another version."""
    files = dict(PACK.files)
    files["policy.csv"] += f"# version {number}\n"
    return pack_from_files(files, folder="courier/x")


def refused(database: Database, told: PolicySource, code: str) -> AuditEntry:
    """The refusal, which is on record under the same code."""
    with pytest.raises(AclError) as caught:
        open_policy(database, told)
    assert caught.value.message.code == code
    last = log(database)[-1]
    assert (last.action, last.effect, last.reason) == ("policy.refuse", "deny", code)
    return last


def log(database: Database) -> list[AuditEntry]:
    return [entry for _, entry in store_of(database).entries()]


def order(into: Path, to: Pack, from_sequence: int, made_at: int = 1) -> Path:
    bare = bundle.Rollback(
        from_sequence=from_sequence,
        to_digest=bundle.digest_of(to.files),
        reason="fault",
        made_at=made_at,
    )
    both = bundle.sign(bundle.sign(bare, "author", "ann", ANN), "approver", "bob", BOB)
    file = into / f"order-{made_at}.json"
    file.write_bytes(bundle.encode(both))
    return file


def test_a_signed_bundle_loads_and_is_on_record(database: Database, tmp_path: Path) -> None:
    pack = signed_policy.loaded(database, tmp_path)
    assert pack.rows == PACK.rows
    (entry,) = log(database)
    assert (entry.action, entry.effect, entry.resource) == (
        "policy.load",
        "allow",
        "policy:courier:1",
    )
    assert entry.purpose == "author ann; approver bob"
    running = SqlPolicyLoads(database).running()
    assert running is not None
    assert running.digest == bundle.digest_of(PACK.files)


def test_an_unsigned_folder(database: Database, tmp_path: Path) -> None:
    """Not even the right words, before they were signed; afterwards they are the same policy."""
    refused(database, PolicySource(AFTER), "policies.unsigned")
    signed_policy.loaded(database, tmp_path)
    assert open_policy(database, PolicySource(AFTER)).version == PACK.version


def test_nothing_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing configuration stops the start."""
    monkeypatch.delenv("ACL_POLICY", raising=False)
    with pytest.raises(ConfigError) as caught:
        policy_for(database)
    assert caught.value.message.code == "policies.none"


def test_no_trust_file_or_a_foreign_one(database: Database, tmp_path: Path) -> None:
    told = source(tmp_path)
    refused(database, replace(told, trust=None), "policies.no-trust")
    own = tmp_path / "own.yaml"
    text = signed_policy.trust_file(tmp_path).read_text()
    own.write_text(text.replace(signed_policy.public(ANN), signed_policy.public(BOB)[::-1]))
    own.chmod(0o600)
    refused(database, replace(told, trust=own), "trust.key")
    told.trust.chmod(0o666)  # type: ignore[union-attr]
    refused(database, told, "trust.writable")


def test_a_changed_bundle(database: Database, tmp_path: Path) -> None:
    """One letter of one row, by somebody with the file alone."""
    told = source(tmp_path)
    told.path.write_bytes(told.path.read_bytes().replace(b", deny", b",allow", 1))
    entry = refused(database, told, "bundle.digest")
    assert len(entry.digest) == 64


def test_the_company_of_2020_signed_by_both(database: Database, tmp_path: Path) -> None:
    before = load_pack(AFTER.parent / "before")
    refused(database, source(tmp_path, before), "policies.replay-only")
    assert SqlPolicyLoads(database).running() is None


def test_an_older_bundle_and_the_way_back(database: Database, tmp_path: Path) -> None:
    """By no one alone; by an order of both, once; the way forward again likewise."""
    old, new = with_remark(1), with_remark(2)
    first, second = source(tmp_path, old, 1), source(tmp_path, new, 2)
    open_policy(database, first)
    open_policy(database, second)
    entry = refused(database, first, "bundle.rollback")
    assert entry.resource == "policy:courier:2"
    back = order(tmp_path, old, 2)
    assert open_policy(database, replace(first, rollback=back)).version == old.version
    assert log(database)[-1].action == "policy.rollback"
    assert open_policy(database, first).version == old.version  # a restart needs no order
    refused(database, second, "bundle.rollback")
    open_policy(database, source(tmp_path, with_remark(3), 3))
    refused(database, replace(first, rollback=back), "bundle.order-used")
    open_policy(database, replace(second, rollback=order(tmp_path, new, 3, 2)))
    refused(database, replace(first, rollback=back), "bundle.order-used")


def test_no_record_no_policy(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the log cannot be written, nothing is loaded."""

    def broken(self: AuditStore, entry: AuditEntry) -> None:
        raise AuditUnavailable(NOT_DURABLE.of())

    monkeypatch.setattr(AuditStore, "append", broken)
    with pytest.raises(AuditUnavailable):
        signed_policy.loaded(database, tmp_path)
    assert SqlPolicyLoads(database).running() is None


def test_two_processes_load_at_once(database: Database, tmp_path: Path) -> None:
    """The same bundle, by four at once: all run it, and it is loaded once."""
    same = source(tmp_path)
    outcomes: list[str] = []

    def load(told: PolicySource) -> None:
        try:
            outcomes.append(open_policy(database, told).version)
        except AclError as failure:
            outcomes.append(failure.message.code)

    threads = [threading.Thread(target=load, args=(same,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [PACK.version] * 4
    running = SqlPolicyLoads(database).running()
    assert running is not None
    assert (running.sequence, running.highest) == (1, 1)
