"""acl keys: the data keys under which personal data lies encrypted."""

from pathlib import Path

import click

from acl_engine.bootstrap.keyring import KeyDesk
from acl_engine.cli.account_options import database_option, day_of
from acl_engine.cli.audit_options import by_option, document, format_option, say
from acl_engine.cli.progress import counting
from acl_engine.domain.text import Lang, Text

GENERATION = Text(
    "keys.generation",
    "第 {number} 代  {made}  {records} 条记录",
    "data key {number}  {made}  {records} records",
)
NONE = Text("keys.none", "还没有数据密钥", "there is no data key yet")
UNSEALED = Text("keys.clear", "未加密：{count} 条记录", "not sealed: {count} payloads")
SEALED = Text("keys.sealed", "已加密 {count} 条记录", "{count} payloads were sealed")
ROTATED = Text(
    "keys.rotated", "已换到新数据密钥：{count} 条", "{count} record keys are under the new data key"
)
CHANGED = Text(
    "keys.changed",
    "{count} 把密钥已换到新主密钥下。现在把 ACL_MASTER_KEY_FILE 指向 {file}，并重启每个服务；"
    "此前的备份只能用旧主密钥打开",
    "{count} keys are under the new master key. Now point ACL_MASTER_KEY_FILE to {file} and restart"
    " every service; backups made before open with the old one only",
)
WOULD_CHANGE = Text(
    "keys.would-change",
    "将把 {count} 把密钥换到 {file} 的主密钥下；未做任何改动",
    "{count} keys would be put under the master key of {file}; nothing was changed",
)
DESTROYED = Text("keys.destroyed", "已销毁数据密钥：{numbers}", "data keys destroyed: {numbers}")
WOULD = Text(
    "keys.would",
    "将为 {count} 条记录更换数据密钥；未做任何改动",
    "{count} record keys would be wrapped anew; nothing was changed",
)


@click.group("keys")
def command() -> None:
    """Encryption at rest: list and rotate data keys, change the master key.

    Every record of personal data lies under a key of its own (AES-256-GCM); data keys wrap those,
    and the master key (ACL_MASTER_KEY_FILE) wraps the data keys.
    """


@command.command("list")
@database_option
@format_option
@click.pass_obj
def list_(lang: Lang, url: str, form: str) -> None:
    """Every data key: when it was made, how many records it serves.

    \b
    acl keys list --database sqlite:///acl.db
    """
    with KeyDesk.open(url) as desk:
        found, clear = desk.generations(), desk.unsealed()
    if form == "json":
        rows = [{"generation": g.number, "made_at": g.made_at, "records": g.records} for g in found]
        document("acl-keys/1", data_keys=rows, unsealed=clear)
        return
    for one in found:
        say(lang, GENERATION, number=one.number, made=day_of(one.made_at), records=one.records)
    if not found:
        say(lang, NONE)
    if clear:
        say(lang, UNSEALED, count=clear)


@command.command("seal")
@database_option
@by_option
@click.pass_obj
def seal(lang: Lang, url: str, by: str) -> None:
    """Encrypt what an earlier version of this program stored in clear. Once, after an upgrade.

    It may be stopped and started again, while the engine runs.

    \b
    acl keys seal --by it-ops-01 --database sqlite:///acl.db
    """
    with KeyDesk.open(url) as desk:
        done = counting(desk.seal(by), desk.unsealed())
    say(lang, SEALED, count=done)


@command.command("rotate")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@database_option
@by_option
@click.pass_obj
def rotate(lang: Lang, dry_run: bool, url: str, by: str) -> None:
    """Put every record under a new data key, then destroy the old one. Lookups go on meanwhile.

    Stopped half-way, the same command goes on with it. While a legal hold is open the old data key
    stays. Copies made before (backups) still open with their own copy of the old key: keep them no
    longer than the data may live.

    \b
    acl keys rotate --by it-ops-01 --database sqlite:///acl.db
    """
    with KeyDesk.open(url) as desk:
        total = desk.left() or sum(one.records for one in desk.generations())
        if dry_run:
            say(lang, WOULD, count=total)
            return
        say(lang, ROTATED, count=counting(desk.rotate(by), total))
        gone = desk.destroy_old(by)
    if gone:
        say(lang, DESTROYED, numbers=", ".join(map(str, gone)))


@command.command("change-master")
@click.option(
    "--new-key-file",
    "new",
    required=True,
    type=click.Path(path_type=Path),
    help="The new master key: 32 random bytes or more, mode 600.",
)
@click.option("--dry-run", is_flag=True, help="Open everything, write nothing.")
@database_option
@by_option
@click.pass_obj
def change(lang: Lang, new: Path, dry_run: bool, url: str, by: str) -> None:
    """Put the keys of this database under another master key, all or nothing.

    ACL_MASTER_KEY_FILE (or ACL_MASTER_KEY) still names the old one. Lookups go on meanwhile;
    restart every service with the new file afterwards, before the next `acl keys rotate`. If the
    old key may have been seen, rotate the data keys too.

    \b
    acl keys change-master --new-key-file /etc/acl/new.key --by it-ops-01 --database sqlite:///acl.db
    """
    with KeyDesk.open(url) as desk:
        count = desk.change_master(by, new, dry_run=dry_run)
    say(lang, WOULD_CHANGE if dry_run else CHANGED, count=count, file=new)
