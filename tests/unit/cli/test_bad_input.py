"""Bad input at the shell: exit 2, one line with what and where, nothing half-written."""

import errno
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from acl_engine.cli import main
from acl_engine.domain.borrowed import in_chinese
from acl_engine.storage import engines

ROOT = Path(__file__).parents[3]
SCENARIO = ROOT / "scenarios" / "courier" / "case7-off-shift.yaml"
Acl = Callable[..., tuple[int, str]]


@pytest.fixture
def acl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Acl:
    """`acl WORDS`: the exit code and what stood on stderr; what went wrong prints no more."""

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["acl", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        if left.value.code == 2:
            assert "Traceback" not in out + err
            assert "internal error" not in err
        return int(left.value.code or 0), err

    return run


def one_line(err: str, *says: str) -> None:
    """One line, which says all of this."""
    assert len(err.strip().splitlines()) == 1, err
    for word in says:
        assert word in err


# --- the command itself --------------------------------------------------------------------------

TYPED_WRONGLY = {
    "replya": ("`replya`", "closest: replay", "`acl --help`"),
    "replay --polcy x": ("`--polcy`", "closest: --policy", "`acl replay --help`"),
    "replay --database x": ("`--database` (see `acl replay --help`)",),
    "zzz": ("`zzz` (see `acl --help`)",),
    "replay --policy /no/where": ("wrong value for `--policy`", "/no/where"),
    "replay --format xml": ("`--format`", "'xml' is not one of", "junit"),
    "lookup --lang en": ("`--lang` stands before the command", "`acl --lang zh ...`"),
    "replay --format": ("--format", "requires an argument"),
    "lookup": ("missing `--database`", "`acl lookup --help`"),
    "--lang fr replay": ("`--lang`", "'fr'"),
    "mask file": ("missing `IN`",),
}


@pytest.mark.parametrize("typed", TYPED_WRONGLY)
def test_a_command_typed_wrongly_is_told_in_one_line(typed: str, acl: Acl) -> None:
    """What was wrong, and which help to read, like any other error."""
    code, err = acl(*typed.split())
    assert code == 2
    one_line(err, "acl: ", *TYPED_WRONGLY[typed])


@pytest.mark.parametrize("typed", ["--lang zh lookup", "--lang=zh lookup"])
def test_it_is_told_in_the_language_asked_for(typed: str, acl: Acl) -> None:
    """However the option is written; and the option wins over the environment."""
    one_line(acl(*typed.split())[1], "缺少 `--database`")


def test_the_option_for_the_language_wins(acl: Acl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACL_LANG", "zh")
    one_line(acl("--lang", "en", "lookup")[1], "missing `--database`")
    one_line(acl("lookup")[1], "缺少 `--database`")


# --- scenarios -----------------------------------------------------------------------------------

DEFECTS = {
    "unknown-key": ("status: active", "status: active\nseverty: high", "unknown key `severty`"),
    "undefined-variable": ("${load.waybill_no}", "${laod.waybill_no}", "`laod` is not defined"),
    "no-actor": ("    actor: courier\n", "", "step `s1` needs exactly one of"),
    "no-such-actor": ("    actor: courier\n", "    actor: currier\n", "actor `currier`"),
    "no-such-control": ("controls: [shift]", "controls: [shfit]", "`shfit`"),
    "no-such-account": ("account: courier-88", "account: courier-00", "`courier-00`"),
    "no-such-action": ("action: read", "action: raed", "action `raed`"),
    "broken-yaml": ("steps:", "steps: [", "YAML syntax error"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_wrong_scenario_stops_the_replay(name: str, acl: Acl, tmp_path: Path) -> None:
    """Before anything runs; the file and the line are named, in both languages."""
    old, new, says = DEFECTS[name]
    file = tmp_path / "wrong.yaml"
    text = SCENARIO.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    code, err = acl("replay", str(file))
    assert code == 2
    one_line(err, says, f"{file}:")
    assert err.split(f"{file}:")[1][0].isdigit()
    code, err = acl("--lang", "zh", "replay", str(file))
    assert code == 2
    assert any("\u4e00" <= letter <= "\u9fff" for letter in err)


def test_an_unused_param_is_an_error(acl: Acl, tmp_path: Path) -> None:
    """It was meant to be used: by a name that is mistyped elsewhere."""
    document = yaml.safe_load(SCENARIO.read_text(encoding="utf-8"))
    document["params"]["spare"] = {"type": "parcel", "where": "named(load-2)"}
    file = tmp_path / "wrong.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    code, err = acl("replay", str(file))
    assert code == 2
    one_line(err, "param `spare` is never used")


def test_what_is_not_there(acl: Acl, tmp_path: Path) -> None:
    """A name that nobody knows is told with those that exist."""
    code, err = acl("replay", "courier.reverse-lokup")
    assert code == 2
    one_line(err, "courier.reverse-lokup", "defined: courier.reverse-lookup,")
    code, err = acl("replay", "--pack", "bank")
    assert code == 2
    assert "bank" in err
    code, err = acl("replay", str(tmp_path / "gone.yaml"))
    assert code == 2
    one_line(err, "gone.yaml")


# --- databases -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world on disk."""
    file = tmp_path_factory.mktemp("world") / "small.db"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as left:
        words = ["world", "build", "--database", f"sqlite:///{file}", "--waybills", "40"]
        patch.setattr(sys, "argv", ["acl", *words])
        main()
    assert not left.value.code
    return file


@pytest.fixture
def file(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(world, tmp_path / "world.db"))


def look(acl: Acl, file: Path) -> tuple[int, str]:
    words = ["--database", f"sqlite:///{file}", "--as", "courier-88", "--action", "search"]
    return acl("lookup", *words, "--by", "stage=OUT_FOR_DELIVERY")


def change(acl: Acl, file: Path) -> tuple[int, str]:
    words = ["--database", f"sqlite:///{file}", "--by", "acct-admin-01"]
    return acl("account", "suspend", "courier-88", *words)


COMMANDS = {"lookup": look, "account suspend": change}


@pytest.mark.parametrize("command", COMMANDS)
def test_another_schema_version(command: str, acl: Acl, file: Path) -> None:
    """Refused before anything is read; the database is as it was."""
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = file.read_bytes()
    code, err = COMMANDS[command](acl, file)
    assert code == 2
    one_line(err, "world.db", "9999")
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_locked_database(
    command: str, acl: Acl, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named as locked after a bounded wait; the account is as it was."""
    monkeypatch.setattr(engines, "LOCK_SECONDS", 1)
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        code, err = COMMANDS[command](acl, file)
    finally:
        lock.close()
    assert code == 2
    one_line(err, "world.db", "locked")
    with sqlite3.connect(file) as raw:
        status = "SELECT status FROM accounts WHERE login = 'courier-88'"
        assert raw.execute(status).fetchone() == ("active",)
    raw.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_database(command: str, acl: Acl, file: Path) -> None:
    """What cannot be written down is not answered: refused at open."""
    file.chmod(0o444)
    file.parent.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        _reachable(file.parent)
        os.seteuid(65534)  # root may write anything: become nobody
    try:
        code, err = COMMANDS[command](acl, file)
    finally:
        if root:
            os.seteuid(0)
        file.parent.chmod(0o755)
    assert code == 2
    one_line(err, "world.db", "read-only")


def _reachable(folder: Path) -> None:
    """Nobody may walk down to it."""
    for above in (folder, *folder.parents):
        if above.stat().st_uid == 0 and above != Path(above.anchor):
            above.chmod(above.stat().st_mode | 0o055)


def test_a_database_that_is_not_there(acl: Acl, tmp_path: Path) -> None:
    """It is not made in passing."""
    for command in COMMANDS.values():
        code, err = command(acl, tmp_path / "gone.db")
        assert code == 2
        one_line(err, "gone.db")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database(acl: Acl, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no database at all, but long enough to be read as a header of one" * 20)
    for command in COMMANDS.values():
        code, err = command(acl, file)
        assert code == 2
        one_line(err, "notes.txt")


def test_replay_touches_no_database_of_the_user(acl: Acl, file: Path) -> None:
    """It builds worlds of its own: there is no way to point it at one."""
    code, err = acl("replay", "--database", f"sqlite:///{file}", "courier.off-shift")
    assert code == 2
    assert "--database" in err


# --- policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            ", OUT_FOR_DELIVERY, value=clear, allow",
            ", OUT_FOR_DELIVERY, allow",
            "7 columns, expected 8",
        ),
        ("courier.cash, courier,", "courier.cash, currier,", "`currier`"),
        ("OUT_FOR_DELIVERY, value=clear", "OUT_FOR_DELIVRY, value=clear", "`OUT_FOR_DELIVRY`"),
    ],
)
def test_a_wrong_row_stops_the_replay(
    acl: Acl, tmp_path: Path, old: str, new: str, says: str
) -> None:
    """A row too short, an unknown role, a mistyped stage: file and line, and nothing runs."""
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "policies" / "courier" / "after", folder)
    rows = (folder / "policy.csv").read_text(encoding="utf-8")
    assert rows.count(old) == 1
    (folder / "policy.csv").write_text(rows.replace(old, new), encoding="utf-8")
    line = rows[: rows.index(old)].count("\n") + 1
    code, err = acl("replay", "--policy", str(folder), "courier.off-shift")
    assert code == 2
    assert says in err
    assert f"{folder / 'policy.csv'}:{line}" in err.splitlines()[0]


# --- in Chinese, whole ---------------------------------------------------------------------------

IN_CHINESE = {
    "scenario check no.yaml": "没有这个文件或文件夹",
    "scenario check .": "是文件夹，不是文件",
    "replay courier.nope": "情景 `courier.nope` 没有定义",
    "replay --format xml": "'xml' 不在可选值",
    "policy load .": "是文件夹，不是文件",
    "world build --waybills many": "'many' 不是整数",
    "serve --port 99999": "99999 不在范围",
    "policy check policies/mistyped": "角色 `courir` 不存在",
}


@pytest.mark.parametrize("words", IN_CHINESE)
def test_a_chinese_error_has_no_half_in_english(
    words: str, acl: Acl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """What the system, a library or the name of a kind puts into a sentence is translated too."""
    shutil.copytree(ROOT / "policies" / "courier" / "after", tmp_path / "policies" / "mistyped")
    file = tmp_path / "policies" / "mistyped" / "policy.csv"
    file.write_text(file.read_text("utf-8").replace(", courier, waybill", ", courir, waybill", 1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACL_HOME", str(ROOT))
    monkeypatch.setattr(sys, "argv", ["acl", "--lang", "zh", *words.split()])
    with pytest.raises(SystemExit):
        main()
    out, err = capsys.readouterr()
    assert IN_CHINESE[words] in out + err


def test_every_kind_that_a_message_names_has_its_word() -> None:
    """A new `what="..."` or errno of this system is met in Chinese, or fails here."""
    named = {
        found
        for path in (ROOT / "src").rglob("*.py")
        for found in re.findall(r'what="([a-z][^"]+)"', path.read_text("utf-8"))
    }
    kinds = {one for one in named if one == in_chinese(one)}
    assert named
    assert kinds == set()
    common = (errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.ENOSPC, errno.EROFS)
    assert [one for one in map(os.strerror, common) if one == in_chinese(one)] == []
