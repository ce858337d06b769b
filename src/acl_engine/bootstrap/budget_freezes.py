"""What a limit of looks that says `then: freeze` does to whoever goes beyond it.

INVARIANTS
- The look is refused whatever happens here; a failure here refuses it too.
- The last administrator in force is held, never frozen, as alerts do it: somebody must be left to
  undo a freeze. That is said at once, and stands in the log.
"""

from collections.abc import Callable
from dataclasses import dataclass

from acl_engine.bootstrap.desk import Act, Desk
from acl_engine.bootstrap.reactions import LAST_ADMINISTRATOR, keepers_of
from acl_engine.domain.factors import FactorStore
from acl_engine.domain.principal import Principal
from acl_engine.domain.staff import DETECTION
from acl_engine.domain.text import Message, Text

SPARED = Text(
    "budget.last-administrator",
    "额度已超：`{login}` 是最后一位有效的管理员，未冻结，须重新出示第二因素",
    "beyond a budget: `{login}` is the last administrator in force, and is held, not frozen",
    "由安全部门核查，并尽快设第二位管理员",
    "let the security desk look into it, and make a second administrator soon",
)


@dataclass(frozen=True, slots=True)
class BudgetFreezes:
    """`alarm` hears at once of who was spared."""

    desk: Desk
    factors: FactorStore
    alarm: Callable[[Message], None]

    def __call__(self, who: Principal, now: int) -> None:
        """Freeze the account behind a look at `now` (epoch seconds). Raises StoreError."""
        keepers = keepers_of(self.desk, who.account, who.role)
        if keepers != () and self.desk.directory.freeze(who.account, keepers, now):
            return
        self.desk.note(Act("account.spare", (who.account,), DETECTION, LAST_ADMINISTRATOR))
        self.factors.hold(who.account, now)
        self.alarm(SPARED.of(login=who.account))
