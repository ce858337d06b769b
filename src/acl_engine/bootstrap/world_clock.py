"""What time it is in a synthetic world: when it was built, or later, if its log has gone on since.

INVARIANT: the log's clock does not go back, whichever command writes to it and in what order;
`acl audit verify` would name each step back, and rightly.
"""

from datetime import UTC, datetime

from acl_engine.bootstrap.clocks import SteppedClock, SystemClock
from acl_engine.domain.ports import Clock
from acl_engine.storage.audit_reading import latest_at
from acl_engine.storage.database import Database, is_synthetic, world_time

_DAY = 86_400


def desk_clock(database: Database) -> Clock:
    """For whoever administers a database or asks its log: our time over real people, and in a
    world its own, never before what the log says."""
    if not is_synthetic(database):
        return SystemClock()
    seconds = max(world_time(database), _said(database))
    return SteppedClock(datetime.fromtimestamp(seconds, UTC))


def people_time(database: Database) -> int:
    """For its people, epoch seconds. Their shifts and leases run at the world's time: a log that
    was written at ours, by a service without `--world-time`, does not take them along."""
    built, said = world_time(database), _said(database)
    return said if built < said < built + _DAY else built


def people_clock(database: Database) -> Clock:
    """For what people may do now: at their world's time, or over real people at ours."""
    if not is_synthetic(database):
        return SystemClock()
    return SteppedClock(datetime.fromtimestamp(people_time(database), UTC))


def _said(database: Database) -> int:
    return -(-latest_at(database) // 1000)
