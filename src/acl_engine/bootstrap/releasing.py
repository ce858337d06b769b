"""Exports and publications as an application calls them, and the desk that sees to their end.

INVARIANTS
- What ends is written into the log before it is taken down.
- Only a registered copy's file is ever removed; a stranger is reported, not touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import InputError, Where
from acl_engine.domain.releases import Copy, Released
from acl_engine.domain.request import Query
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.text import Text
from acl_engine.enforcement.acts import Acted
from acl_engine.enforcement.door import Door
from acl_engine.enforcement.releasing import Listed, ask_release, release
from acl_engine.storage.planted import PlantedMarkStore

NO_COPY = Text(
    "release.no-copy",
    "登记中没有在外的副本 `{copy}`",
    "no copy `{copy}` is out",
    "用 acl export list 查看",
    "see acl export list",
)
NO_FOLDER = Text(
    "release.no-folder",
    "公示目录不可用",
    "the publication folder cannot be used",
    "检查路径与权限",
    "check the path and its permissions",
)
SUFFIX = ".csv"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found. `down`: taken down now; `strangers`: files that nobody may have put
    there; `overdue`: exported copies whose recipients have not said that they destroyed them."""

    down: tuple[Copy, ...]
    strangers: tuple[str, ...]
    overdue: tuple[Copy, ...]

    @property
    def clean(self) -> bool:
        return not self.strangers and not self.overdue


class Releasing:
    """The desk of releases over one engine."""

    def __init__(self, door: Door, planted: PlantedMarkStore) -> None:
        """Use `Engine.releases`."""
        self._door, self._planted = door, planted

    def ask(self, token: str, query: Query, source: Listed | None = None) -> Acted:
        """Ask a second person for a release; `made` is the case. See `enforcement.releasing`."""
        return ask_release(self._door, token, query, source)

    def release(
        self, token: str, query: Query, case: str, source: Listed | None = None
    ) -> Released:
        """The copies, once, for exactly what `case` was given for."""
        return release(self._door, token, query, case, source)

    def live(self) -> tuple[Copy, ...]:
        """Every copy that is out, the first to expire first."""
        return self._door.releases.live()

    def recipients(self, resource: str, numbers: Sequence[str]) -> tuple[str, ...]:
        """Whose copies hold made-up rows that stand among these numbers."""
        digests = [self._door.pseudonyms.digest(resource, one) for one in numbers]
        marks = self._planted.among(digests)
        ids = [copy for mark in marks for copy in (mark.copies or "").split()]
        return tuple(sorted({one.recipient for one in self._door.releases.of(ids)}))

    def destroyed(self, copy: str, by: str) -> None:
        """An exported copy is destroyed, as its recipient confirmed. Raises InputError."""
        found = [one for one in self.live() if one.id == copy and one.kind == "export"]
        if not found:
            raise InputError(NO_COPY.of(copy=copy))
        self._write_down(found[0], by, "release.destroyed")
        self._door.releases.end(copy, by, self._now())

    def overdue(self) -> tuple[Copy, ...]:
        """Exported copies whose term is over and whose end nobody has confirmed."""
        now = self._now()
        return tuple(one for one in self.live() if one.kind == "export" and one.expires_at <= now)

    def sweep(self, site: Path, by: str, *, dry_run: bool = False) -> Swept:
        """Take down what has run out in the folder `site`, and say what else is wrong there."""
        now, live = self._now(), self.live()
        down = [one for one in live if one.kind == "publish" and one.expires_at <= now]
        try:
            for one in () if dry_run else down:
                self._write_down(one, by, "release.ended")
                (site / f"{one.id}{SUFFIX}").unlink(missing_ok=True)
                self._door.releases.end(one.id, by, now)
            up = {f"{one.id}{SUFFIX}" for one in live if one.kind == "publish"}
            found = sorted(one.name for one in site.iterdir())
        except OSError:
            raise InputError(NO_FOLDER.of(), Where(str(site))) from None
        strangers = tuple(one for one in found if one not in up)
        return Swept(tuple(down), strangers, self.overdue())

    def _now(self) -> int:
        return int(self._door.clock.now().timestamp())

    def _write_down(self, copy: Copy, by: str, action: str) -> None:
        entry = AuditEntry(
            kind="event",
            request=new_request_id(),
            at=self._now() * 1000,
            action=action,
            resource=copy.resource,
            account=by,
            effect="allow",
            line="release",
            ticket=copy.case or None,
            digest=copy.digest,
            policy=self._door.decider.version,
        )
        self._door.audit.append(entry)
