"""The `acl audit` commands over a small log."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from tests.contract.test_audit_store import entry, store_of

from acl_engine.audit import screenmark
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.keys import KEY_FILE, KeyedPseudonyms, Keys
from acl_engine.cli import cli
from acl_engine.domain.errors import AclError, InputError
from acl_engine.domain.tracing import PlantedMark
from acl_engine.storage.database import Database
from acl_engine.storage.planted import PlantedMarkStore

MASTER = b"m" * 32
WAYBILL, PHONE = "SF0000000001", "19011112222"
MARK = screenmark.mark("ab" * 32)


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A log with looks at one waybill by two accounts."""
    key = tmp_path / "master"
    key.write_bytes(MASTER)
    key.chmod(0o600)
    monkeypatch.setenv(KEY_FILE, str(key))
    monkeypatch.setenv("ACL_OPERATOR", "auditor-01")
    digest = KeyedPseudonyms(Keys.of(MASTER, MASTER).pseudonym).digest("waybill", WAYBILL)
    with Database.open(sqlite_url) as database:
        store = store_of(database)
        shown = {"subjects": (digest,), "fields": ("route",), "count": 1, "watermark": MARK}
        store.append(entry("q1", at=1_772_000_000_000, kind="intent", line="5"))
        store.append(entry("q1", at=1_772_000_000_001, **shown))
        store.append(entry("q2", at=1_772_000_100_000, account="sup-0413", **shown))
        store.append(entry("q3", at=1_772_000_200_000, account="sup-0413", subjects=("other",)))
    return sqlite_url


def run(*args: str, lang: str = "en") -> Result:
    return CliRunner().invoke(cli, ["--lang", lang, "audit", *args], catch_exceptions=True)


@pytest.mark.parametrize(
    "question",
    [
        "who-saw SN1",
        "account courier-88",
        "read-mark 3ZRKG-T9YJV",
        "export",
        "honey SN1",
        "trace f",
    ],
)
def test_nobody_asks_about_people_without_a_name(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, question: str
) -> None:
    """For every look at the log, too, there is one named person."""
    monkeypatch.delenv("ACL_OPERATOR")
    monkeypatch.chdir(tmp_path)
    Path("f").write_text("SN4040605697514\n")
    refused = run(*question.split(), "--database", url)
    assert (refused.exit_code, "--by" in refused.stderr) == (2, True)


def test_sign_prove_and_check_without_the_database(url: str, tmp_path: Path) -> None:
    """A receipt made here holds on a machine that has the trust file alone."""
    assert run("checkpoint", "--database", url).output.startswith("signed 4 records")
    trust = tmp_path / "trust"
    trust.write_text(run("key", "--database", url).output)
    out = tmp_path / "look.tlog-proof"
    made = run("prove", "q1", "--database", url, "--out", str(out))
    assert made.exit_code == 0
    assert len(made.output.splitlines()) == 2  # intent and outcome
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text("DELETE FROM audit_records"))
    checked = run("receipt-check", str(out), "--trust", str(trust))
    assert checked.exit_code == 0
    assert "record 0 is in the log" in checked.output
    out.write_text(out.read_text().replace("index 0", "index 1"))
    assert isinstance(run("receipt-check", str(out), "--trust", str(trust)).exception, InputError)


def test_proof_waits_for_a_checkpoint(url: str) -> None:
    """Before a checkpoint there is nothing to prove against: the error says what to do."""
    failed = run("prove", "q1", "--database", url).exception
    assert isinstance(failed, AclError)
    assert "acl audit checkpoint" in failed.render()
    assert isinstance(run("prove", "nothing", "--database", url).exception, InputError)


def test_verify_names_the_record_and_exits_1(url: str, tmp_path: Path) -> None:
    """Sound: exit 0 and the ranges; a changed record: its number and exit 1; in both languages."""
    run("checkpoint", "--database", url, "--copy", str(tmp_path / "copy"))
    sound = run("verify", "--database", url)
    assert (sound.exit_code, "nothing wrong" in sound.output) == (0, True)
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text("UPDATE audit_records SET body = '{}' WHERE \"index\" = 2"))
    bad = run("verify", "--database", url, "--copy", str(tmp_path / "copy"))
    assert (bad.exit_code, "record 2 was changed" in bad.output) == (1, True)
    assert "记录 2" in run("verify", "--database", url, lang="zh").output


def test_witness_refuses_what_was_rewritten(url: str, tmp_path: Path) -> None:
    """A witness's memory outlives the database's: after a rewrite it does not sign."""
    folder = tmp_path / "witness.example"
    folder.mkdir()
    (folder / "key").write_bytes(b"w" * 32)
    trust = tmp_path / "trust"
    trust.write_text(run("key", "--database", url, "--witness", str(folder)).output)
    options = ("--database", url, "--trust", str(trust), "--witness", str(folder))
    assert "(witnessed)" in run("checkpoint", *options).output
    assert "0-4 witnessed" in run("verify", *options).output
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text('DELETE FROM audit_records WHERE "index" > 1'))
        cx.execute(text("DELETE FROM audit_checkpoints"))
    assert isinstance(run("checkpoint", *options).exception, InputError)
    found = run("verify", *options)
    assert found.exit_code == 1
    assert "records from 2 are gone" in found.output


