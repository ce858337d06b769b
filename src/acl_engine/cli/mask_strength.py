"""acl mask strength: what a profile, or all that somebody can reach, leaves to guess."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from acl_engine.analysis.mask_reach import CLEAR, Join, Seen, joins, reach
from acl_engine.bootstrap.paths import project_root
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.pack import Pack
from acl_engine.domain.text import Lang, Text
from acl_engine.masking.cities import CROWDED
from acl_engine.masking.profile_strength import LEAST, PICKUP_CODE, FieldStrength, strength
from acl_engine.masking.profiles import Profile, profile
from acl_engine.masking.strength import BORN, POPULATION, Known
from acl_engine.policy.pack import load_pack
from acl_engine.replay.world.seed import read_seed
from acl_engine.storage.database import Database
from acl_engine.storage.staff import SqlStaffDirectory

SHORT = 1

NOBODY = Text(
    "mask-strength.nobody",
    "策略 `{policy}` 没有角色 `{who}`，也没有这个账号",
    "the policy `{policy}` has no role `{who}`, and there is no such account",
    "角色：{known}",
    "roles: {known}",
)
NOTHING = Text(
    "mask-strength.nothing-seen",
    "看不到任何电话、姓名或证件号",
    "sees no phone, name or ID number",
)
FEWER_DIGITS = Text(
    "mask-strength.fewer-digits",
    "仅 {crowded} 个城市的尾号 4 位剩余 {least} 种以上；其余城市少显示几位（用 --city 查看）",
    "only in {crowded} cities do the last four digits leave {least} or more; elsewhere fewer are "
    "shown (see --city)",
)
UNDER = Text(
    "mask-strength.under",
    "`{kind}`：最少剩余 {left} 种，低于策略规定的 {least}",
    "`{kind}`: {left} left at the least, under the policy's minimum of {least}",
)
WITHIN = Text(
    "mask-strength.within",
    "`{kind}`：最少剩余 {left} 种，策略规定至少 {least}",
    "`{kind}`: {left} left at the least, the policy's minimum is {least}",
)
BY_RIGHT = Text(
    "mask-strength.by-right",
    "`{kind}`：原文，依据 {rows}",
    "`{kind}`: in clear, by {rows}",
)

_HEADS = {
    "zh": ("方案", "字段", "样例", "最少", "10%", "中位数", "90%"),
    "en": ("profile", "field", "sample", "least", "10%", "median", "90%"),
}
_SEEN_HEADS = {
    "zh": ("角色", "行", "字段", "显示", "样例", "最少", "中位数"),
    "en": ("role", "row", "field", "shown", "sample", "least", "median"),
}
_JOIN = {"zh": "合计", "en": "together"}
_PRINTED = {"zh": "（纸面）", "en": " (on paper)"}


@click.command("strength")
@click.argument("profiles", nargs=-1)
@click.option("--city", help="Count phones of this city alone, such as 深圳.")
@click.option(
    "--policy",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Count what --who can reach under this policy instead of profiles.",
)
@click.option(
    "--who",
    multiple=True,
    metavar="ROLE|ACCOUNT",
    help="With --policy: a role or an account; several are a coalition that pools what it sees.",
)
@click.option(
    "--database",
    "url",
    metavar="URL",
    help="Where accounts are looked up.  [default: the cast of the policy's seed]",
)
@click.option(
    "--population",
    type=click.IntRange(1),
    default=POPULATION,
    show_default=True,
    help="People among whom a name is looked for.",
)
@click.option(
    "--born",
    type=(int, int),
    default=(BORN[0].year, BORN[1].year),
    show_default=True,
    help="First and last year of birth that an ID number may have.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def show_strength(
    ctx: click.Context,
    profiles: tuple[str, ...],
    city: str | None,
    folder: Path | None,
    who: tuple[str, ...],
    url: str | None,
    population: int,
    born: tuple[int, int],
    form: str,
) -> None:
    """Candidates left under each of PROFILES, and under the join of them all.

    A viewer who reaches several views of one value knows their join. Phones are counted by the
    public segment table, in each number's own city.

    With --policy, the views are those that the policy lets --who reach, over every row, stage
    and action, and what is printed on the parcels that they hold.

    \b
    acl mask strength pickup --city 深圳
    acl mask strength label-gbt41833 legacy-3-4
    acl mask strength --policy policies/courier/after --who courier --who station_clerk
    acl mask strength --policy policies/courier/after --who courier-88

    Exit code 0: fine. 1: a join is under the policy's minimum. 2: the command is wrong.
    """
    if not 1900 <= born[0] <= born[1] <= 2100:
        raise click.BadParameter(
            "FIRST must not be after LAST, both 1900 to 2100", param_hint="--born"
        )
    known = Known(city, (date(born[0], 1, 1), date(born[1], 12, 31)), population)
    if folder is None:
        if not profiles or who:
            raise click.UsageError("name PROFILES, or --policy DIR with --who ROLE|ACCOUNT")
        _of_profiles(profiles, known, form, ctx.obj)
        return
    pack = load_pack(folder)
    names = (*who, *profiles)  # `--who courier station_clerk`
    if not names:
        raise click.UsageError("with --policy, name whose views to join: --who ROLE|ACCOUNT")
    roles = tuple(dict.fromkeys(role for one in names for role in _roles(pack, one, url)))
    if not _of_policy(pack, names, roles, known, form, ctx.obj):
        ctx.exit(SHORT)


# --- profiles ------------------------------------------------------------------------------------


def _of_profiles(profiles: tuple[str, ...], known: Known, form: str, lang: Lang) -> None:
    named = [profile(one) for one in dict.fromkeys(profiles)]
    found = [(one.id, strength([one.id], known)) for one in named]
    if len(named) > 1:
        found.append((" + ".join(one.id for one in named), strength(profiles, known)))
    if form == "json":
        _print_json(found, named)
        return
    rows = [(name, row.field, row.view, *_counts(row)) for name, fields in found for row in fields]
    _print_table(_HEADS[lang], rows, 3)
    for one in named:
        if one.flag:
            click.echo(f"! {one.id}: {one.flag.of().render(lang)}")
    if known.city is None and any(one.phone_last > 2 and not one.phone_first for one in named):
        click.echo(f"! {FEWER_DIGITS.of(crowded=len(CROWDED), least=LEAST).render(lang)}")
    for name, fields in found:
        for row in fields:
            if row.median < LEAST:
                text = PICKUP_CODE.of(field=row.field, left=row.median, least=LEAST)
                click.echo(f"! {name}: {text.render(lang)} ({text.hint(lang)})")


def _counts(row: FieldStrength) -> Iterator[str]:
    return (f"{count:,}" for count in (row.least, row.low, row.median, row.high))


def _print_json(found: list[tuple[str, tuple[FieldStrength, ...]]], named: list[Profile]) -> None:
    flags = {one.id: one.flag.code for one in named if one.flag}
    document = {
        "schema": "acl-mask-strength/1",
        "profiles": [
            {"profile": name, "fields": [asdict(row) for row in rows]} for name, rows in found
        ],
        "flagged": flags,
    }
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


# --- a policy ------------------------------------------------------------------------------------


def _roles(pack: Pack, name: str, url: str | None) -> tuple[str, ...]:
    """The roles behind a word: itself, or those of every account of the account's person."""
    if name in pack.roles:
        return (name,)
    found = _of_database(url, name) if url else _of_seed(pack, name)
    if not found:
        known = ", ".join(pack.roles)
        raise InputError(NOBODY.of(policy=pack.name, who=name, known=known), Where(pack.folder))
    return found


