"""acl account: one accountable person behind every account, from joining to leaving."""

from datetime import datetime
from pathlib import Path

import click

from acl_engine.bootstrap.administration import CLEARED
from acl_engine.cli import (
    account_import,
    account_reach,
    account_rules,
    account_secrets,
    account_services,
)
from acl_engine.cli.account_options import (
    DATES,
    administration,
    by_option,
    database_option,
    done,
    end_of,
    pack_option,
    unit_option,
)
from acl_engine.domain.staff import Person
from acl_engine.domain.text import Lang
from acl_engine.identity.standing import DAY


@click.group("account")
def command() -> None:
    """Accounts: one person, one account, one responsible superior.

    Every change ends the account's sessions at the next decision, in every process, and is on
    record before it is made. Only an active account administrator makes changes, and gives
    nothing to their own; `--by` is written down and checked, and proven by who may reach the
    database.

    \b
    acl account create --login courier-9 --person p-9 --name 王五 --superior p-sup \\
        --role courier --area ba-xixiang --by adm-01
    acl account undertaking p-9 --signed 2026-03-02 --by adm-01
    acl account training p-9 --course privacy-2026 --on 2026-03-02 --by adm-01
    acl account enrol-totp courier-9
    acl account set-password courier-9
    """


@command.command("create")
@click.option("--login", required=True, help="The new account's name, such as courier-104.")
@click.option("--person", required=True, help="Id of the accountable person.")
@click.option("--name", help="The person's name, when the person is new.")
@click.option("--superior", help="Id of the new person's superior.")
@click.option("--role", required=True, help="A role of the policy: roles.yaml.")
@unit_option
@by_option
@pack_option
@database_option
@click.pass_obj
def create(
    lang: Lang,
    login: str,
    person: str,
    name: str | None,
    superior: str | None,
    role: str,
    unit: str,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Create an account. Its person then sets a password and enrols a second factor.

    It comes into force when undertaking and training are on record. A second account, a duty
    that must be apart, and a grant to oneself or by one's own creature are refused.
    """
    with administration(url, pack) as desk:
        if name:
            status = desk.join(login, Person(person, name, unit, superior, "active"), role, by)
        else:
            status = desk.create(login, person, role, unit, by)
    waits = status == "pending"
    done(
        lang,
        f"已创建 {login}" + ("，待承诺书与培训记录" if waits else ""),
        f"created {login}" + (", waiting for undertaking and training" if waits else ""),
    )


@command.command("move")
@click.argument("login")
@click.option("--role", help="The new role.")
@click.option("--unit", "--area", "unit", help="The new organisation unit.")
@click.option("--superior", help="Id of the person's new superior.")
@by_option
@pack_option
@database_option
@click.pass_obj
def move(
    lang: Lang,
    login: str,
    role: str | None,
    unit: str | None,
    superior: str | None,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Give LOGIN another role, unit or superior; the old rights end at once."""
    if role is None and unit is None and superior is None:
        raise click.UsageError("name --role, --unit, --superior or several")
    with administration(url, pack) as desk:
        person = desk.account(login).person
        if superior is not None and person is not None:
            desk.set_superior(person, superior, by)
        if role is not None or unit is not None:
            desk.move(login, role, unit, by)
    done(lang, f"已调动 {login}", f"moved {login}")


@command.command("suspend")
@click.argument("login")
@by_option
@pack_option
@database_option
@click.pass_obj
def suspend(lang: Lang, login: str, by: str, pack: Path | None, url: str) -> None:
    """Suspend LOGIN; live sessions end."""
    with administration(url, pack) as desk:
        desk.suspend(login, by)
    done(lang, f"已停用 {login}", f"suspended {login}")


@command.command("resume")
@click.argument("login")
@click.option("--reason", type=click.Choice(CLEARED), help="Why; asked for after a freeze.")
@by_option
@pack_option
@database_option
@click.pass_obj
def resume(
    lang: Lang, login: str, reason: str | None, by: str, pack: Path | None, url: str
) -> None:
    """Make a suspended LOGIN active again, if nothing but recent use is lacking.

    One that an alert froze (`acl audit detect --follow --react`) is resumed for a reason, which
    stands in the log beside the alert.
    """
    with administration(url, pack) as desk:
        desk.resume(login, by, reason or "")
    done(lang, f"已恢复 {login}", f"resumed {login}")


@command.command("leave")
@click.argument("person")
@by_option
@pack_option
@database_option
@click.pass_obj
def leave(lang: Lang, person: str, by: str, pack: Path | None, url: str) -> None:
    """PERSON has left: every account, session and device of theirs ends."""
    with administration(url, pack) as desk:
        desk.leave(person, by)
    done(lang, f"{person} 已离职", f"{person} has left")


@command.command("rehire")
@click.argument("person")
@by_option
@pack_option
@database_option
@click.pass_obj
def rehire(lang: Lang, person: str, by: str, pack: Path | None, url: str) -> None:
    """PERSON, who had left, comes back: to sign and be trained anew, with a new account."""
    with administration(url, pack) as desk:
        desk.rehire(person, by)
    done(lang, f"{person} 重新入职，请新建账号", f"{person} is back; create a new account")


@command.command("create-temporary")
@click.option("--login", required=True, help="The new account's name, such as courier-104.")
@click.option("--person", required=True, help="Id of the new person.")
@click.option("--name", required=True, help="The new person's name.")
@click.option("--sponsor", required=True, help="Id of the regular person who answers for them.")
@click.option("--role", required=True, help="A role of the policy: roles.yaml.")
@unit_option
@click.option("--until", type=DATES, help="End of the term (UTC).")
@click.option("--days", type=click.IntRange(1, 3650), help="Or: so many days from now.")
@click.option("--course", required=True, help="The training they took on their first day.")
@by_option
@pack_option
@database_option
@click.pass_obj
def create_temporary(
    lang: Lang,
    login: str,
    person: str,
    name: str,
    sponsor: str,
    role: str,
    unit: str,
    until: datetime | None,
    days: int | None,
    course: str,
    by: str,
    pack: Path | None,
    url: str,
) -> None:
    """Enrol peak-season staff in one step: person, signed undertaking, training, account, term.

    The sponsor is their superior. They are out when the term ends, without anybody's doing. Then:
    `acl account enrol-totp`, `acl account set-password`, `acl device bind` and `lease`.

    \b
    acl account create-temporary --login tmp-1 --person p-t1 --name 临时 --sponsor p-2 \\
        --role courier --area ba-1 --days 20 --course first-day --by adm-01
    """
    with administration(url, pack) as desk:
        ends = end_of(desk.desk.now(), until, days, DAY, "--days")
        new = Person(person, name, unit, sponsor, "active", "temporary", sponsor, ends_at=ends)
        status = account_rules.standing(desk).temporary(new, login, role, course, by)
    done(lang, f"已登记 {login}（{status}）", f"enrolled {login} ({status})")


for one in (
    *account_secrets.COMMANDS,
    *account_rules.COMMANDS,
    *account_services.COMMANDS,
    *account_import.COMMANDS,
):
    command.add_command(one)
command.add_command(account_reach.reach)
