"""The log's own notary in a run: signs after every step, keeps what it signed elsewhere, verifies.

What production does by the minute and by the day (`acl audit checkpoint`, `acl audit verify`), here
with the clock of the run. It works only where the pack has the log signed.
"""

from acl_engine.audit.verify import verify
from acl_engine.bootstrap.accountability import Accountability
from acl_engine.replay.transport import Site


class Notary:
    """Over the copy of one run; `None` of its notes stands in the database alone."""

    def __init__(self, site: Site) -> None:
        self._desk = Accountability(site.database, site.keys, clock=site.clock)
        self._works = site.pack.settings.audit.signed
        self._kept: list[str] = []

    def flaws(self) -> tuple[str, ...]:
        """Codes of what is wrong with the log now; if nothing is, it is signed as it stands."""
        if not self._works:
            return ()
        trust = self._desk.trust(None)
        notes = self._desk.proofs.checkpoints()
        report = verify(self._desk.store.pages, notes, trust, self._kept)
        if report.sound:
            self._kept.append(self._desk.checkpoint(trust, (), None).note)
        return tuple(finding.message.code for finding in report.findings)
