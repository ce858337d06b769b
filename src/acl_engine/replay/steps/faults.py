"""Faults: what breaks while the attackers ask. Each is the real thing, done to this run's copy."""

from typing import Literal

from acl_engine.replay.child import Doom
from acl_engine.replay.outcome import DONE, Outcome
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.storage import unsafe


class AuditDown(Deed, frozen=True, tag="audit-down"):
    """The audit store takes no record, until it is mended."""

    def do(self, scene: Scene) -> Outcome:
        unsafe.stop_audit(scene.stage.database)
        return DONE


class DatabaseLocked(Deed, frozen=True, tag="database-locked"):
    """Another process holds the database in a transaction that does not end, until mended."""

    def do(self, scene: Scene) -> Outcome:
        scene.stage.lock = unsafe.hold_lock(scene.stage.database)
        return DONE


class DiskFull(Deed, frozen=True, tag="disk-full"):
    """No file of the engine's process grows, until mended."""

    def do(self, scene: Scene) -> Outcome:
        scene.stage.doom = Doom(disk=True)
        return DONE


class ProcessKilled(Deed, frozen=True, tag="process-killed"):
    """The process of the next request is killed as it enters `at`, a number of the line."""

    at: Literal["0", "1", "2", "3", "4", "5", "7", "8", "9", "10", "11"]

    def do(self, scene: Scene) -> Outcome:
        scene.stage.doom = Doom(kill_at=self.at)
        return DONE


class Mended(Deed, frozen=True, tag="mended"):
    """Whatever broke works again."""

    def do(self, scene: Scene) -> Outcome:
        scene.stage.mend()
        return DONE


Fault = AuditDown | DatabaseLocked | DiskFull | ProcessKilled | Mended
