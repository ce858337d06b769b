"""Single logout: every application that a session visited is told that it is over, with patience.

Best effort, as the protocol says (2.3.3): an application may never hear of it. What really ends a
person's rights is the live check of the session at each decision; this clears what applications
remember by themselves.

INVARIANTS
- A farewell is due until the application answered (2xx or 3xx) or the tries are used up; giving up
  is on record.
- Several processes share the work: each farewell is claimed by one of them for a while.
- Nothing that a farewell meets stops the others.
"""

import logging
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lxml import etree

from acl_engine.bootstrap.cas_record import Recorder
from acl_engine.domain.cas import Farewell, Outbound, ServiceRegistry, TicketStore
from acl_engine.domain.errors import AclError
from acl_engine.domain.ports import Clock
from acl_engine.domain.text import Text

log = logging.getLogger("acl.web")

GAVE_UP = Text(
    "cas.farewell-given-up",
    "应用一直没有应答注销通知",
    "the application never answered its logout message",
)
CONTROL = "repeated-farewell"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"

# Claimed for so long: more than the slowest call, so that nobody else tells it meanwhile.
_LEASE_SECONDS = 60
_AT_ONCE = 4
_BATCH = 40
# 5 s, 15 s, 45 s ... up to an hour.
_FIRST_WAIT, _GROWTH, _LONGEST_WAIT = 5, 3, 3600
_TICK_SECONDS = 2.0
_FORGET_EVERY = 150  # ticks


@dataclass
class Farewells:
    """Tells farewells. `tell_due` is one round; `run` goes on until it is stopped."""

    tickets: TicketStore
    registry: ServiceRegistry
    outbound: Outbound
    recorder: Recorder
    clock: Clock
    tries: int
    _stop: threading.Event = field(default_factory=threading.Event)
    _wake: threading.Event = field(default_factory=threading.Event)

    def wake(self) -> None:
        """Somebody has just logged out: do not wait for the next round."""
        self._wake.set()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Round after round, until `stop`. A store that cannot answer is asked again later."""
        count = 0
        while not self._stop.is_set():
            try:
                self.tell_due()
                if count % _FORGET_EVERY == 0:
                    self.tickets.forget(self._now())
            except AclError as error:
                log.warning("farewells wait: %s", error.message.code)
            count += 1
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()

    def tell_due(self) -> int:
        """Tell what is due now; how many were told or given up."""
        self.tickets.part_dead(self._now())
        claimed = self.tickets.claim(self._now(), _LEASE_SECONDS, _BATCH)
        if not claimed:
            return 0
        homes = {one.name: one.logout_url for one in self.registry.services()}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return sum(pool.map(lambda one: self._tell(one, homes.get(one.service)), claimed))

    def _tell(self, one: Farewell, home: str | None) -> bool:
        told = self.outbound.post(home or one.url, {"logoutRequest": logout_request(one.index)})
        now = self._now()
        if 200 <= told < 400:
            self.tickets.settle(one.ticket_hash, now, retry_at=None)
            return True
        if one.tries >= self.tries:
            self.recorder.denied(
                "cas.farewell", None, one.service, GAVE_UP.code, CONTROL, ticket=one.ticket_hash
            )
            self.tickets.settle(one.ticket_hash, now, retry_at=None)
            return True
        wait = min(_FIRST_WAIT * _GROWTH ** (one.tries - 1), _LONGEST_WAIT)
        self.tickets.settle(one.ticket_hash, now, retry_at=now + wait)
        return False

    def _now(self) -> int:
        return int(self.clock.now().timestamp())


def logout_request(index: str) -> str:
    """The message of Appendix C. `index`: the ticket by which the application knows the visit."""
    root = etree.Element(f"{{{PROTOCOL}}}LogoutRequest", nsmap={"samlp": PROTOCOL})
    root.set("ID", f"_{secrets.token_hex(16)}")
    root.set("Version", "2.0")
    root.set("IssueInstant", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    name = etree.SubElement(root, f"{{{ASSERTION}}}NameID", nsmap={"saml": ASSERTION})
    name.text = "@NOT_USED@"
    etree.SubElement(root, f"{{{PROTOCOL}}}SessionIndex").text = index
    return str(etree.tostring(root, encoding="unicode"))
