"""A policy on its way: packed with a real replay, signed by two, loaded, refused, rolled back."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acl_engine.cli import cli
from acl_engine.domain.errors import AclError
from acl_engine.policy import bundle
from acl_engine.storage.database import Database
from tests.contract.test_audit_store import store_of
from tests.signed_policy import AFTER


def run(*words: object, typed: str = "", code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [*map(str, words)], input=typed, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def refused(code: str, *words: object) -> None:
    with pytest.raises(AclError) as caught:
        run(*words)
    assert caught.value.message.code == code


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two keys, a trust file, and the company's policy in a bundle that nobody signed yet."""
    folder = tmp_path_factory.mktemp("desk")
    lines = ["schema: acl-policy-trust/1", "people:"]
    for name, part in (("ann", "author"), ("bob", "approver")):
        line = run("policy", "key", "--name", name, "--out", folder / f"{name}.key").output
        lines.append(line.rstrip().replace("author", part))
    (folder / "trust.yaml").write_text("\n".join(lines) + "\n")
    (folder / "trust.yaml").chmod(0o600)
    before = AFTER.parent / "before"
    v1 = ("--sequence", 1, "--out", folder / "v1.json", "--previous", before, "--no-ablation")
    said = run("policy", "bundle", AFTER, *v1).output
    assert "0 fell short" in said
    return folder


@pytest.fixture
def at(desk: Path, tmp_path: Path) -> Path:
    """A copy of the desk for one test."""
    return Path(shutil.copytree(desk, tmp_path / "desk"))


def sign(at: Path, name: str, part: str, file: str = "v1.json", *more: object) -> Result:
    key = at / f"{name}.key"
    return run(
        "policy", "sign", at / file, "--as", part, "--name", name, "--key", key, "--yes", *more
    )


def as_newer(at: Path, file: str, sequence: int) -> None:
    """The same policy with a remark, as a later bundle whose replay is taken as read."""
    document = json.loads((at / "v1.json").read_text())
    files = {**document["files"]}
    files["policy.csv"] += f"# {sequence}\n"
    replay = {**document["replay"], "policy_digest": bundle.digest_of(files)}
    made = bundle.make("courier", sequence, files, document["diff"], replay)
    (at / file).write_bytes(bundle.encode(made))


def test_two_people_bring_it_into_production(at: Path, sqlite_url: str) -> None:
    """Signed by one it does not load; by both it does; an older one needs an order of both."""
    trust = ("--trust", at / "trust.yaml")
    to = ("--database", sqlite_url)
    refused("bundle.unsigned", "policy", "verify", at / "v1.json", *trust)
    said = sign(at, "ann", "author").output
    assert "`warehouse_keeper` gains waybill.search" in said
    refused("bundle.unsigned", "policy", "load", at / "v1.json", *trust, *to)
    sign(at, "bob", "approver", "v1.json", "--previous", AFTER.parent / "before")
    assert "author ann, approver bob" in run("policy", "verify", at / "v1.json", *trust).output
    run("policy", "load", at / "v1.json", *trust, *to)
    as_newer(at, "v2.json", 2)
    sign(at, "ann", "author", "v2.json")
    sign(at, "bob", "approver", "v2.json")
    run("policy", "load", at / "v2.json", *trust, *to)
    refused("bundle.rollback", "policy", "load", at / "v1.json", *trust, *to)
    order = ("--from", 2, "--reason", "v2 stops the sort", "--out", at / "back.json")
    run("policy", "rollback", at / "v1.json", *order)
    sign(at, "ann", "author", "back.json")
    back = ("--rollback", at / "back.json")
    refused("bundle.unsigned", "policy", "load", at / "v1.json", *trust, *to, *back)
    assert "v2 stops the sort" in sign(at, "bob", "approver", "back.json").output
    run("policy", "load", at / "v1.json", *trust, *to, *back)
    with Database.open(sqlite_url) as database:
        acts = [(one.action, one.effect) for _, one in store_of(database).entries()]
    assert acts == [
        ("policy.refuse", "deny"),
        ("policy.load", "allow"),
        ("policy.load", "allow"),
        ("policy.refuse", "deny"),
        ("policy.refuse", "deny"),
        ("policy.rollback", "allow"),
    ]


def test_a_diff_that_its_author_made_up(at: Path) -> None:
    """Whoever approves computes it again and sees."""
    document = json.loads((at / "v1.json").read_text())
    document["diff"]["changes"], document["diff"]["wider"] = [], 0
    (at / "v1.json").write_text(json.dumps(document))
    sign(at, "ann", "author")
    words = ("--as", "approver", "--name", "bob", "--key", at / "bob.key", "--yes")
    again = ("--previous", AFTER.parent / "before")
    refused("policy-bundle.not-the-same", "policy", "sign", at / "v1.json", *words, *again)


def test_one_person_does_not_sign_twice(at: Path) -> None:
    sign(at, "ann", "author")
    words = ("--as", "approver", "--name", "ann", "--key", at / "ann.key", "--yes")
    refused("bundle.same-person", "policy", "sign", at / "v1.json", *words)


def test_a_signature_is_asked_for_and_a_no_changes_nothing(at: Path) -> None:
    words = ("--as", "author", "--name", "ann", "--key", at / "ann.key")
    before = (at / "v1.json").read_bytes()
    run("policy", "sign", at / "v1.json", *words, typed="n\n", code=1)
    assert (at / "v1.json").read_bytes() == before


def test_mistakes_are_named(at: Path) -> None:
    """One line each: a key that others read, a file that exists, an order in a bundle's place."""
    key = ("--key", at / "ann.key", "--as", "author", "--name", "ann", "--yes")
    (at / "ann.key").chmod(0o644)
    refused("policy-bundle.key", "policy", "sign", at / "v1.json", *key)
    refused("policy-bundle.exists", "policy", "key", "--name", "x", "--out", at / "bob.key")
    refused(
        "policy-bundle.no-file", "policy", "verify", at / "no.json", "--trust", at / "trust.yaml"
    )
    refused("bundle.unreadable", "policy", "sign", at / "trust.yaml", *key)
    document = json.loads((at / "v1.json").read_text())
    document["files"]["../../evil"] = "x"
    (at / "v1.json").write_text(json.dumps(document))
    (at / "ann.key").chmod(0o600)
    refused("policy-bundle.strange-file", "policy", "sign", at / "v1.json", *key)
