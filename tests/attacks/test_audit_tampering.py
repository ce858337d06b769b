"""Attacks on the audit log by someone who may write its database; each is found and named."""

import copy
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text
from tests.contract.test_audit_store import entry, store_of

from acl_engine.audit.checkpoint import Trust, next_checkpoint
from acl_engine.audit.copy import LogCopy
from acl_engine.audit.merkle import Tree, fold
from acl_engine.audit.note import COSIGNATURE, Signer
from acl_engine.audit.record import decode, encode, leaf_hash
from acl_engine.audit.report import Report, Stamp
from acl_engine.audit.survey import Survey, survey
from acl_engine.audit.verify import Surveys, verify
from acl_engine.audit.witness import Witness
from acl_engine.domain.errors import InputError
from acl_engine.storage.audit_proofs import AuditProofStore
from acl_engine.storage.audit_store import AuditStore
from acl_engine.storage.database import Database
from acl_engine.storage.tables import audit_records

LOG = Signer("log.example/audit", b"1" * 32)
OTHER = Signer("log.example/audit", b"9" * 32)
WITNESS = Signer("witness.example", b"3" * 32, COSIGNATURE)
TRUST = Trust((LOG.verifier,), (WITNESS.verifier,))
RECORDS, SIGNED, WITNESSED = 20, 16, 8


