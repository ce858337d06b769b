"""What an old scanner says to its adapter, and is told: one line each way, fields apart by a tab.

    IN <login> <password> <code>   the person at the scanner comes in
    LOOK <number>                  number and route of one parcel
    OUT <number> [<unit>]          scanned out, to a unit
    GOT <number>                   scanned in
    BYE                            the person goes

    WIPE             empty the screen, the list and the memory, before anything else is done
    SHOW <text>      show this
    OK               done
    NO <request>     denied; why stands in the log, under that id
    BAD <word>       not a line of these; or what the service cannot read
    OFF              the service does not answer: nothing was done
    END              scanners without a key are over

INVARIANTS
- Each line is answered by any WIPE and SHOW, then by one of the five others.
- A line without its end was cut off on its way: what stands in it may be part of another parcel's
  number, so nothing is done.
- No line that is sent holds a personal field, and the log holds neither number nor login.
- From the moment `ends` on, every line is answered by END, and nothing is done.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.bootstrap.scanner_adapter import ScannerAdapter, Upstream
from acl_engine.domain.errors import AccessDenied, AclError, InputError

log = logging.getLogger("acl.adapter")

MOST_BYTES = 1024
_NUMBER = re.compile(r"[A-Za-z0-9-]{1,40}")
_UNIT = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class _Screen:
    """The scanner's wire, as `ScannerAdapter` uses it."""

    say: Callable[[str], None]

    def show(self, line: str) -> None:
        self.say("SHOW\t" + " ".join(line.split()))

    def wipe(self) -> None:
        self.say("WIPE")


class ScannerLines:
    """One scanner at its adapter. Not thread-safe. `say` sends one line; `ends`: epoch seconds."""

    def __init__(
        self,
        service: Upstream,
        key: Ed25519PrivateKey,
        scanner: str,
        say: Callable[[str], None],
        ends: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._scanner, self._say, self._ends, self._now = scanner, say, ends, now
        self._adapter = ScannerAdapter(service, key, scanner, _Screen(say))
        self._verbs: dict[str, tuple[Callable[..., None], tuple[re.Pattern[str] | None, ...], int]]
        self._verbs = {
            "IN": (self._adapter.login, (None, None, None), 3),
            "LOOK": (self._adapter.look, (_NUMBER,), 1),
            "OUT": (self._out, (_NUMBER, _UNIT), 1),
            "GOT": (self._got, (_NUMBER,), 1),
            "BYE": (self._adapter.close, (), 0),
        }

    def take(self, raw: bytes) -> bool:
        """Answer one line. False: it is over, hang up."""
        started = time.perf_counter()
        if self._now() >= self._ends:
            verb, outcome = "-", "END"
            self.close()
        else:
            verb, outcome = self._done(raw)
        self._say(outcome)
        took = (time.perf_counter() - started) * 1000
        said = outcome.replace("\t", " ")
        log.info("scanner=%s verb=%s outcome=%s ms=%.0f", self._scanner, verb, said, took)
        return outcome != "END"

    def close(self) -> None:
        """The person goes, or was cut off: the session ends, and nothing is left on the scanner."""
        try:
            self._adapter.close()
        except AclError as error:  # it ends by itself: what opened it is kept nowhere
            code = error.message.code
            log.warning("scanner=%s logout failed: %s", self._scanner, code)

    def _done(self, raw: bytes) -> tuple[str, str]:
        if len(raw) > MOST_BYTES:
            return "?", "BAD\tlength"
        if not raw.endswith(b"\n"):
            return "?", "BAD\tcut"
        try:
            verb, *words = raw.decode("utf-8").rstrip("\r\n").split("\t")
        except UnicodeDecodeError:
            return "?", "BAD\tutf-8"
        if verb not in self._verbs:
            return "?", "BAD\tverb"
        work, shapes, least = self._verbs[verb]
        if not least <= len(words) <= len(shapes):
            return verb, "BAD\tfields"
        pairs = zip(words, shapes, strict=False)
        if not all(shape.fullmatch(word) if shape else word for word, shape in pairs):
            return verb, "BAD\tfield"
        return verb, self._tried(lambda: work(*words))

    def _tried(self, work: Callable[[], None]) -> str:
        try:
            work()
        except AccessDenied as denied:
            request = denied.request_id
            return f"NO\t{request if _SAFE.fullmatch(request) else '-'}"
        except InputError:
            return "BAD\tservice"
        except AclError as error:
            log.warning("scanner=%s failed: %s", self._scanner, error.message.code)
            return "OFF"
        return "OK"

    def _out(self, number: str, unit: str = "") -> None:
        self._adapter.scan("scan_out", number, unit)

    def _got(self, number: str) -> None:
        self._adapter.scan("scan_in", number)
