"""A month of honest work, as the audit log and the scanners would record it: no attack in it.

Detection is measured against it: every alert here is a false one. The company is made up, and so
are its habits; what goes wrong among honest people is drawn at the rates below, which are chosen
on the high side. The number of off-hours requests follows the published share of pickups outside
of working hours (0.05 to 0.11 %) and more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from acl_engine.audit.event import Event
from acl_engine.replay.world.people import Draw, source

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
# 2026-02-01 00:00 in China, epoch milliseconds.
START = 1_769_875_200_000
_OPENS, _SHIFT = 8 * HOUR, 10 * HOUR

# Shares of courier-days, but for the first four, which are of parcels.
NOT_HOME = 0.06  # looked at and called, brought back and scanned in at night
FORGOTTEN = 0.01  # brought back and not scanned until it is delivered next day
CALLED, LOOKED_AGAIN = 0.25, 0.2
DAY_OFF = 0.14  # a colleague of the branch takes over the areas
OTHER_BRANCH = 0.003  # a courier of another branch helps out
BROKEN_DEVICE, BROKEN_TWICE = 0.004, 0.0002
WRONG_DEVICE = 0.002  # picks up a colleague's scanner first
REPAIR_DESK = 0.0005  # four accounts try out one repaired scanner
WRONG_PASSWORD = 0.03
OFFLINE, OFFLINE_LONG = 0.003, 0.0003  # scans reach the server a day, three days late
OVERTIME, OVERTIME_LONG = 0.06, 0.004  # asks after the end of the shift: 1 to 4, 5 to 14
LATE_SHIFT = 0.005  # the shift is entered after the first asks
CONSIGNMENT = 0.02  # a shop posted 3 to 10 parcels with neighbouring numbers to one house
CLAIMS_A_DAY, CLAIM_HANDED_ON = 12, 0.03


class Hands(NamedTuple):
    """Who does the work, on what."""

    account: str
    role: str
    unit: str
    device: str


class Piece(NamedTuple):
    """One parcel of a load: its digest, the block of its number, its area."""

    subject: str
    block: str
    area: str


@dataclass
class Month:
    """`branches` with `couriers` each, over `days`. Same seed, same month."""

    seed: str
    branches: int = 10
    couriers: int = 12
    days: int = 30
    load: int = 60
    _draw: Draw = field(init=False)
    _number: int = 0
    _undelivered: dict[str, list[Piece]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._draw = source(self.seed, "month")

    @property
    def account_days(self) -> int:
        return self.branches * (self.couriers + 1) * self.days

    def events(self) -> Iterator[tuple[int | None, Event]]:
        """Everything in the order of time; records are numbered, scans are not."""
        index, later = 0, list[Event]()
        for day in range(self.days):
            midnight = START + day * DAY
            today = later + list(self._day(midnight))
            today.sort(key=lambda one: one.at)
            later = [one for one in today if one.at >= midnight + DAY]
            for event in today[: len(today) - len(later)]:
                yield (None if event.kind == "scan" else index), event
                index += event.kind != "scan"

    def _day(self, midnight: int) -> Iterator[Event]:
        for branch in range(self.branches):
            for area in range(self.couriers):
                yield from self._route(midnight, branch, area)
            yield from self._keeper(midnight, branch)
            if self._chance(REPAIR_DESK * self.couriers):
                tested = midnight + _OPENS + self._draw.below(HOUR)
                for number in range(4):
                    yield self._login(tested + number * MINUTE, f"c{branch}-{number}", "spare")
        yield from self._claims(midnight)

    # --- a courier's day -----------------------------------------------------------------------

    def _route(self, midnight: int, branch: int, area: int) -> Iterator[Event]:
        account, unit = self._who(branch, area), f"b{branch}"
        hands = Hands(account, "courier", unit, f"pda-{account}")
        starts = midnight + _OPENS + self._draw.below(30 * MINUTE)
        yield from self._arrives(starts, hands)
        place = f"{unit}.a{area}"
        load = self._undelivered.pop(place, []) + self._load(place)
        gap = _SHIFT // (len(load) + 2)
        late = DAY if self._chance(OFFLINE) else 3 * DAY if self._chance(OFFLINE_LONG) else 0
        for stop, piece in enumerate(load):
            at = starts + 10 * MINUTE + stop * gap + self._draw.below(gap)
            entered = at > starts + 40 * MINUTE or not self._chance(LATE_SHIFT)
            for action, after in self._looks():
                yield from self._look(at + after, action, piece, hands, on_shift=entered)
            yield from self._ends(at, piece, late, midnight, hands)
        yield from self._overtime(starts + _SHIFT, hands, load)

    def _looks(self) -> Iterator[tuple[str, int]]:
        yield "read", 0
        if self._chance(CALLED):
            yield "dial", MINUTE
        if self._chance(LOOKED_AGAIN):
            yield "read", 2 * MINUTE

    def _ends(
        self, at: int, piece: Piece, late: int, midnight: int, hands: Hands
    ) -> Iterator[Event]:
        """Delivered and scanned; or not at home, brought back, tried again tomorrow."""
        if not self._chance(NOT_HOME):
            yield self._scan(at + 5 * MINUTE + late, "deliver", piece, hands)
            return
        self._undelivered.setdefault(piece.area, []).append(piece)
        if not self._chance(FORGOTTEN / NOT_HOME):
            yield self._scan(midnight + 20 * HOUR + late, "in", piece, hands)

    def _overtime(self, ends: int, hands: Hands, load: list[Piece]) -> Iterator[Event]:
        asks = 0
        if self._chance(OVERTIME):
            asks = 1 + self._draw.below(4)
        elif self._chance(OVERTIME_LONG):
            asks = 5 + self._draw.below(10)
        for number in range(asks):
            piece = load[-1 - number % len(load)]
            yield from self._look(ends + number * 6 * MINUTE, "read", piece, hands, on_shift=False)

    def _arrives(self, at: int, hands: Hands) -> Iterator[Event]:
        account, device = hands.account, hands.device
        if self._chance(WRONG_PASSWORD):
            yield self._login(at - 2 * MINUTE, account, device, "deny")
        if self._chance(WRONG_DEVICE):
            branch = account.partition("-")[0]
            other = f"pda-{branch}-{self._draw.below(self.couriers)}"
            yield self._login(at - MINUTE, account, other, "deny")
        yield self._login(at, account, device)
        swaps = 2 if self._chance(BROKEN_TWICE) else 1 if self._chance(BROKEN_DEVICE) else 0
        for number in range(swaps):
            yield self._login(at + (number + 1) * HOUR, account, f"new-{account}-{number}-{at}")

    def _who(self, branch: int, area: int) -> str:
        """Whose areas these are today: their own courier's, a colleague's, or a stranger's."""
        if self._chance(OTHER_BRANCH):
            return f"c{(branch + 1) % self.branches}-{area}"
        if self._chance(DAY_OFF):
            return f"c{branch}-{(area + 1) % self.couriers}"
        return f"c{branch}-{area}"

    def _load(self, place: str) -> list[Piece]:
        found = [self._parcel(place) for _ in range(self.load)]
        if self._chance(CONSIGNMENT):
            run = 3 + self._draw.below(8)
            first = self._parcel(place)
            found[:run] = [first._replace(subject=f"{first.subject}+{n}") for n in range(run)]
        return found

    def _parcel(self, area: str) -> Piece:
        self._number += 1
        return Piece(f"w{self._number}", f"k{self._draw.below(10**9)}", area)

    # --- who else works ------------------------------------------------------------------------

    def _keeper(self, midnight: int, branch: int) -> Iterator[Event]:
        """Looks at parcels on the shelf, of any area of the branch; they are scanned in before."""
        hands = Hands(f"k{branch}", "warehouse_keeper", f"b{branch}", f"pc-{branch}")
        yield self._login(midnight + 7 * HOUR, hands.account, hands.device)
        for number in range(40):
            at = midnight + 7 * HOUR + number * 14 * MINUTE
            piece = self._parcel(f"{hands.unit}.a{self._draw.below(self.couriers)}")
            yield self._scan(at - HOUR, "in", piece, hands)
            yield from self._look(at, "read", piece, hands, on_shift=True)

    def _claims(self, midnight: int) -> Iterator[Event]:
        """A clerk counts a customer's parcels by phone and opens one; seldom a colleague does."""
        for number in range(CLAIMS_A_DAY):
            at = midnight + 9 * HOUR + number * 40 * MINUTE
            piece = self._parcel("")
            first, other = (Hands(f"claims-{n}", "claims", "hq", f"pc-claims-{n}") for n in (1, 2))
            yield self._record(at, "outcome", "count_by_phone", piece, first)
            opens = other if self._chance(CLAIM_HANDED_ON) else first
            yield from self._look(at + 10 * MINUTE, "read", piece, opens)

    # --- records -------------------------------------------------------------------------------

    def _look(
        self, at: int, action: str, piece: Piece, hands: Hands, *, on_shift: bool | None = None
    ) -> Iterator[Event]:
        """An intent and its outcome; refused where there is no shift, or none was entered yet."""
        effect = "deny" if on_shift is False else "allow"
        yield self._record(at, "intent", action, piece, hands, effect, on_shift=on_shift)
        if effect == "allow":
            yield self._record(at + 40, "outcome", action, piece, hands, on_shift=on_shift)

    def _record(
        self, at: int, kind: str, action: str, piece: Piece, hands: Hands,
        effect: str = "allow", *, on_shift: bool | None = None,
    ) -> Event:  # fmt: skip
        return Event(
            kind=kind, at=at, action=action, resource="waybill", account=hands.account,
            person=f"p-{hands.account}", role=hands.role, unit=hands.unit, device=hands.device,
            effect=effect, block=piece.block, on_shift=on_shift, subjects=(piece.subject,),
            areas=(piece.area,) if piece.area else (), count=1,
        )  # fmt: skip

    def _login(self, at: int, account: str, device: str, effect: str = "allow") -> Event:
        return Event(
            kind="event", at=at, action="login", resource="session", account=account,
            device=device, effect=effect,
        )  # fmt: skip

    def _scan(self, at: int, kind: str, piece: Piece, hands: Hands) -> Event:
        return Event(
            kind="scan", at=at, action=kind, account=hands.account, unit=hands.unit,
            device=hands.device, effect="allow", subjects=(piece.subject,),
        )  # fmt: skip

    def _chance(self, share: float) -> bool:
        return self._draw.random() < share
