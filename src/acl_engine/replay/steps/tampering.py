"""Tampering: the database or the log changed behind the engine, by somebody who has the database.

`actor` of the step says who it was, for `acts(who, tamper, TABLE)`.
"""

from collections.abc import Callable

from acl_engine.domain.errors import ScenarioError, Where
from acl_engine.domain.text import Text
from acl_engine.replay.outcome import DONE, Outcome
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.storage import unsafe

Value = str | int | bool | None

NOTHING = Text(
    "scenario.nothing-tampered",
    "`{table}` 中没有符合的行：该步骤什么也没改",
    "no row of `{table}` fits: the step changed nothing",
    "检查 `where`",
    "check `where`",
)


class Change(Deed, frozen=True, tag="change"):
    """Columns of the rows with these values get others. Values may hold `${variables}`."""

    table: str
    where: dict[str, Value]
    to: dict[str, Value]

    def do(self, scene: Scene) -> Outcome:
        where, to = _filled(self.where, scene), _filled(self.to, scene)
        return _done(self.table, unsafe.change_rows(scene.stage.database, self.table, where, to))

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "tamper", self.table


class Delete(Deed, frozen=True, tag="delete"):
    """The rows with these values are deleted."""

    table: str
    where: dict[str, Value]

    def do(self, scene: Scene) -> Outcome:
        where = _filled(self.where, scene)
        return _done(self.table, unsafe.delete_rows(scene.stage.database, self.table, where))

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "tamper", self.table


def _filled(values: dict[str, Value], scene: Scene) -> dict[str, Value]:
    return {
        name: scene.fill(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _done(table: str, rows: int) -> Outcome:
    if not rows:
        raise ScenarioError(NOTHING.of(table=table), Where(table))
    return DONE