class Scene:
    """A log of 20 records: witnessed to 8, signed to 16, copied whole."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._over(database, folder)
        self.seen: list[str] = []
        for i in range(RECORDS):
            self.store.append(entry(f"r{i}", at=1_000_000 + i))
        tree = Tree(self.proofs)
        witness = Witness(WITNESS, TRUST, self.seen.append)
        first = witness.cosign(next_checkpoint(tree, WITNESSED, None, [LOG]), (), 1000)
        last = TRUST.open(first).checkpoint
        for size, note in ((8, first), (16, next_checkpoint(tree, SIGNED, last, [LOG]))):
            self.proofs.add_checkpoint(size, 0, note)
        self.copy.extend(((i, body) for i, body, _ in self.store.raw()), self.proofs.checkpoints())

    def _over(self, database: Database, folder: Path) -> None:
        self.database, self.store, self.folder = database, store_of(database), folder
        self.proofs = AuditProofStore(database, fold)
        self.copy = LogCopy(folder / "copy")

    def again(self, database: Database, folder: Path) -> "Scene":
        """The same log in a database like it, with a copy elsewhere of its own."""
        shutil.copytree(self.folder / "copy", folder / "copy")
        found = copy.copy(self)
        found._over(database, folder)
        return found

    def attack(self, act: Callable[[Connection], object]) -> None:
        with self.database.write() as cx:
            act(cx)

    def verify(
        self, *, copied: bool = False, witness: bool = False, width: int | None = None
    ) -> Report:
        """`width`: stretches of so many records are judged by themselves first."""
        return verify(
            self.store.pages,
            self.proofs.checkpoints(),
            TRUST,
            self.seen if witness else (),
            self.copy.leaves() if copied else None,
            surveys=self.surveys(width) if width else None,
        )

    def surveys(self, width: int) -> Surveys:
        """As several processes judge them."""

        def each(sizes: Sequence[int], leaves: bool) -> Iterator[Survey | None]:
            for start in range(0, self.proofs.size() - width + 1, width):
                page = next(iter(self.store.pages(start, width)), ())
                yield survey(page, start, sizes, leaves=leaves)

        return each


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def untouched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """The log before anybody touched it, made once; each test has a trial of it."""
    folder = tmp_path_factory.mktemp("untouched")
    with Database.open(request.getfixturevalue(f"own_{request.param}_url")) as database:
        yield Scene(database, folder)


@pytest.fixture
def scene(untouched: Scene, tmp_path: Path) -> Iterator[Scene]:
    with untouched.database.trial() as trial:
        yield untouched.again(trial, tmp_path)


def found(report: Report) -> list[tuple[str, int | None]]:
    return [(finding.message.code, finding.index) for finding in report.findings]


def rewrite(cx: Connection, index: int, body: bytes) -> None:
    """Change a record the clever way: its hash with it, and what it is filed under."""
    cx.execute(
        text(
            "UPDATE audit_records SET body=:body, leaf=:leaf, request=:request, at=:at,"
            ' account=:account WHERE "index"=:index'
        ),
        {"index": index, **columns(body)},
    )


def columns(body: bytes) -> dict[str, object]:
    said = decode(body)
    filed = {"request": said.request, "at": said.at, "account": said.account}
    return {"body": body, "leaf": leaf_hash(body), **filed}


def test_untouched_log_is_sound_and_its_ranges_apart(scene: Scene) -> None:
    """A log nobody touched: witnessed to 8, signed to 16, 20 in all, no finding."""
    report = scene.verify(copied=True, witness=True)
    assert report.sound
    assert (report.size, report.signed_to, report.witnessed_to, report.copied_to) == (20, 16, 8, 20)


@pytest.mark.parametrize("index", [0, 5, 15, 19])
def test_flipped_bit(scene: Scene, index: int) -> None:
    """One bit of one record: that record is named, signed or not."""
    bodies = {i: b for i, b, _ in scene.store.raw()}
    changed = bytearray(bodies[index])
    changed[20] ^= 1
    scene.attack(
        lambda cx: cx.execute(
            text('UPDATE audit_records SET body=:b WHERE "index"=:i'),
            {"b": bytes(changed), "i": index},
        )
    )
    assert found(scene.verify()) == [("audit.changed", index)]


def test_deleted_record(scene: Scene) -> None:
    """A hole in the numbers is named."""
    scene.attack(lambda cx: cx.execute(text('DELETE FROM audit_records WHERE "index"=5')))
    assert found(scene.verify()) == [("audit.missing", 5)]


def test_deleted_record_with_the_rest_moved_up(scene: Scene) -> None:
    """Closing the hole breaks the next signed root; the copy names the record."""

    def act(cx: Connection) -> None:
        cx.execute(text('DELETE FROM audit_records WHERE "index"=5'))
        for i in range(6, RECORDS):
            _move(cx, i, i - 1)

    scene.attack(act)
    assert found(scene.verify()) == [("audit.root", 0)]
    assert found(scene.verify(copied=True)) == [("audit.removed", 5)]


def test_record_rewritten_with_its_hash(scene: Scene) -> None:
    """An edit that keeps body and hash in step: the range by the root, the record by the copy."""
    scene.attack(lambda cx: rewrite(cx, 10, encode(entry("r10", at=1_000_010, account="innocent"))))
    report = scene.verify()
    assert found(report) == [("audit.root", 8)]
    assert report.signed_to == report.witnessed_to == 8
    assert found(scene.verify(copied=True)) == [("audit.replaced", 10)]


def test_reordered_records(scene: Scene) -> None:
    """Two records that changed places."""
    rows = {i: b for i, b, _ in scene.store.raw()}

    def act(cx: Connection) -> None:
        rewrite(cx, 3, rows[4])
        rewrite(cx, 4, rows[3])

    scene.attack(act)
    assert found(scene.verify()) == [("audit.root", 0)]
    assert found(scene.verify(copied=True)) == [("audit.reordered", 3)]


def test_inserted_record(scene: Scene) -> None:
    """A look that never was, slipped in between."""
    rows = {i: b for i, b, _ in scene.store.raw()}

    def act(cx: Connection) -> None:
        for i in range(RECORDS - 1, 5, -1):
            _move(cx, i, i + 1)
        rewrite(cx, 5, encode(entry("framed", at=1_000_005)))
        cx.execute(
            text(
                'INSERT INTO audit_records ("index", request, at, account, body, leaf)'
                " VALUES (:index, :request, :at, :account, :body, :leaf)"
            ),
            {"index": 6, **columns(rows[5])},
        )

    scene.attack(act)
    assert found(scene.verify()) == [("audit.root", 0)]
    assert found(scene.verify(copied=True)) == [("audit.inserted", 5)]


def test_truncated_log(scene: Scene) -> None:
    """The last looks cut off: the checkpoint proves that there were more."""
    scene.attack(lambda cx: cx.execute(text('DELETE FROM audit_records WHERE "index">=12')))
    assert found(scene.verify()) == [("audit.cut", 12)]


def test_truncated_together_with_its_checkpoints(scene: Scene) -> None:
    """Cut to a shorter log whose every signature holds: only what stands elsewhere tells."""

    def act(cx: Connection) -> None:
        cx.execute(text('DELETE FROM audit_records WHERE "index">=4'))
        cx.execute(text("DELETE FROM audit_checkpoints"))

    scene.attack(act)
    assert scene.verify().sound  # what a database alone cannot tell
    assert scene.verify().signed_to == 0  # but it says that nothing of it is proven
    assert found(scene.verify(witness=True)) == [("audit.cut", 4)]
    assert found(scene.verify(copied=True)) == [("audit.cut", 4)]


def test_whole_log_rewritten_with_a_fresh_key(scene: Scene) -> None:
    """A consistent log, signed by somebody else's key of the same name."""

    def act(cx: Connection) -> None:
        for i in range(RECORDS):
            rewrite(cx, i, encode(entry(f"clean{i}")))
        cx.execute(text("DELETE FROM audit_checkpoints"))

    scene.attack(act)
    scene.proofs.add_checkpoint(
        RECORDS, 0, next_checkpoint(Tree(scene.proofs), RECORDS, None, [OTHER])
    )
    assert found(scene.verify()) == [("audit.foreign-key", None)]
    assert ("audit.root", 0) in found(scene.verify(witness=True))
    assert ("audit.replaced", 0) in found(scene.verify(copied=True))


