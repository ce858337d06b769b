"""How much of the policy's budgets an account, a device or a unit has used."""

from acl_engine.bootstrap.reach import NO_ACCOUNT
from acl_engine.bootstrap.world_clock import people_clock
from acl_engine.domain.budgets import Use
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import Pack
from acl_engine.domain.principal import Principal
from acl_engine.domain.text import Text
from acl_engine.storage.budget_use import account_of, is_known, uses
from acl_engine.storage.database import Database

UNKNOWN = Text(
    "budget.unknown",
    "没有这个{per_zh} `{who}`",
    "there is no {per} `{who}`",
    "核对编号：`acl device list`、`acl unit list`",
    "check its id: `acl device list`, `acl unit list`",
)
_ZH = {"device": "设备", "unit": "单位"}


def budget_use(database: Database, pack: Pack, per: str, who: str) -> tuple[Use, ...]:
    """The use of each limit that counts by `per`: account (with its person), device or unit.

    Nothing is written. Raises InputError for one that there is not, StoreError.
    """
    limits = pack.settings.budgets
    if per == "account":
        principal = account_of(database, who)
        if principal is None:
            raise InputError(NO_ACCOUNT.of(login=who))
        groups = pack.groups(principal.role)
        limits = tuple(one for one in limits if not one.roles or groups & set(one.roles))
    else:
        if not is_known(database, per, who):
            raise InputError(UNKNOWN.of(per=per, per_zh=_ZH[per], who=who))
        device, unit = (who, "") if per == "device" else (None, who)
        principal = Principal("", "", "", unit, "", device)
    return uses(database, limits, people_clock(database), principal)
