"""The audit log's desk: sign, witness, copy, verify, prove, hold. Questions are in `inquiry`.

INVARIANTS
- Whoever asks the log about people is written into the log before the answer is given.
- Keys to believe come from a trust file; without one, this service's own key, and that is said.
"""

import secrets
from pathlib import Path

from acl_engine.audit import receipt, record
from acl_engine.audit.checkpoint import Anchored, Trust, next_checkpoint
from acl_engine.audit.copy import LogCopy
from acl_engine.audit.merkle import Tree, fold
from acl_engine.audit.note import COSIGNATURE, Signer
from acl_engine.audit.verify import Report, verify
from acl_engine.audit.witness import Witness
from acl_engine.bootstrap.clocks import millis
from acl_engine.bootstrap.keys import KeyedPseudonyms, Keys
from acl_engine.domain.accountability import AuditEntry
from acl_engine.domain.errors import ConfigError, InputError
from acl_engine.domain.text import Text
from acl_engine.storage.audit_proofs import AuditProofStore, Hold
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database, is_synthetic, world_seed
from acl_engine.storage.subjects import unit_names

ORIGIN = "acl-engine.local/audit"
SEED_BYTES = 32
# PIPL article 54 and the sector's rules: looks are kept three years, and never under six months.
KEEP_DAYS, KEEP_DAYS_LEAST = 3 * 365, 183

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
BAD_SEED = Text(
    "audit.bad-seed",
    "签名密钥文件须为 32 字节",
    "a signing key file must hold 32 bytes",
    "用 `head -c 32 /dev/urandom` 生成，权限 600",
    "make it with `head -c 32 /dev/urandom`, mode 600",
)
NO_FILE = Text(
    "audit.no-file",
    "文件 `{file}` 不可读",
    "the file `{file}` cannot be read",
    "检查路径与权限",
    "check the path and its permissions",
)


class Accountability:
    """One database's audit log. Close it when done."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.database = database
        self.pseudonyms = KeyedPseudonyms(keys.pseudonym)
        self.keys = keys
        self.store = AuditStore(database, record.encode, record.leaf_hash, record.decode)
        self.proofs = AuditProofStore(database, fold)
        self.tree = Tree(self.proofs)
        self.own = Signer(ORIGIN, keys.checkpoint)

    @classmethod
    def open(cls, url: str) -> "Accountability":
        """Open a database. Its keys are the environment's, or a synthetic world's own."""
        database = Database.open(url)
        try:
            synthetic = is_synthetic(database)
            keys = Keys.synthetic(world_seed(database)) if synthetic else Keys.from_environment()
        except BaseException:
            database.close()
            raise
        return cls(database, keys)

    def __enter__(self) -> "Accountability":
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    # --- signing, witnessing, copying --------------------------------------------------------

    def trust(self, file: Path | None) -> Trust:
        """The trust file's keys, or this service's own key alone."""
        return read_trust(file) if file else Trust((self.own.verifier,))

    def checkpoint(self, trust: Trust, keys: tuple[Path, ...], witness: Path | None) -> Anchored:
        """Sign what there is now, have it witnessed, keep it. `keys`: instead of the own key; two
        of them, the old and the new, for a change of keys. `witness`: a folder, see `_witness`.
        """
        signers = [Signer(ORIGIN, _seed(file)) for file in keys] or [self.own]
        size, last = self.proofs.size(), self.latest(trust)
        self.proofs.keep_nodes(size)
        found = next_checkpoint(self.tree, size, last.checkpoint if last else None, signers)
        believed = Trust((*trust.logs, *(one.verifier for one in signers)), trust.witnesses)
        note = self._witness(found, believed, witness) if witness else found
        anchored = Trust(believed.logs, trust.witnesses, trust.quorum).open(note)
        self.proofs.add_checkpoint(size, millis(), note)
        return anchored

    def latest(self, trust: Trust) -> Anchored | None:
        """The largest checkpoint that is kept and trusted; what is not trusted is passed over."""
        found: Anchored | None = None
        for note in self.proofs.checkpoints():
            try:
                one = trust.open(note)
            except InputError:
                continue
            if found is None or one.checkpoint.size >= found.checkpoint.size:
                found = one
        return found

    def _witness(self, note: str, trust: Trust, folder: Path) -> str:
        """A witness whose key and memory are in `folder` (`key`, `seen.txt`)."""
        memory = LogCopy(folder)
        seen = memory.checkpoints()
        last = trust.open(seen[-1]).checkpoint if seen else None
        signer = Signer(folder.name, _seed(folder / "key"), COSIGNATURE)
        witness = Witness(signer, trust, lambda new: _keep(memory, new), last)
        size = trust.open(note).checkpoint.size
        proof = self.tree.consistency(last.size, size) if last and last.size <= size else ()
        return witness.cosign(note, proof, millis() // 1000)

    def copy(self, folder: Path) -> int:
        """Bring the copy in `folder` up to date; how many records were added."""
        copy = LogCopy(folder)
        rows = ((index, body) for index, body, _ in self.store.raw(copy.size()))
        return copy.extend(rows, self.proofs.checkpoints())

    # --- verifying and proving ---------------------------------------------------------------

    def verify(self, trust: Trust, witness: Path | None = None, copy: Path | None = None) -> Report:
        """The whole log against trusted keys, what a witness saw, and a copy."""
        elsewhere = [LogCopy(folder).checkpoints() for folder in (witness, copy) if folder]
        return verify(
            self.store.raw(page=10_000),
            self.proofs.checkpoints(),
            trust,
            [note for notes in elsewhere for note in notes],
            LogCopy(copy).leaves() if copy else (),
        )

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
        self.proofs.hold(case, millis(), by)

    def release(self, case: str, by: str) -> None:
        self.write_down("audit.release", by, ticket=case)
        self.proofs.release(case, millis(), by)

    def holds(self) -> list[Hold]:
        return self.proofs.holds()

    def unit_names(self) -> dict[str, tuple[str, str]]:
        """Unit id -> its name in Chinese and in English."""
        return unit_names(self.database)

    def write_down(
        self, action: str, by: str, subjects: tuple[str, ...] = (), ticket: str | None = None
    ) -> None:
        """Put on record that `by` does this, before it is done."""
        entry = AuditEntry(
            kind="event",
            request=secrets.token_hex(8),
            at=millis(),
            action=action,
            resource="audit",
            account=by,
            person=None,
            role=None,
            unit=None,
            device=None,
            session=None,
            effect="allow",
            line="audit",
            ticket=ticket,
            subjects=subjects,
        )
        self.store.append(entry)


def read_trust(file: Path) -> Trust:
    """A trust file. Raises InputError (what it says) or ConfigError (that it cannot be read)."""
    return Trust.parse(read_text(file), str(file))


def check_receipt(file: Path, trust: Path) -> receipt.Proven:
    """What a receipt proves to the holder of a trust file. Opens no database."""
    return receipt.check(read_text(file), read_trust(trust))


def witness_key(folder: Path) -> str:
    """The public key of the witness in `folder`, for a trust file."""
    return str(Signer(folder.name, _seed(folder / "key"), COSIGNATURE).verifier)


def read_text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(NO_FILE.of(file=file.name)) from None


def _seed(file: Path) -> bytes:
    try:
        seed = file.read_bytes()
    except OSError:
        raise ConfigError(NO_FILE.of(file=file.name)) from None
    if len(seed) != SEED_BYTES:
        raise ConfigError(BAD_SEED.of())
    return seed


def _keep(memory: LogCopy, note: str) -> None:
    memory.extend((), (note,))