def test_rolled_back_file(sqlite_url: str, tmp_path: Path) -> None:
    """An older copy of the database file put back: sound in itself, refuted by the witness."""
    with Database.open(sqlite_url) as database:
        scene = Scene(database, tmp_path)
        old = database.clone_to_memory()
        later = Witness(WITNESS, TRUST, scene.seen.append, TRUST.open(scene.seen[-1]).checkpoint)
        for i in range(5):
            scene.store.append(entry(f"late{i}", at=1_000_100))
        tree = Tree(scene.proofs)
        assert later.last is not None
        note = next_checkpoint(tree, 25, later.last, [LOG])
        later.cosign(note, tree.consistency(8, 25), 2000)
        report = verify(
            AuditStore(old, scene.store._encode, leaf_hash, scene.store._decode).pages,
            AuditProofStore(old, fold).checkpoints(),
            TRUST,
            scene.seen,
        )
        old.close()
    assert found(report) == [("audit.cut", 20)]


@pytest.mark.parametrize(
    ("column", "value"),
    [("account", "innocent"), ("account", None), ("request", "elsewhere"), ("at", 5)],
)
def test_record_filed_where_no_search_finds_it(
    scene: Scene, column: str, value: str | int | None
) -> None:
    """The bytes are untouched, but what the log is searched by was changed: `acl audit account`
    would miss the look. No signature covers those columns; each record says what they must be."""
    change = text(f'UPDATE audit_records SET {column}=:v WHERE "index"=9')
    scene.attack(lambda cx: cx.execute(change, {"v": value}))
    assert found(scene.verify()) == [("audit.misfiled", 9)]


def test_emptied_record_without_an_act_of_retention(scene: Scene) -> None:
    """Only what is said to be old may be empty: its hash still fits, and still it is found."""
    scene.attack(lambda cx: cx.execute(text("UPDATE audit_records SET body='' WHERE \"index\"=3")))
    assert found(scene.verify()) == [("audit.erased", 3)]
    scene.store.append(entry("old", at=1_000_100, action="audit.retention", evidence=(0, 3)))
    assert found(scene.verify()) == [("audit.erased", 3)]  # it covers the records before
    scene.store.append(entry("old", at=1_000_101, action="audit.retention", evidence=(0, 4)))
    report = scene.verify()
    assert (report.sound, report.erased, report.signed_to) == (True, 1, 16)


def test_act_of_retention_covers_nothing_that_came_after_it(scene: Scene) -> None:
    """A forged act that reaches into the future does not cover what is written later."""
    scene.store.append(entry("wide", at=1_000_100, action="audit.retention", evidence=(0, 10**9)))
    scene.store.append(entry("late", at=1_000_101))
    scene.attack(lambda cx: cx.execute(text("UPDATE audit_records SET body='' WHERE \"index\"=21")))
    assert found(scene.verify()) == [("audit.erased", 21)]


