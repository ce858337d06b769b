"""Watching the log: detection over history, and as records arrive.

INVARIANTS
- What fires is written into the log before anything is done about it; once, however often the
  same history is watched.
- A reaction that fails is on record too, and tried again for a day, by this watch or the next: who
  can keep the database busy for a moment must not escape by it.
- Watching never answers, delays or refuses a look.
"""

import heapq
import threading
from collections.abc import Iterator
from pathlib import Path

from acl_engine.audit.detector import Detector
from acl_engine.audit.event import Event, of_record, of_scan
from acl_engine.audit.sigma import CorrelationRule, EventRule
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.alarm import Alert, Reactions, Scans
from acl_engine.domain.errors import AclError, ConfigError, Where
from acl_engine.domain.ports import Clock, Pseudonyms
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.text import Text
from acl_engine.policy import strict_yaml
from acl_engine.storage.audit_store import AuditStore

ALERT, REACTION = "audit.alert", "audit.reaction"
_DAY_MS = 86_400_000
# At the start, alerts of the last ten days are said, unless they are on record. Rules look back
# thirty days at most, so that with forty days of history those of the last ten are exact.
HISTORY_MS, SAID_MS = 40 * _DAY_MS, 10 * _DAY_MS
# What a killed process owed is made good within a day; later, a person has seen the alert.
OWED_MS = _DAY_MS
# A reaction that failed is tried again so much later, and put on record again only when it is done.
AGAIN_MS = 60_000

NO_RULES = Text(
    "detect.no-rules",
    "目录中没有检测规则",
    "the folder holds no detection rules",
    "事件规则在 `events/` 下，关联规则在其上一级",
    "event rules stand in `events/`, correlation rules beside it",
)


def detector(folder: Path) -> tuple[Detector, dict[str, CorrelationRule]]:
    """The detector of a folder of rules, and its correlation rules by name.

    Raises InputError with file and line of what is wrong, ConfigError for a folder without rules.
    """
    events = [strict_yaml.read(path, EventRule) for path in sorted(folder.glob("events/*.yaml"))]
    rules = [strict_yaml.read(path, CorrelationRule) for path in sorted(folder.glob("*.yaml"))]
    if not rules:
        raise ConfigError(NO_RULES.of(), Where(str(folder)))
    return Detector(events, rules), {rule.name: rule for rule in rules}


class Watch:
    """One detector over one log. Safe to call from several threads; one reads at a time."""

    def __init__(
        self,
        detector: Detector,
        store: AuditStore,
        scans: Scans,
        pseudonyms: Pseudonyms,
        clock: Clock,
        reactions: Reactions | None = None,
    ) -> None:
        self._detector, self._store, self._scans = detector, store, scans
        self._digest, self._clock, self._reactions = pseudonyms.digest, clock, reactions
        self._record, self._scan, self._since, self._latest = 0, 0, 0, 0
        self._started = False
        self._said: set[str] = set()
        self._owed: dict[str, int] = {}  # said, not yet reacted to, and when
        self._failed: dict[str, tuple[Alert, int, int]] = {}  # until when, and when next
        self._unsaid: list[Alert] = []
        self._lock = threading.Lock()

    def history(self, until: int = 2**62) -> list[Alert]:
        """Every alert over the whole log up to `until` (epoch ms). Nothing is written, nobody is
        stopped."""
        with self._lock:
            alerts = list(self._read(until))
            return alerts + self._detector.finish(min(until, self._latest))

    def catch_up(self) -> list[Alert]:
        """What arrived since the last call: new alerts are put on record and reacted to.

        The first call reads the history that rules need; what fired there and is on record already
        is not said again.
        """
        with self._lock:
            now, since = self._now(), 0
            if not self._started:
                self._started, since = True, now - SAID_MS
                self._since = now - HISTORY_MS
                self._record = self._store.first_since(self._since)
            found = [*self._read(), *self._detector.finish(now)]
            self._unsaid += [one for one in found if one.at >= since]
            if since:
                self._make_good(found, now)
            self._try_again(now)
            return list(self._say())

    def _say(self) -> Iterator[Alert]:
        """Each alert is taken off the list when it is on record: a full disk loses none."""
        while self._unsaid:
            alert = self._unsaid[0]
            if alert.id not in self._said:
                self._store.append(self._entry(ALERT, alert))
                self._said.add(alert.id)
                self._react(alert)
                yield alert
            self._unsaid.pop(0)

    def _make_good(self, found: list[Alert], now: int) -> None:
        """What another watch put on record and was killed before it reacted to."""
        for one in found:
            if self._owed.get(one.id, 0) > now - OWED_MS:
                self._react(one)

    def _try_again(self, now: int) -> None:
        for alert, until, next_at in list(self._failed.values()):
            if now >= until:
                del self._failed[alert.id]
            elif now >= next_at:
                self._react(alert)

    def _react(self, alert: Alert) -> None:
        if self._reactions is None or alert.response == "notify":
            return
        try:
            self._reactions.react(alert)
        except AclError as error:
            now, known = self._now(), self._failed.get(alert.id)
            self._failed[alert.id] = (alert, known[1] if known else now + OWED_MS, now + AGAIN_MS)
            if known is None:
                self._store.append(self._entry(REACTION, alert, failed=error.message.code))
        else:
            self._failed.pop(alert.id, None)
            self._store.append(self._entry(REACTION, alert))

    def _read(self, until: int = 2**62) -> Iterator[Alert]:
        """Feed what is new of both streams, in the order of their time."""
        for index, event in heapq.merge(self._records(), self._scanned(), key=_time):
            if event.at > until:
                return
            self._latest = max(self._latest, event.at)
            yield from self._detector.feed(index, event)

    def _records(self) -> Iterator[tuple[int | None, Event]]:
        for index, body in self._store.bodies(self._record):
            self._record = index + 1
            event = of_record(index, body)
            if event.action == ALERT:
                self._said.add(event.digest)
                self._owed[event.digest] = event.at
            elif event.action == REACTION:
                if event.effect == "allow":
                    self._owed.pop(event.digest, None)
            else:
                yield index, event

    def _scanned(self) -> Iterator[tuple[int | None, Event]]:
        for scan in self._scans.after(self._scan, self._since):
            self._scan = scan.id
            yield None, of_scan(scan, self._digest)

    def _entry(self, action: str, alert: Alert, failed: str = "") -> AuditEntry:
        """An alert as a record: whom it is about, which rule, on which records it rests."""
        return AuditEntry(
            kind="event",
            request=new_request_id(),
            at=self._now(),
            action=action,
            resource=alert.rule,
            account=alert.accounts[0] if len(alert.accounts) == 1 else None,
            device=alert.devices[0] if len(alert.devices) == 1 else None,
            effect="error" if failed else "allow",
            line="audit",
            reason=failed or alert.response,
            digest=alert.id,
            count=alert.count,
            evidence=alert.evidence,
        )

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _time(pair: tuple[int | None, Event]) -> int:
    return pair[1].at
