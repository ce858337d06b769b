"""Whether an account is in force: beside its status, what must have been signed, learnt, confirmed.

INVARIANTS
- Checked at each login and each look, against the clock: what lapses is out without anybody's act.
- Nothing asked for is nothing lacking; nothing recorded is lacking whatever is asked for.

Source: the domain's rules (undertaking, training of the last twelve months, confirmation by the
next level up, idle accounts) and PIPL article 51 (4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from acl_engine.domain.accounts import Account, Standing, Undertaking
from acl_engine.domain.pack import Pack, RoleSpec
from acl_engine.domain.pack_settings import AccountSettings, LoginSettings
from acl_engine.domain.text import Message, Text

DAY = 86_400
# The role of an account that has none: no row of any policy names it.
NO_ROLE = "none"
CONTROL = "account-standing"


class Lapse(StrEnum):
    """Why an account with an active status is not in force."""

    NOT_STARTED = "account-not-started"
    ENDED = "account-ended"
    UNDERTAKING = "account-no-undertaking"
    TRAINING = "account-no-training"
    RECERTIFICATION = "account-not-recertified"
    DORMANT = "account-dormant"


LAPSES = {
    Lapse.NOT_STARTED: Text(
        Lapse.NOT_STARTED,
        "账号 `{login}`：尚未到入职日期",
        "account `{login}`: the first day of work is still to come",
        "到日自动生效",
        "it is in force from that day",
    ),
    Lapse.ENDED: Text(
        Lapse.ENDED,
        "账号 `{login}`：用工期限已满",
        "account `{login}`: the person's employment has ended",
        "用 `acl account extend` 延期，或办理离职",
        "extend it with `acl account extend`, or let them leave",
    ),
    Lapse.UNDERTAKING: Text(
        Lapse.UNDERTAKING,
        "账号 `{login}`：未签署现行保密承诺书",
        "account `{login}`: the current undertaking is not signed",
        "签署后运行 `acl account undertaking`",
        "have it signed, then run `acl account undertaking`",
    ),
    Lapse.TRAINING: Text(
        Lapse.TRAINING,
        "账号 `{login}`：没有有效期内的培训记录",
        "account `{login}`: there is no training record that is recent enough",
        "培训后运行 `acl account training`",
        "train them, then run `acl account training`",
    ),
    Lapse.RECERTIFICATION: Text(
        Lapse.RECERTIFICATION,
        "账号 `{login}`：上级未按期复核",
        "account `{login}`: the next level up did not confirm it in time",
        "由上级运行 `acl account recertify`",
        "their superior runs `acl account recertify`",
    ),
    Lapse.DORMANT: Text(
        Lapse.DORMANT,
        "账号 `{login}`：长期未登录",
        "account `{login}`: nobody has logged in for too long",
        "确认仍需要后运行 `acl account resume`",
        "if it is still needed, run `acl account resume`",
    ),
}


UNKNOWN_ROLE = Text(
    "account-unknown-role",
    "策略中没有可授予员工的角色 `{role}`",
    "the policy has no role `{role}` for staff",
    "可用：{known}",
    "known: {known}",
)
UNKNOWN_SERVICE = Text(
    "account-unknown-service-role",
    "策略中没有可授予服务的角色 `{role}`",
    "the policy has no role `{role}` for a service",
    "可用：{known}",
    "known: {known}",
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one company asks of an account: the pack's settings, the text that must be signed, and
    the roles there are (none: any); `login`: what its login asks for."""

    settings: AccountSettings
    undertaking: Undertaking | None
    roles: Mapping[str, RoleSpec] = field(default_factory=dict)
    login: LoginSettings | None = None

    @classmethod
    def of(cls, pack: Pack) -> "Rules":
        return cls(pack.settings.accounts, pack.undertaking, pack.roles, pack.settings.login)

    def grantable(self, service: bool) -> list[str]:
        """The roles that staff, or services, may have. Level 0 is outside of the company."""
        return [
            name
            for name, one in self.roles.items()
            if one.human != service and (service or one.level > 0)
        ]

    def unknown_role(self, role: str, service: bool) -> Message | None:
        """Why nobody has this role; None: the policy knows it."""
        known = self.grantable(service)
        if not self.roles or role in (NO_ROLE, *known):
            return None
        text = UNKNOWN_SERVICE if service else UNKNOWN_ROLE
        return text.of(role=role, known=", ".join(known))

    def lapses(self, account: Account, now: int) -> tuple[Lapse, ...]:
        """What this account lacks at `now` (epoch seconds). Customers and merchants lack nothing:
        they are no staff. A service signs and learns nothing; its owner confirms it."""
        if account.outside:
            return ()
        return self.lacking(account.standing, account.service, now)

    def lacking(self, standing: Standing, service: bool, now: int) -> tuple[Lapse, ...]:
        """The same, of a standing alone."""
        asked = self.settings
        found: list[Lapse] = []
        if standing.starts_at > now:
            found.append(Lapse.NOT_STARTED)
        if standing.ends_at is not None and standing.ends_at <= now:
            found.append(Lapse.ENDED)
        if not service and self.undertaking and standing.signed != self.undertaking:
            found.append(Lapse.UNDERTAKING)
        if not service and _older(standing.trained_at, asked.training_days, now):
            found.append(Lapse.TRAINING)
        if _older(standing.certified_at, asked.recertify_days, now):
            found.append(Lapse.RECERTIFICATION)
        if not service and _older(standing.used_at, asked.dormant_days, now):
            found.append(Lapse.DORMANT)
        return tuple(found)


# Asks for nothing: for an embedder without a pack, and for tests of other things.
NOTHING_ASKED = Rules(AccountSettings(training_days=0, recertify_days=0, dormant_days=0), None)


def _older(at: int, days: int, now: int) -> bool:
    return days > 0 and at + days * DAY <= now
