"""Work of earlier days, of which only the log is left: the parcels are long delivered and deleted.

A branch's couriers had a load each a day. Same seed, same loads; the numbers belong to no parcel of
the world.
"""

from collections.abc import Sequence

from acl_engine.replay.world.people import source

LOAD = 60


def load(seed: str, account: str, day: int) -> tuple[str, ...]:
    """The waybill numbers of one courier's load, `day` days ago."""
    draw = source(seed, "past", account, str(day))
    return tuple(f"SN{10**12 + draw.below(9 * 10**12)}" for _ in range(LOAD))


def sold(
    seed: str, account: str, colleagues: Sequence[str], days: int, numbers: int, noise: int
) -> list[str]:
    """A list of `numbers` that an account's past loads explain but for `noise` percent: half of
    that colleagues' parcels, half numbers of nobody."""
    draw = source(seed, "sold", account)
    others = numbers * noise // 100
    own = [number for day in range(1, days + 1) for number in load(seed, account, day)]
    theirs = [draw.pick(load(seed, draw.pick(colleagues), 1 + draw.below(days)))
              for _ in range(others // 2)]  # fmt: skip
    nobodys = [f"SN{draw.below(10**12):012}" for _ in range(others - len(theirs))]
    return [*draw.sample(own, numbers - others), *theirs, *nobodys]