def _of_database(url: str, login: str) -> tuple[str, ...]:
    with Database.open(url) as database:
        accounts = SqlStaffDirectory(database).staff().accounts
    own = next((one for one in accounts if one.login == login), None)
    if own is None:
        return ()
    same = [one for one in accounts if own.person is not None and one.person == own.person]
    return tuple(dict.fromkeys(one.role for one in (own, *same)))


def _of_seed(pack: Pack, login: str) -> tuple[str, ...]:
    folder = project_root() / "seeds" / pack.name
    if not (folder / "company.yaml").exists():
        return ()
    cast = read_seed(folder)[0].cast
    return tuple(member.role for member in cast if member.login == login)


def _of_policy(
    pack: Pack,
    names: Iterable[str],
    roles: tuple[str, ...],
    known: Known,
    form: str,
    lang: Lang,
) -> bool:
    """Print it; whether every join is within the policy's minimum, or clear by a stated right."""
    seen = reach(pack, roles)
    found = joins(seen, known)
    alone = {one: joins([one], known)[0] for one in seen}
    short = [join for join in found if not _within(pack, join)]
    if form == "json":
        _policy_json(pack, names, roles, alone, found)
        return not short
    rows = [(*_view(one, lang), *_view_counts(join)) for one, join in alone.items()]
    rows += [
        (_JOIN[lang], "", join.kind, " + ".join(_profiles(join)), *_view_counts(join))
        for join in found
    ]
    if rows:
        _print_table(_SEEN_HEADS[lang], rows, 5)
    else:
        click.echo(f"{' + '.join(names)}: {NOTHING.of().render(lang)}")
    for join in found:
        click.echo(("! " if join in short else "") + _said(pack, join, lang))
    return not short