def test_change_of_keys(url: str, tmp_path: Path) -> None:
    """Old and new sign one checkpoint; whoever trusts either goes on."""
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(name[:1].encode() * 32)
    both = ("--key", str(tmp_path / "old"), "--key", str(tmp_path / "new"))
    assert run("checkpoint", "--database", url, *both).exit_code == 0
    with Accountability.open(url) as desk:
        note = desk.proofs.checkpoints()[-1]
    assert note.count("\u2014 ") == 2


def test_who_saw_a_waybill(url: str) -> None:
    """The data subject's report names both accounts; a stranger's waybill was seen by nobody."""
    seen = run("who-saw", WAYBILL, "--database", url).output
    assert "cs-12" in seen
    assert "sup-0413" in seen
    assert len(seen.splitlines()) == 2
    assert run("who-saw", "SF9999999999", "--database", url).output == "no record\n"


def test_account_and_its_span(url: str) -> None:
    """What an account saw, within a span; the end is excluded."""
    everything = run("account", "sup-0413", "--database", url).output
    assert "2 looks answered, 1 rows shown: 2 records of 2 people; fields: route" in everything
    span = ("--from", "2026-02-25T06:15:00", "--to", "2026-02-25T06:16:40")
    assert "1 looks answered" in run("account", "sup-0413", *span, "--database", url).output


def test_account_that_nobody_knows(url: str) -> None:
    """A login typed wrong is told so: "0 looks" would clear somebody who was never asked about."""
    done = run("account", "sup-0431", "--database", url)
    assert isinstance(done.exception, InputError)


def test_asking_the_log_is_on_the_log(url: str) -> None:
    """Whoever asks who saw what is written down too, without the clear value asked for."""
    run("who-saw", PHONE, "--database", url, "--by", "dpo-01")
    with Accountability.open(url) as desk:
        *_, (_, body, _) = desk.store.raw()
    assert b"dpo-01" in body
    assert b"audit.who-saw" in body
    assert PHONE.encode() not in body


def test_export(url: str) -> None:
    """Each record is one line; OCSF events have the fields that their class requires."""
    plain = run("export", "--database", url).output.splitlines()
    assert [json.loads(line)["index"] for line in plain] == [0, 1, 2, 3, 4]  # 4: the export itself
    events = [
        json.loads(line)
        for line in run("export", "--format", "ocsf", "--database", url).output.splitlines()
    ]
    for event in events:
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert {"actor", "src_endpoint", "time", "metadata", "severity_id"} <= set(event)
        assert event["class_uid"] != 6003 or event["api"]["operation"]
    assert events[0]["class_uid"] == 6005


def test_hold(url: str) -> None:
    """A case is held once, listed, and released once; each act is on record."""
    assert run("hold", "case-7", "--database", url, "--by", "legal-01").exit_code == 0
    assert isinstance(run("hold", "case-7", "--database", url).exception, InputError)
    assert "case-7" in run("hold", "--list", "--database", url).output
    assert run("hold", "case-7", "--release", "--database", url).exit_code == 0
    assert isinstance(run("hold", "case-7", "--release", "--database", url).exception, InputError)
    assert run("hold", "--list", "--database", url).output == ""
    assert run("hold", "--database", url).exit_code == 2
    with Accountability.open(url) as desk:
        actions = [one.action for _, one in desk.store.entries()]
    assert actions[4:6] == ["audit.hold", "audit.hold"]
    assert "audit.release" in actions


def test_subjects_copy_names_roles_and_no_person(url: str) -> None:
    """What a data subject is handed: who by role, what by field, in both languages; no account."""
    with Database.open(url) as database:
        digest = KeyedPseudonyms(Keys.of(MASTER, MASTER).pseudonym).digest("waybill", WAYBILL)
        refused = {"subjects": (digest,), "effect": "deny", "kind": "intent", "line": "3"}
        store_of(database).append(entry("q4", account="nosy-01", **refused))
    zh = run("who-saw", WAYBILL, "--copy", "--database", url, lang="zh").output
    en = run("who-saw", WAYBILL, "--copy", "--database", url).output
    assert "客服" in zh
    assert "三段码" in zh
    assert "1 次请求被拒绝" in zh
    assert "customer-service agent" in en
    assert "route code" in en
    for hidden in ("cs-12", "sup-0413", "p-12", "pc-12", "nosy-01", WAYBILL):
        assert hidden not in zh + en
    looks = json.loads(
        run("who-saw", WAYBILL, "--copy", "--format", "json", "--database", url).output
    )
    assert [one["index"] for one in looks["looks"]] == [1, 2]
    assert looks["refused"] == 1


