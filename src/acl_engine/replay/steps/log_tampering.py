"""Tampering with the audit log by somebody who has its database, or its host: with its form kept.

Whoever knows how the log is made leaves no hole and no wrong hash behind. `actor` of the step says
who it was, for `acts(who, tamper, audit_records)`, `(who, tamper, clock)`, `(who, show, receipt)`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from acl_engine.audit import receipt, record
from acl_engine.audit.checkpoint import next_checkpoint
from acl_engine.audit.merkle import Tree
from acl_engine.audit.note import Signer
from acl_engine.bootstrap.accountability import ORIGIN, Accountability
from acl_engine.domain.accountability import FILED_CHARS, AuditEntry, Stored
from acl_engine.domain.errors import InputError, ScenarioError
from acl_engine.domain.text import Text
from acl_engine.replay.outcome import DONE, Outcome
from acl_engine.replay.steps.deed import Deed, Scene
from acl_engine.storage import unsafe

LOG = "audit_records"
SIGNED_LOG = "signed-log"

NO_LOOK = Text(
    "scenario.no-look",
    "日志中没有账号 `{account}` 的查看记录",
    "the log holds no look of the account `{account}`",
    "先安排一个查看步骤",
    "let a step look first",
)


class LogTamper(Deed, frozen=True):
    """`account`: whose looks it is about."""

    account: str

    def do(self, scene: Scene) -> Outcome:
        entries = [entry for _, entry in scene.stage.engine.audit.entries()]
        rewritten = self.rewritten(entries, _looks(entries, scene.account(self.account)), scene)
        unsafe.replace_log(scene.stage.database, _stored(rewritten))
        return DONE

    def rewritten(self, log: list[AuditEntry], looks: list[int], scene: Scene) -> list[AuditEntry]:
        """What the log is made to say; `looks` are the indexes of the account's."""
        raise NotImplementedError

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "tamper", LOG


class Excise(LogTamper, frozen=True, tag="excise"):
    """The account's first look is taken out, and the records after it move up."""

    def rewritten(self, log: list[AuditEntry], looks: list[int], scene: Scene) -> list[AuditEntry]:
        return [one for one in log if one.request != log[looks[0]].request]


class Blame(LogTamper, frozen=True, tag="blame"):
    """The account's looks are rewritten, hashes and all, to be those of `onto`."""

    onto: str

    def rewritten(self, log: list[AuditEntry], looks: list[int], scene: Scene) -> list[AuditEntry]:
        return [_of(scene, self.onto, one) if at in looks else one for at, one in enumerate(log)]


class Invent(LogTamper, frozen=True, tag="invent"):
    """The account's latest look is put in a second time, before the last record, as one of `onto`,
    who never looked."""

    onto: str

    def rewritten(self, log: list[AuditEntry], looks: list[int], scene: Scene) -> list[AuditEntry]:
        return [*log[:-1], _of(scene, self.onto, log[looks[-1]]), log[-1]]


class Truncate(LogTamper, frozen=True, tag="truncate"):
    """The log ends before the account's first look; checkpoints that say more go too."""

    def do(self, scene: Scene) -> Outcome:
        done = super().do(scene)
        unsafe.replace_checkpoints(scene.stage.database, [])
        return done

    def rewritten(self, log: list[AuditEntry], looks: list[int], scene: Scene) -> list[AuditEntry]:
        return log[: looks[0]]


class Forge(LogTamper, frozen=True, tag="forge"):
    """A whole new log without the account, signed by a key of the forger's under the log's name."""

    def do(self, scene: Scene) -> Outcome:
        done = super().do(scene)
        desk = Accountability(scene.stage.database, scene.stage.site.keys)
        size = desk.proofs.size()
        note = next_checkpoint(
            Tree(desk.proofs), size, None, [Signer(ORIGIN, b"forger" + b"." * 26)]
        )
        unsafe.replace_checkpoints(scene.stage.database, [(size, note)])
        return done

    def rewritten(self, log: list[AuditEntry], looks: list[int], scene: Scene) -> list[AuditEntry]:
        return [one for at, one in enumerate(log) if at not in looks]


class SetClockBack(Deed, frozen=True, tag="set-clock-back"):
    """The host's clock says `hours` less from now on."""

    hours: int

    def do(self, scene: Scene) -> Outcome:
        scene.stage.clock.set_back(3600 * self.hours)
        return DONE

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "tamper", "clock"


class ShowReceipt(Deed, frozen=True, tag="show-receipt"):
    """The receipt of the account's latest look, altered to name `onto`, is shown to whoever checks
    receipts. Where the log is signed they check; else they have a piece of paper and believe it."""

    account: str
    onto: str

    def do(self, scene: Scene) -> Outcome:
        stage = scene.stage
        if not stage.site.pack.settings.audit.signed:
            return DONE
        desk = Accountability(stage.database, stage.site.keys)
        trust = desk.trust(None)
        signed = desk.checkpoint(trust)
        entries = [entry for _, entry in desk.store.entries()]
        at = _looks(entries, scene.account(self.account))[-1]
        true = receipt.make(desk.tree, at, record.encode(entries[at]), signed)
        assert receipt.check(true, trust).entry == entries[at]  # else it refuses whatever is shown
        lie = record.encode(_of(scene, self.onto, entries[at]))
        try:
            receipt.check(receipt.make(desk.tree, at, lie, signed), trust)
        except InputError as refused:
            return Outcome(False, "10", (SIGNED_LOG,), reason=refused.message.code, named=True)
        return DONE

    def act(self, account: Callable[[str], str]) -> tuple[str, str]:
        return "show", "receipt"


LogTampering = Excise | Blame | Invent | Truncate | Forge | SetClockBack | ShowReceipt


def _looks(log: list[AuditEntry], account: str) -> list[int]:
    """The indexes of an account's looks. Raises ScenarioError where there is none."""
    found = [at for at, one in enumerate(log) if one.account == account and one.kind != "event"]
    if not found:
        raise ScenarioError(NO_LOOK.of(account=account))
    return found


def _of(scene: Scene, name: str, entry: AuditEntry) -> AuditEntry:
    """The same look as another account's."""
    other = scene.stage.person(scene.account(name))
    device = other.member.device
    return replace(entry, account=other.member.login, person=other.person, device=device)


def _stored(log: Iterable[AuditEntry]) -> list[Stored]:
    """Rows that hold together: hashes and search columns as the records say."""
    bodies = [(entry, record.encode(entry)) for entry in log]
    return [
        Stored(at, body, record.leaf_hash(body), entry.request, entry.at,
               (entry.account or "")[:FILED_CHARS] or None)
        for at, (entry, body) in enumerate(bodies)
    ]  # fmt: skip
