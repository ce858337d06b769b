"""acl lookup: one look as one account, answered or denied by the same line, and on record."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from tests import signed_policy
from tests.contract.test_audit_store import store_of
from tests.line_world import template

from acl_engine.cli import cli
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.replay.theatre import small_world
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lookup")
    database, _ = template(folder)
    database.close()
    return folder / "line.db"


@pytest.fixture
def url(built: Path, tmp_path: Path) -> str:
    shutil.copy(built, tmp_path / "world.db")
    return f"sqlite:///{tmp_path / 'world.db'}"


def run(url: str, *words: str, lang: str = "en", typed: str = "") -> Result:
    command = ["--lang", lang, "lookup", "--database", url, *words]
    return CliRunner().invoke(cli, command, input=typed, catch_exceptions=False)


LOAD = ("--as", "courier-88", "--action", "search", "--by", "stage=OUT_FOR_DELIVERY")


def test_a_courier_sees_the_load_and_the_rule(url: str) -> None:
    done = run(url, *LOAD, "--format", "json")
    assert done.exit_code == 0
    document = json.loads(done.output)
    assert document["schema"] == "acl-lookup/1"
    assert document["allowed"]
    assert len(document["views"]) >= 8
    assert all("recipient_phone" not in view["fields"] for view in document["views"])
    assert "courier.load-search" in document["why"]["rule"]


def test_the_code_beside_each_record_leads_back(url: str) -> None:
    """Every record on the screen carries it; `read-mark` tells whose session it was."""
    done = run(url, *LOAD)
    codes = re.findall(r"^\S+  ([2-9A-Z]{5}-[2-9A-Z]{5})$", done.output, re.MULTILINE)
    assert (len(codes) >= 8, len({*codes})) == (True, 1)
    asked = ["--lang", "en", "audit", "read-mark", codes[0], "--database", url]
    asked += ["--by", "auditor-01"]
    found = CliRunner().invoke(cli, asked, catch_exceptions=False)
    assert (found.exit_code, "account courier-88" in found.output) == (0, True)


def test_questions_between_looks_set_no_clock_back(url: str) -> None:
    """Auditor, courier and manager in turn: the log of a made-up world verifies all the same."""
    ask = ["audit", "account", "courier-88", "--by", "auditor-01", "--database", url]
    for login in ("courier-88", "courier-88", "sup-0413"):
        run(url, "--as", login, *LOAD[2:])
        assert CliRunner().invoke(cli, ask, catch_exceptions=False).exit_code == 0
    verified = CliRunner().invoke(cli, ["audit", "verify", "--database", url])
    assert verified.exit_code == 0, verified.output


def test_the_same_look_again(url: str) -> None:
    """A one-time code is not used twice: the next look waits for the next one."""
    assert [run(url, *LOAD).exit_code for _ in range(3)] == [0, 0, 0]


def test_a_denial_says_why_to_the_author(url: str) -> None:
    """In a made-up world the step and the control are printed, in both languages; exit 1."""
    for lang, word in (("en", "step 3"), ("zh", "禁止反查")):
        done = run(url, "--as", "sup-0413", "--by", "phone=19012345678", lang=lang)
        assert done.exit_code == 1
        assert word in done.output
        assert "no-reverse-lookup" in done.output
        assert "19012345678" not in done.output


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ("运单号 waybill_no: ", "物流轨迹 trace:", "入扫", "依据 keeper")),
        ("en", ("  waybill_no: ", "  trace:", "scanned in", "allowed by keeper")),
    ],
)
def test_fields_and_scans_are_in_words(url: str, lang: str, said: tuple[str, ...]) -> None:
    """A trace line by line; beside its words a field keeps the name that policies use."""
    in_custody = Truth(small_world(ROOT), 300).by_name["keeper-parcel"].waybill_no
    done = run(url, "--as", "keeper-07", "--key", in_custody, lang=lang)
    assert done.exit_code == 0
    for word in said:
        assert word in done.output
    assert "{" not in done.output


def test_a_strangers_scanner_does_not_log_in(url: str) -> None:
    done = run(url, *LOAD, "--device", "pda-stolen-1")
    assert done.exit_code == 1
    assert "step login" in done.output
    assert "device-binding" in done.output


def test_the_company_of_2020_shows_everything(url: str) -> None:
    before = str(ROOT / "policies" / "courier" / "before")
    done = run(
        url, "--policy", before, "--as", "sup-0413", "--action", "search", "--by", "stage=CLAIM"
    )
    assert done.exit_code == 0
    assert "recipient_phone: 19" in done.output


def test_every_look_is_on_record(url: str) -> None:
    done = run(url, *LOAD, "--format", "json")
    with Database.open(url) as database:
        kept = list(store_of(database).of_request(json.loads(done.output)["request"]))
    assert [entry.kind for entry in kept] == ["intent", "outcome"]
    assert kept[0].account == "courier-88"


@pytest.mark.parametrize("words", [("--as", "nobody", "--key", "x"), (*LOAD, "--by", "stage")])
def test_wrong_words(url: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        run(url, *words)


def test_a_real_world_asks_for_credentials_and_tells_no_reason(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the mark: the company's own key file, a prompt, and a denial that says nothing."""
    with Database.open(url) as database, database.write() as cx:
        cx.execute(text("DELETE FROM world_mark"))
    signed_policy.in_environment(tmp_path, monkeypatch)
    monkeypatch.delenv("ACL_MASTER_KEY_FILE", raising=False)
    with pytest.raises(ConfigError):
        run(url, *LOAD)
    key = tmp_path / "master.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    monkeypatch.setenv("ACL_MASTER_KEY_FILE", str(key))
    done = run(url, *LOAD, typed="guessed\n000000\n")
    assert done.exit_code == 1
    assert "why" not in done.output
    assert "guessed" not in done.output
    before = str(ROOT / "policies" / "courier" / "before")
    with pytest.raises(ConfigError):
        run(url, *LOAD, "--policy", before)
