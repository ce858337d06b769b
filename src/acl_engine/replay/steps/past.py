"""What was before the scenario: looks of earlier days, and a list that was sold out of them."""

from collections.abc import Callable, Iterator

from acl_engine.domain.accountability import AuditEntry
from acl_engine.replay.outcome import DONE, Outcome
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.replay.world import past
from acl_engine.replay.world.staff import Staff

_DAY_MS = 86_400_000


class PastWork(Deed, frozen=True, tag="past-work"):
    """The log holds the last `days` days of a branch: each courier looked at the own load, as the
    pack of the run has looks written down."""

    unit: str
    days: int

    def do(self, scene: Scene) -> Outcome:
        for entry in self._entries(scene):
            scene.stage.write(entry)
        return DONE

    def _entries(self, scene: Scene) -> Iterator[AuditEntry]:
        world, now = scene.stage.truth.world, scene.stage.now * 1000
        for day in range(self.days, 0, -1):
            for courier in world.couriers(self.unit):
                numbers = past.load(world.seed, courier.member.login, day)
                digests = tuple(scene.stage.engine.subject("waybill", one) for one in numbers)
                yield _look(courier, now - day * _DAY_MS, digests)


class SoldList(Deed, frozen=True, tag="sold-list"):
    """`account` has sold a list of `numbers` out of the looks of `days` days; it turns up. `noise`
    percent of it are others' and nobody's numbers."""

    account: str
    days: int
    numbers: int
    noise: int

    def do(self, scene: Scene) -> Outcome:
        stage, login = scene.stage, scene.account(self.account)
        world, unit = stage.truth.world, stage.person(login).member.unit
        colleagues = [one.member.login for one in world.couriers(unit)
                      if one.member.login != login]  # fmt: skip
        found = past.sold(world.seed, login, colleagues, self.days, self.numbers, self.noise)
        stage.left.lists.append(tuple(found))
        return DONE

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "sell", "list"


def _look(courier: Staff, at: int, subjects: tuple[str, ...]) -> AuditEntry:
    """A courier's list of the day, as the line writes it down."""
    member = courier.member
    return AuditEntry(
        kind="outcome",
        request=f"past-{member.login[-12:]}-{at}"[:40],
        at=at,
        action="search",
        resource="waybill",
        account=member.login,
        person=courier.person,
        role=member.role,
        unit=member.unit,
        device=member.device,
        effect="allow",
        line="10",
        subjects=subjects,
        count=len(subjects),
    )
