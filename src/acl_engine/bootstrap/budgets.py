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

UNKNOWN = {
    "device": Text(
        "budget.unknown-device",
        "没有设备 `{who}`",
        "there is no device `{who}`",
        "用 `acl device list` 查看设备",
        "see the devices with `acl device list`",
    ),
    "unit": Text(
        "budget.unknown-unit",
        "没有单位 `{who}`",
        "there is no unit `{who}`",
        "用 `acl unit list` 查看单位",
        "see the units with `acl unit list`",
    ),
}


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
        limits = tuple(one for one in limits if one.binds(groups))
    else:
        if not is_known(database, per, who):
            raise InputError(UNKNOWN[per].of(who=who))
        device, unit = (who, "") if per == "device" else (None, who)
        principal = Principal("", "", "", unit, "", device)
    return uses(database, limits, people_clock(database), principal)