def test_times_are_held_against_time_stamps(scene: Scene) -> None:
    """A stamp over 16 records bounds their times from above; its mention in the log bounds what
    follows from below: a clock set back is found even where no later record stands before it."""
    scene.store.append(entry("mention", at=1_000_500, action="audit.stamp", digest="ab" * 32))

    def verified(at: int) -> list[tuple[str, int | None]]:
        report = verify(
            scene.store.pages,
            scene.proofs.checkpoints(),
            TRUST,
            stamps=[Stamp(16, at, "ab" * 32)],
        )
        assert report.stamped_to == 16
        return found(report)

    assert verified(1_000_400) == []
    assert verified(900_000) == [("audit.after-stamp", 15)]
    scene.store.append(entry("later", at=1_000_600))
    assert verified(1_030_000) == []
    assert verified(2_000_000) == [("audit.before-stamp", 21)]


def test_clock_set_back(scene: Scene) -> None:
    """A record hours before its predecessors is named; the jitter of many writers is not."""
    scene.store.append(entry("jitter", at=990_000))
    assert scene.verify().sound
    scene.store.append(entry("night", at=1_000_000 - 7_200_000))
    assert found(scene.verify()) == [("audit.clock", 21)]


def test_stretches_pages_and_single_records_are_judged_alike(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was done to the log: records judged a page at a time, or a stretch at a time
    elsewhere, get the same report as records judged one by one."""
    monkeypatch.setattr("acl_engine.audit.verify.WIDTH", 4)
    rng = random.Random(11)
    changes = (
        'UPDATE audit_records SET body=substr(body, 2) WHERE "index"={i}',
        "UPDATE audit_records SET body='' WHERE \"index\"={i}",
        "UPDATE audit_records SET body='text' WHERE \"index\"={i}",
        'UPDATE audit_records SET leaf=zeroblob(32) WHERE "index"={i}',
        "UPDATE audit_records SET account='x' WHERE \"index\"={i}",
        'UPDATE audit_records SET at=at-999999999 WHERE "index"={i}',
        'DELETE FROM audit_records WHERE "index"={i}',
        'DELETE FROM audit_records WHERE "index">={i}',
        "UPDATE audit_checkpoints SET note=replace(note, 'a', 'b')",
    )
    with Database.open(sqlite_url) as database:
        scene = Scene(database, tmp_path)
        scene.store.append(entry("night", at=1_000_000 - 7_200_000))
        for _ in range(40):
            with database.trial() as trial:
                scene.store._database = scene.proofs._database = trial
                with trial.write() as cx:
                    for change in rng.sample(changes, rng.randrange(3)):
                        cx.execute(text(change.format(i=rng.randrange(RECORDS + 1))))
                copied = rng.random() < 0.5
                at_once = scene.verify(copied=copied, witness=True)
                assert scene.verify(copied=copied, witness=True, width=4) == at_once
                with monkeypatch.context() as patch:
                    patch.setattr("acl_engine.audit.verify._sound", lambda walk, part: False)
                    assert scene.verify(copied=copied, witness=True) == at_once


def test_copy_refuses_a_gap_and_a_torn_line(scene: Scene, tmp_path: Path) -> None:
    """The copy only ever continues; a line cut short by a crash is not mended in silence."""
    with pytest.raises(InputError, match="20 records"):
        scene.copy.extend([(22, b"{}")], [])
    with (tmp_path / "copy" / "records.jsonl").open("ab") as file:
        file.write(b'{"half')
    with pytest.raises(InputError, match="cut short"):
        scene.copy.size()


def test_kept_nodes_give_the_same_proofs(database: Database) -> None:
    """Roots and paths with kept subtree roots are those of the bare leaves."""
    proofs = AuditProofStore(database, fold)
    bodies = [encode(entry(f"r{i}")) for i in range(600)]
    rows = [{"index": i, "leaf": leaf_hash(body), "body": body, "request": f"r{i}", "at": 0}
            for i, body in enumerate(bodies)]  # fmt: skip
    with database.write() as cx:
        cx.execute(insert(audit_records), rows)
    tree = Tree(proofs)
    bare = (tree.root(600), tree.inclusion(300, 600), tree.consistency(257, 600))
    proofs.keep_nodes(600)
    assert len(proofs.hashes(8, 0, 10)) == 2
    assert (tree.root(600), tree.inclusion(300, 600), tree.consistency(257, 600)) == bare


def _move(cx: Connection, old: int, new: int) -> None:
    values = {"i": old, "j": new}
    cx.execute(text('UPDATE audit_records SET "index"=:j WHERE "index"=:i'), values)
