"""What an account can reach now, and what a new policy changes for those who are there."""

from collections.abc import Callable, Iterable, Mapping

from acl_engine.analysis.policy_diff import Diff
from acl_engine.analysis.reach import Asker, Cell, Moved, Reach, blast_radius, moved
from acl_engine.bootstrap.world_clock import people_clock
from acl_engine.decision.pack_decider import PackDecider
from acl_engine.domain.errors import InputError
from acl_engine.domain.facts import Facts, Value
from acl_engine.domain.pack import Pack
from acl_engine.domain.principal import Principal
from acl_engine.domain.request import Action, Request
from acl_engine.domain.text import Text
from acl_engine.storage.catalogue import stored_types
from acl_engine.storage.database import Database
from acl_engine.storage.directory import DirectoryStore
from acl_engine.storage.reach import SqlCounts, principals

NO_ACCOUNT = Text(
    "reach.account",
    "没有在用的账号 `{login}`",
    "there is no active account `{login}`",
    "用 `acl account audit` 查看账号",
    "see the accounts with `acl account audit`",
)

Assumed = Mapping[str, Value]


def reach_of(database: Database, pack: Pack, login: str, assumed: Assumed) -> tuple[Reach, ...]:
    """How many records and people each field's reach of one account holds now.

    `assumed` facts replace the live ones (on_shift at night, say). Raises InputError, StoreError.
    """
    clock = people_clock(database)
    found = principals(database, int(clock.now().timestamp()), login=login)
    if not found:
        raise InputError(NO_ACCOUNT.of(login=login))
    directory = DirectoryStore(database, clock, stored_types(pack))
    asker = _asker(directory, pack.resources, found[0], assumed)
    return blast_radius(PackDecider(pack), asker, SqlCounts(database, stored_types(pack)))


def diff_on(
    database: Database,
    packs: tuple[Pack, Pack],
    diff: Diff,
    assumed: Assumed,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Moved, ...]:
    """What the changes of `diff` come to for the active accounts of a database, now."""
    old, new = packs
    clock = people_clock(database)
    cells = dict.fromkeys(Cell(one.role, one.resource, one.action) for one in diff.changes)
    roles, kinds = {cell.role for cell in cells}, {cell.resource for cell in cells}
    people = principals(database, int(clock.now().timestamp()), roles=roles)
    types = {**stored_types(old), **stored_types(new)}
    directory = DirectoryStore(database, clock, types)
    progress(0, len(people))
    done = iter(range(1, len(people) + 1))
    return moved(
        (PackDecider(old), PackDecider(new)),
        cells,
        (_asker(directory, kinds, one, assumed) for one in people),
        SqlCounts(database, types),
        lambda: progress(next(done), len(people)),
    )


def _asker(
    directory: DirectoryStore, types: Iterable[str], who: Principal, assumed: Assumed
) -> Asker:
    facts: dict[str, Facts] = {}
    for one in types:
        request = Request("-", Action.READ, one, None, (), (), None, None, (), 1, None)
        facts[one] = Facts({**directory.facts(who, request).subject, **assumed}, None)
    return Asker(who.account, who.role, facts)
