"""The notary's acts on a log: a change of its signing key, and trusted time stamps.

INVARIANTS
- Each act is on record before it is done.
- The old key signs its successor in: one checkpoint carries both signatures, and the old one is
  believed for nothing larger.
- A time stamp is kept only if it holds under the roots that were brought along.
"""

import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from acl_engine.audit import flaws, timestamp
from acl_engine.audit.checkpoint import Anchored, Trust
from acl_engine.audit.note import Signer
from acl_engine.audit.report import Finding, Stamp
from acl_engine.bootstrap.accountability import ORIGIN, Accountability
from acl_engine.bootstrap.audit_files import read_bytes, read_seed
from acl_engine.domain.accountability import STAMPED
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.domain.ports import TimeStamper
from acl_engine.domain.text import Text

_SECONDS = 15
# An answer with a chain of certificates is some 6 KB.
_MOST_BYTES = 64 * 1024

NO_CHECKPOINT = Text(
    "stamp.no-checkpoint",
    "没有可加时间戳的受信检查点",
    "there is no trusted checkpoint to stamp",
    "先运行 `acl audit checkpoint`",
    "run `acl audit checkpoint` first",
)
UNREACHABLE = Text(
    "stamp.unreachable",
    "时间戳机构无应答：{why}",
    "the time stamping authority does not answer: {why}",
    "检查地址与网络，或用 --request 与 --response 离线办理",
    "check the address and the network, or work offline with --request and --response",
)


@dataclass(frozen=True, slots=True)
class Rotated:
    """The checkpoint that both keys signed, and whom to believe from now on."""

    anchored: Anchored
    trust: Trust


class HttpTimeStamper:
    """Implements `domain.ports.TimeStamper` over HTTP (RFC 3161 section 3.4)."""

    def __init__(self, url: str) -> None:
        self._url = url

    def stamp(self, request: bytes) -> bytes:
        """The authority's answer in DER. Raises ConfigError."""
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            asked = urllib.request.Request(self._url, request, headers)  # noqa: S310 -- checked below
            if asked.type not in ("http", "https"):
                raise ValueError("http or https")
            with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
                return bytes(answer.read(_MOST_BYTES))
        except (OSError, ValueError) as failure:
            reason = getattr(failure, "reason", None) or failure
            raise ConfigError(UNREACHABLE.of(why=str(reason)[:120])) from None


class Notary:
    """Acts on the log of one desk, on behalf of `by`."""

    def __init__(self, desk: Accountability, by: str) -> None:
        self._desk, self._by = desk, by

    # --- the signing key -----------------------------------------------------------------------

    def rotate(self, trust: Trust, files: tuple[Path, Path] | None = None) -> Rotated:
        """Change the key. `files`: the old and the new signing key; without them this service's
        own next generation. Raises InputError, ConfigError."""
        desk, generation = self._desk, self._desk.keeping.generation()
        if files:
            old, new = (Signer(ORIGIN, read_seed(file)) for file in files)
        else:
            old, new = desk.signer(generation), desk.signer(generation + 1)
        desk.write_down("audit.rotate", self._by, ticket=new.verifier.id.hex())
        anchored = desk.sign(trust, [old, new])
        size = anchored.checkpoint.size
        if not files:
            desk.keeping.add_generation(generation + 1, size, desk.millis())
        believed = trust.handed_over(old.verifier, new.verifier, size)
        return Rotated(anchored, believed)

    # --- time stamps ---------------------------------------------------------------------------

    def stamp(self, trust: Trust, roots: Path, stamper: TimeStamper) -> Stamp:
        """Have the latest checkpoint stamped, and keep the stamp."""
        anchored = self._latest(trust)
        asked = timestamp.request(anchored.checkpoint.text())
        return self._keep(anchored, roots, stamper.stamp(asked.der), asked.nonce)

    def request(self, trust: Trust) -> bytes:
        """The request for the latest checkpoint, to be carried to an authority by other means."""
        return timestamp.request(self._latest(trust).checkpoint.text()).der

    def answer(self, trust: Trust, roots: Path, answer: Path) -> Stamp:
        """Keep an answer that was fetched by other means, for whichever checkpoint it stamps."""
        given, refused = read_bytes(answer), None
        for anchored in self._desk.trusted(trust):
            try:
                return self._keep(anchored, roots, given, None)
            except InputError as error:
                refused = refused or error
        raise refused or InputError(NO_CHECKPOINT.of())

    def _latest(self, trust: Trust) -> Anchored:
        found = self._desk.latest(trust)
        if found is None or found.checkpoint.size == 0:
            raise InputError(NO_CHECKPOINT.of())
        return found

    def _keep(self, anchored: Anchored, roots: Path, answer: bytes, nonce: int | None) -> Stamp:
        checkpoint = anchored.checkpoint
        trusted = timestamp.roots(read_bytes(roots))
        stamp = timestamp.check(answer, checkpoint.text(), trusted, checkpoint.size, nonce)
        self._desk.keeping.add_stamp(stamp.size, stamp.at, answer)
        # Its digest in the log: what is written after this record was written after the stamp.
        self._desk.write_down(STAMPED, self._by, digest=stamp.token)
        return stamp


def stamps(
    desk: Accountability, trust: Trust, roots: Path | None
) -> tuple[list[Stamp], list[Finding]]:
    """The stamps that hold under `roots`, and a finding for each that does not. Without roots no
    stamp is looked at."""
    found, wrong = list[Stamp](), list[Finding]()
    if roots is None:
        return found, wrong
    trusted = timestamp.roots(read_bytes(roots))
    texts = {one.checkpoint.size: one.checkpoint.text() for one in desk.trusted(trust)}
    for size, answer in desk.keeping.stamps():
        try:
            found.append(timestamp.check(answer, texts.get(size, "-"), trusted, size))
        except InputError:
            wrong.append(Finding(None, flaws.BAD_STAMP.of(size=size)))
    return found, wrong
