"""Ending what one-click dial has bound: with the provider too, once its reason is gone.

INVARIANTS
- A binding stands while its parcel is at its stage and its person, as they are now, would be
  allowed the same call: delivery, reassignment, a move, the end of a shift or of an account end it.
- Whoever rings the intermediate number by hand, past the attempts that are allowed, loses it.
- What cannot be decided is over. What the provider cannot be told now is told again later.
"""

from contextlib import suppress

from acl_engine.domain.calls import Call, Kept
from acl_engine.domain.errors import StoreError
from acl_engine.domain.request import Action, Query
from acl_engine.enforcement.door import Door
from acl_engine.enforcement.permits import permits

CALLED_BACK, HOTLINE = "callback", "hotline"
# Over which attempts are counted, in seconds.
DAY = 24 * 3600


def hang_up(door: Door, waybill_no: str | None = None) -> int:
    """Unbind what no longer stands, everywhere or of one parcel; how many.

    Raises StoreError when the database cannot say; a provider that fails is asked again next time.
    """
    now = int(door.clock.now().timestamp())
    if not door.pack.settings.dial.ends_with_reason:
        return 0
    ended, last = 0, None
    # To the end: those that stand, and those that cannot be ended now, must not hide the others.
    while page := door.dials.kept(now, waybill_no=waybill_no, after=last):
        ended += sum(_ended(door, kept, now) for kept in page)
        last = page[-1].binding
    return ended


def _ended(door: Door, kept: Kept, now: int) -> bool:
    if stands(door, kept):
        return False
    with suppress(Exception):  # its text may quote a number; the binding stays kept
        door.provider.unbind(kept.binding.provider_ref)
        door.dials.released(kept.binding.id, now)
        return True
    return False


def calls_back(door: Door, reference: str) -> bool:
    """Whether the parcel's contact, who rings the intermediate number, may be put through to the
    bound person; otherwise it is for the hotline. For a provider that asks before it connects.

    `reference`: the provider's, of the binding of who rings. Raises StoreError.
    """
    now = int(door.clock.now().timestamp())
    kept = door.dials.kept(now, provider_ref=reference)
    dial = door.pack.settings.dial
    may = dial.callback and any(not dial.ends_with_reason or stands(door, one) for one in kept)
    for one in kept[:1]:
        door.dials.record(Call(one.binding.id, now, CALLED_BACK if may else HOTLINE))
    return may


def stands(door: Door, kept: Kept) -> bool:
    """Whether a binding has its reason still: the right to call, decided anew.

    Raises StoreError.
    """
    if kept.over or kept.who is None:
        return False
    key = kept.binding.waybill_no
    since = int(door.clock.now().timestamp()) - DAY
    if door.dials.attempts(key, since) > door.pack.settings.dial.attempts_per_day:
        return False
    query = Query(Action.DIAL, "waybill", key=key, purpose=kept.binding.purpose)
    try:
        return permits(door, kept.who, query)
    except StoreError:
        raise  # nothing can be told of any: all are asked again
    except Exception:  # noqa: BLE001 - one that cannot be decided must not shield the others
        return False