def test_read_mark_leads_to_the_session_and_its_looks(url: str) -> None:
    """A mark as it was read off a photograph, in small letters and with a dash, names who it was;
    the other looks of that session around the minute stand below."""
    with Database.open(url) as database:
        at = 1_772_000_000_001 + 60_000
        store_of(database).append(entry("q5", at=at, subjects=("more",), count=1, session="s-1"))
    spoken = f"{MARK[:5]}-{MARK[5:]}".lower()
    found = run("read-mark", spoken, "--database", url)
    assert found.exit_code == 0
    assert "account cs-12 (p-12, cs_agent, ba-xixiang), device pc-12, session s-1" in found.output
    rows = json.loads(run("read-mark", MARK, "--format", "json", "--database", url).output)
    assert [one["request"] for one in rows["own"]] == ["q1", "q2"]
    assert [one["request"] for one in rows["around"]] == ["q3", "q5"]


def test_misread_mark_is_noticed(url: str) -> None:
    """One wrong symbol: not looked up, and the likely reading is said."""
    wrong = ("2" if MARK[0] != "2" else "3") + MARK[1:]
    failed = run("read-mark", wrong, "--database", url).exception
    assert isinstance(failed, InputError)
    assert MARK in failed.render()
    nobody = run("read-mark", screenmark.mark("cd" * 32), "--database", url)
    assert (nobody.exit_code, nobody.output) == (1, "no record\n")


@pytest.fixture
def leak(url: str, tmp_path: Path) -> Path:
    """What ten couriers of a branch looked at in a day, and a list of what one of them did."""
    digest = KeyedPseudonyms(Keys.of(MASTER, MASTER).pseudonym).digest
    with Database.open(url) as database:
        store = store_of(database)
        for courier in range(10):
            load = tuple(digest("waybill", f"SN{courier:04}{i:09}") for i in range(50))
            who = {"account": f"courier-{courier}", "person": f"p-{courier}", "role": "courier"}
            store.append(
                entry(f"day-{courier}", at=1_772_100_000_000, subjects=load, count=50, **who)
            )
    listed = [f"{i + 1}、SN{3:04}{i:09}，某某某，某路{i}号" for i in range(40)]
    path = tmp_path / "leaked.txt"
    path.write_text("\n".join(["出售：", *listed, "SN9999999999999"]), "gb18030")
    return path


def test_trace_names_the_account_behind_a_list(url: str, leak: Path) -> None:
    """A list as it was found, in a Chinese encoding, with other words and noise in it."""
    found = run("trace", str(leak), "--database", url)
    assert found.exit_code == 0
    assert "41 in the list, 40 of them were looked at" in found.output
    assert "named courier-3 (p-3, courier, ba-xixiang)" in found.output
    assert "指认 courier-3" in run("trace", str(leak), "--database", url, lang="zh").output
    document = json.loads(run("trace", str(leak), "--format", "json", "--database", url).output)
    assert document["named"][0]["accounts"] == ["courier-3"]
    assert document["people"]["courier-3"] == "p-3"
    assert "SN0003" not in found.output  # no number of the list is said again


def test_trace_says_cannot_tell(url: str, leak: Path) -> None:
    """Outside of the span, or a branch's whole day: exit 1 and nobody accused."""
    before = run("trace", str(leak), "--to", "2026-02-26", "--database", url)
    assert (before.exit_code, "cannot tell" in before.output) == (1, True)
    whole = [f"SN{courier:04}{i:09}" for courier in range(10) for i in range(50)]
    leak.write_text("\n".join(whole))
    robbed = run("trace", str(leak), "--database", url)
    assert (robbed.exit_code, "named" in robbed.output) == (1, False)


def test_trace_takes_a_planted_mark_as_evidence(url: str, leak: Path) -> None:
    """A row made up for one export stands in the list: that export and its account are named."""
    digest = KeyedPseudonyms(Keys.of(MASTER, MASTER).pseudonym).digest("waybill", "SN7777777777777")
    with Database.open(url) as database:
        mark = PlantedMark(digest, "export", 1_772_000_000_000, "engine", "finance-02", "q-export")
        PlantedMarkStore(database).plant([mark])
    leak.write_text("SN7777777777777\n")
    found = run("trace", str(leak), "--database", url)
    assert found.exit_code == 0
    assert "the mark of an export: finance-02, request q-export" in found.output


def test_honey_rows_are_planted_once_and_found(url: str, leak: Path) -> None:
    """Planted rows are kept as digests; a list that holds one says so; twice is refused."""
    assert (
        "2 honey rows"
        in run("honey", "SN8888888888881", "SN8888888888882", "--database", url).output
    )
    again = run("honey", "SN8888888888882", "SN8888888888883", "--database", url)
    assert isinstance(again.exception, InputError)
    with Database.open(url) as database:
        assert len(PlantedMarkStore(database).honey()) == 2
    leak.write_text("SN8888888888881\n")
    assert "1 honey rows" in run("trace", str(leak), "--database", url).output


def test_a_list_without_numbers_is_refused(url: str, tmp_path: Path) -> None:
    """Nothing to trace, or no file: one clear line."""
    empty = tmp_path / "empty.txt"
    empty.write_text("nothing here\n")
    assert isinstance(run("trace", str(empty), "--database", url).exception, InputError)
    assert isinstance(run("trace", str(tmp_path), "--database", url).exception, InputError)