def _within(pack: Pack, join: Join) -> bool:
    settings = pack.settings.masking
    stated = (settings.clear or {}).get(join.kind)
    by_right = stated is None or all(
        one.role in stated for one in join.seen if one.how == CLEAR and not one.paper
    )
    if join.clear:
        return by_right
    return join.least >= settings.minimum.get(join.kind, 1)


def _said(pack: Pack, join: Join, lang: Lang) -> str:
    least = pack.settings.masking.minimum.get(join.kind, 1)
    if join.clear:
        rows = ", ".join(sorted({one.row.id for one in join.seen if one.how == CLEAR}))
        return BY_RIGHT.of(kind=join.kind, rows=rows).render(lang)
    text = WITHIN if join.least >= least else UNDER
    return text.of(kind=join.kind, left=f"{join.least:,}", least=f"{least:,}").render(lang)


def _view(one: Seen, lang: Lang) -> tuple[str, str, str, str]:
    return (one.role, one.row.id + (_PRINTED[lang] if one.paper else ""), one.field, one.how)


def _view_counts(join: Join) -> tuple[str, str, str]:
    if join.clear:
        return ("", "1", "1")
    return (join.strength.view, f"{join.strength.least:,}", f"{join.strength.median:,}")


def _profiles(join: Join) -> list[str]:
    return sorted({one.how for one in join.seen})


def _policy_json(
    pack: Pack,
    names: Iterable[str],
    roles: tuple[str, ...],
    alone: dict[Seen, Join],
    found: tuple[Join, ...],
) -> None:
    def counts(join: Join) -> dict[str, Any]:
        whole = join.strength
        of_all = {"least": whole.least, "low": whole.low, "median": whole.median}
        return {"clear": join.clear, **(dict.fromkeys(of_all, 1) if join.clear else of_all)}

    document = {
        "schema": "acl-mask-reach/1",
        "policy": pack.folder,
        "version": pack.version,
        "who": list(names),
        "roles": list(roles),
        "views": [
            {
                "role": one.role,
                "row": one.row.id,
                "field": one.field,
                "kind": one.kind,
                "shown": one.how,
                "paper": one.paper,
                **counts(join),
            }
            for one, join in alone.items()
        ],
        "joins": [
            {
                "kind": join.kind,
                "profiles": _profiles(join),
                "sample": "" if join.clear else join.strength.view,
                **counts(join),
                "minimum": pack.settings.masking.minimum.get(join.kind, 1),
                "within": _within(pack, join),
            }
            for join in found
        ],
    }
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _print_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], numbers: int) -> None:
    table = Table(box=None, pad_edge=False)
    for at, head in enumerate(heads):
        table.add_column(head, justify="right" if at >= numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=110, highlight=False).print(table)
