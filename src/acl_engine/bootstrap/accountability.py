"""The audit log's desk: sign, witness, copy, verify, prove, hold. Questions are in `inquiry`.

INVARIANTS
- Whoever asks the log about people is written into the log before the answer is given.
- Keys to believe come from a trust file; without one, this service's own key, and that is said.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from acl_engine.audit import receipt, record
from acl_engine.audit.checkpoint import Anchored, Trust, next_checkpoint
from acl_engine.audit.copy import CHECKPOINTS, RECORDS, LogCopy
from acl_engine.audit.merkle import Tree, fold
from acl_engine.audit.note import Signer
from acl_engine.audit.report import Report, Stamp
from acl_engine.audit.verify import Surveys, verify
from acl_engine.audit.witness import Request, cosigned
from acl_engine.bootstrap.audit_files import read_seed, read_trust
from acl_engine.bootstrap.clocks import SystemClock, millis_of
from acl_engine.bootstrap.crew import hands
from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys
from acl_engine.bootstrap.master_key import keys_of
from acl_engine.bootstrap.surveying import surveys
from acl_engine.bootstrap.witnessing import witness_in
from acl_engine.bootstrap.world_clock import desk_clock
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import InputError
from acl_engine.domain.ports import Clock
from acl_engine.domain.request_id import new_request_id
from acl_engine.domain.text import Text
from acl_engine.storage.audit_keeping import AuditKeeping
from acl_engine.storage.audit_proofs import AuditProofStore, Hold
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.subjects import unit_names

ORIGIN = "acl-engine.local/audit"

NOT_COVERED = Text(
    "audit.not-covered",
    "尚无受信检查点覆盖 `{id}`",
    "no trusted checkpoint covers `{id}` yet",
    "先运行 `acl audit checkpoint`",
    "run `acl audit checkpoint` first",
)
NO_RECORD = Text(
    "audit.unknown-id",
    "日志中没有 `{id}`",
    "the log has no `{id}`",
    "给出记录编号或请求编号",
    "give a record's index or a request id",
)

NO_CHECKPOINT = Text(
    "audit.no-checkpoint",
    "没有受信检查点",
    "there is no trusted checkpoint",
    "先运行 `acl audit checkpoint`",
    "run `acl audit checkpoint` first",
)
NO_COSIGNATURE = Text(
    "audit.no-cosignature",
    "不是受信见证方对本日志检查点的签名，或已加入过",
    "no trusted witness signed any checkpoint of this log with it, or it is there already",
    "核对信任文件中的 `witness` 行",
    "check the `witness` lines of the trust file",
)


class Accountability:
    """One database's audit log. Close it when done."""

    def __init__(
        self, database: Database, keys: Keys, url: str = "", clock: Clock | None = None
    ) -> None:
        """`url`: where other processes find the same database, to read a large log together."""
        self.database, self.url, self.clock = database, url, clock or SystemClock()
        self.pseudonyms = KeyedPseudonyms(keys.pseudonym)
        self.keys = keys
        self.store = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        self.proofs = AuditProofStore(database, fold)
        self.tree = Tree(self.proofs)
        self.keeping = AuditKeeping(database)

    @classmethod
    def open(cls, url: str) -> "Accountability":
        """Open a database. Its keys are the environment's, or a synthetic world's own."""
        database = Database.open(url)
        try:
            keys = keys_of(database)
            clock = desk_clock(database)
        except BaseException:
            database.close()
            raise
        return cls(database, keys, url, clock)

    def millis(self) -> int:
        """The desk's time in epoch milliseconds."""
        return millis_of(self.clock)

    def __enter__(self) -> "Accountability":
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    # --- signing, witnessing, copying --------------------------------------------------------

    def signer(self, generation: int) -> Signer:
        """This service's own key of a generation."""
        return Signer(ORIGIN, self.keys.signing_seed(generation))

    @property
    def own(self) -> Signer:
        """The key that signs now."""
        return self.signer(self.keeping.generation())

    def trust(self, file: Path | None) -> Trust:
        """The trust file's keys, or this service's own alone, each up to its end."""
        if file:
            return read_trust(file)
        given_up = self.keeping.given_up()
        logs = [self.signer(one).verifier for one in range(1, self.keeping.generation() + 1)]
        until = [(self.signer(one).verifier, size) for one, size in sorted(given_up.items())]
        return Trust(tuple(logs), until=tuple(until))

    def checkpoint(
        self, trust: Trust, keys: tuple[Path, ...] = (), witness: Path | None = None
    ) -> Anchored:
        """Sign what there is now, have it witnessed, keep it. `keys`: instead of the own key.
        `witness`: a folder, see `_witness`."""
        signers = [Signer(ORIGIN, read_seed(file)) for file in keys] or [self.own]
        return self.sign(trust, signers, witness)

    def sign(
        self, trust: Trust, signers: Sequence[Signer], witness: Path | None = None
    ) -> Anchored:
        """A checkpoint by these signers over what there is now, kept. Raises InputError unless it
        continues the latest one that is trusted."""
        size, last = self.proofs.size(), self.latest(trust)
        self.proofs.keep_nodes(size)
        found = next_checkpoint(self.tree, size, last.checkpoint if last else None, signers)
        new = tuple(one.verifier for one in signers if one.verifier not in trust.logs)
        believed = replace(trust, logs=(*trust.logs, *new))
        note = self._witness(found, believed, witness) if witness else found
        anchored = believed.open(note)
        self.proofs.add_checkpoint(size, self.millis(), note)
        return anchored

    def latest(self, trust: Trust) -> Anchored | None:
        """The largest checkpoint that is kept and trusted; what is not trusted is passed over."""
        return max(self.trusted(trust), key=lambda one: one.checkpoint.size, default=None)

    def trusted(self, trust: Trust) -> list[Anchored]:
        """Every kept checkpoint that is trusted, newest first."""
        found: list[Anchored] = []
        for note in reversed(self.proofs.checkpoints()):
            with suppress(InputError):
                found.append(trust.open(note))
        return found

    def _witness(self, note: str, trust: Trust, folder: Path) -> str:
        """A witness whose key and memory are in `folder`, on this machine."""
        witness = witness_in(folder, trust)
        size, last = trust.open(note).checkpoint.size, witness.last
        proof = self.tree.consistency(last.size, size) if last and last.size <= size else ()
        return witness.cosign(note, proof, self.millis() // 1000)

    def ask_witness(self, trust: Trust, old: int | None) -> str:
        """What to send to a witness elsewhere. Raises InputError without a checkpoint."""
        latest = self.latest(trust)
        if latest is None:
            raise InputError(NO_CHECKPOINT.of())
        if old is None:
            sizes = (one.checkpoint.size for one in self.trusted(trust) if one.witnessed)
            old = max(sizes, default=0)
        size = latest.checkpoint.size
        return Request(old, self.tree.consistency(min(old, size), size), latest.note).text()

    def add_cosignature(self, trust: Trust, line: str) -> Anchored:
        """Put a witness's line under the checkpoint that it is of, and keep that. Raises InputError
        for a line that no trusted witness signed."""
        # Of one checkpoint the note with the most signatures is the one to add to.
        best = {one.checkpoint: one for one in sorted(self.trusted(trust), key=_cosigners)}
        for one in best.values():
            with suppress(InputError):
                anchored = trust.open(cosigned(one.note, line))
                if anchored.cosigners > one.cosigners:
                    self.proofs.add_checkpoint(one.checkpoint.size, self.millis(), anchored.note)
                    return anchored
        raise InputError(NO_COSIGNATURE.of())

    def copy(self, folder: Path) -> int:
        """Bring the copy in `folder` up to date; how many records were added."""
        copy = LogCopy(folder)
        rows = ((one.number, one.body) for one in self.store.rows(copy.size()))
        return copy.extend(rows, self.proofs.checkpoints())

    # --- verifying and proving ---------------------------------------------------------------

    def verify(
        self,
        trust: Trust,
        witness: Path | None = None,
        copy: Path | None = None,
        stamps: Sequence[Stamp] = (),
    ) -> Report:
        """The whole log against trusted keys, what a witness saw, a copy, and time stamps. Raises
        InputError for a folder that holds nothing to compare with."""
        seen = LogCopy.kept(witness, CHECKPOINTS) if witness else None
        kept = LogCopy.kept(copy, RECORDS) if copy else None
        elsewhere = [one.checkpoints() for one in (seen, kept) if one]
        return verify(
            self.store.pages,
            self.proofs.checkpoints(),
            trust,
            [note for notes in elsewhere for note in notes],
            kept.leaves() if kept else None,
            stamps,
            self._surveys(),
        )

    def _surveys(self) -> Surveys | None:
        size = self.proofs.size()
        processes = hands(self.url, size)
        return surveys(self.url, size, processes) if processes > 1 else None

    def prove(self, name: str, trust: Trust) -> list[str]:
        """Receipts of a record (its index) or of a request (all its records)."""
        indexes = (
            [int(name)] if name.isdecimal() and len(name) < 16 else self.store.indexes_of(name)
        )
        latest = self.latest(trust)
        receipts = []
        for index in indexes:
            found = self.store.at(index)
            if found is None:
                raise InputError(NO_RECORD.of(id=name))
            if latest is None or latest.checkpoint.size <= index:
                raise InputError(NOT_COVERED.of(id=name))
            receipts.append(receipt.make(self.tree, index, found[0], latest))
        if not receipts:
            raise InputError(NO_RECORD.of(id=name))
        return receipts

    # --- legal holds -------------------------------------------------------------------------

    def hold(self, case: str, by: str) -> None:
        """Open a hold: from now on nothing is deleted and no key destroyed."""
        self.write_down("audit.hold", by, ticket=case)
        self.proofs.hold(case, self.millis(), by)

    def release(self, case: str, by: str) -> None:
        self.write_down("audit.release", by, ticket=case)
        self.proofs.release(case, self.millis(), by)

    def holds(self) -> list[Hold]:
        return self.proofs.holds()

    def unit_names(self) -> dict[str, tuple[str, str]]:
        """Unit id -> its name in Chinese and in English."""
        return unit_names(self.database)

    def write_down(
        self,
        action: str,
        by: str,
        subjects: tuple[str, ...] = (),
        *,
        ticket: str | None = None,
        digest: str = "",
        evidence: tuple[int, ...] = (),
    ) -> None:
        """Put on record that `by` does this, before it is done."""
        entry = AuditEntry(
            kind="event",
            request=new_request_id(),
            at=self.millis(),
            action=action,
            resource="audit",
            account=by,
            effect="allow",
            line="audit",
            ticket=ticket,
            subjects=subjects,
            digest=digest,
            evidence=evidence,
        )
        self.store.append(entry)


def _cosigners(anchored: Anchored) -> int:
    return anchored.cosigners
