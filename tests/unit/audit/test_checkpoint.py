"""Signed notes, checkpoints, cosignatures and receipts, with the C2SP examples as vectors."""

import pytest
from tests.contract.test_audit_store import entry
from tests.unit.audit.test_merkle import Kept

from acl_engine.audit import receipt
from acl_engine.audit.checkpoint import Checkpoint, Trust, next_checkpoint
from acl_engine.audit.merkle import Tree
from acl_engine.audit.note import COSIGNATURE, Signer, Verifier, open_note, sign
from acl_engine.audit.record import encode, leaf_hash
from acl_engine.audit.witness import Request, Witness, cosigned
from acl_engine.domain.errors import InputError

# The example of c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
    "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The body of the example of c2sp.org/tlog-checkpoint.
BEHIND = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

LOG = Signer("log.example/audit", b"1" * 32)
NEXT = Signer("log.example/audit", b"2" * 32)
WITNESS = Signer("witness.example", b"3" * 32, COSIGNATURE)
OTHER = Signer("log.example/audit", b"9" * 32)
TRUST = Trust((LOG.verifier,), (WITNESS.verifier,))
BODIES = [encode(entry(f"r{i}")) for i in range(9)]
TREE = Tree(Kept([leaf_hash(body) for body in BODIES], tiles=False))


def test_published_note_opens() -> None:
    """The specification's own key opens the specification's own note."""
    key = Verifier.parse(VKEY)
    assert str(key) == VKEY
    assert open_note(NOTE, [key]).text == "This is an example message.\n"


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("example message", "exemple message"),
        NOTE.replace("Uw2QOkn8s", "Uw2QOkn8t"),
        NOTE.rstrip("\n"),
        NOTE.replace("\u2014", "-"),
        "no signature at all\n",
        "",
    ],
)
def test_broken_notes_are_refused(note: str) -> None:
    """A changed text, a changed signature or another form opens nothing."""
    with pytest.raises(InputError):
        open_note(note, [Verifier.parse(VKEY)])


def test_published_checkpoint_reads_and_writes_back() -> None:
    """The specification's checkpoint has one form, read and written alike."""
    found = Checkpoint.parse(BEHIND)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text() == BEHIND


@pytest.mark.parametrize(
    ("old", "new"), [("20852163", "020852163"), ("2I=", "2I"), ("example.com/behind-the-sofa", "")]
)
def test_other_forms_of_a_checkpoint_are_refused(old: str, new: str) -> None:
    """Leading zeroes, open base64 and an empty origin are no checkpoint."""
    with pytest.raises(InputError):
        Checkpoint.parse(BEHIND.replace(old, new))


def test_fresh_key_of_the_same_name_is_not_believed() -> None:
    """A log rewritten and signed by another key of the same name is refused."""
    note = next_checkpoint(TREE, 9, None, [OTHER])
    with pytest.raises(InputError):
        TRUST.open(note)


def test_suite_is_named_in_the_checkpoint() -> None:
    """Each checkpoint names its signature suite."""
    assert "suite ed25519-sha256-rfc6962" in next_checkpoint(TREE, 9, None, [LOG])


@pytest.mark.parametrize("extensions", [(), ("suite ml-dsa-44",), ("note of ours",)])
def test_checkpoint_of_another_suite_is_not_believed(extensions: tuple[str, ...]) -> None:
    """A well-signed checkpoint that names no suite, or one that is not known here, is refused."""
    note = sign(Checkpoint(LOG.name, 9, TREE.root(9), extensions).text(), [LOG])
    with pytest.raises(InputError, match="suite"):
        TRUST.open(note)


def test_key_that_was_given_up_signs_nothing_larger() -> None:
    """Whoever holds the old key after the change cannot go on with the log, nor rewrite it."""
    trust = Trust((LOG.verifier,)).handed_over(LOG.verifier, NEXT.verifier, 4)
    assert trust.open(next_checkpoint(TREE, 4, None, [LOG])).checkpoint.size == 4
    assert trust.open(next_checkpoint(TREE, 9, None, [NEXT])).checkpoint.size == 9
    assert trust.open(next_checkpoint(TREE, 9, None, [LOG, NEXT])).checkpoint.size == 9
    with pytest.raises(InputError, match="given up"):
        trust.open(next_checkpoint(TREE, 9, None, [LOG]))
    assert Trust.parse(trust.text()) == trust
    again = trust.handed_over(NEXT.verifier, OTHER.verifier, 9)
    assert again.until == ((LOG.verifier, 4), (NEXT.verifier, 9))


def test_witness_elsewhere() -> None:
    """Request and answer travel as files; the answer is a line under the log's own note."""
    witness = Witness(WITNESS, TRUST, lambda note: None)
    first = Request(0, (), next_checkpoint(TREE, 4, None, [LOG]))
    assert Request.parse(first.text()) == first
    line = witness.answer(first, 1000)
    assert TRUST.open(cosigned(first.note, line)).witnessed
    note = next_checkpoint(TREE, 9, None, [LOG])
    with pytest.raises(InputError, match="saw 4 records last"):
        witness.answer(Request(0, (), note), 1001)
    second = Request(4, TREE.consistency(4, 9), note)
    assert Request.parse(second.text()) == second
    assert TRUST.open(cosigned(note, witness.answer(second, 1001))).witnessed
    for bad in ("", "old x\n\n", "old -1\n\nnote", "old 1\nxx\n\nnote", "new 1\n\nnote"):
        with pytest.raises(InputError):
            Request.parse(bad)
    with pytest.raises(InputError):
        cosigned(note, "no line")


def test_change_of_keys() -> None:
    """One checkpoint carries both signatures: followers of either key go on."""
    note = next_checkpoint(TREE, 9, None, [LOG, NEXT])
    assert Trust((LOG.verifier,)).open(note).checkpoint.size == 9
    assert Trust((NEXT.verifier,)).open(note).checkpoint.size == 9
    broken = note.replace(note[-30:-4], "A" * 26)
    with pytest.raises(InputError):  # a bad signature of a known key refuses the note
        Trust((LOG.verifier, NEXT.verifier)).open(broken)


def test_log_signs_no_checkpoint_that_does_not_continue_its_last() -> None:
    """A changed past cannot be signed over."""
    last = Checkpoint(LOG.name, 4, b"x" * 32)
    with pytest.raises(InputError):
        next_checkpoint(TREE, 9, last, [LOG])
    with pytest.raises(InputError):
        next_checkpoint(TREE, 3, Checkpoint(LOG.name, 4, TREE.root(4)), [LOG])


def test_witness_cosigns_what_continues_and_nothing_else() -> None:
    """A witness follows a growing log, and refuses one rolled back or rewritten."""
    kept: list[str] = []
    witness = Witness(WITNESS, TRUST, kept.append)
    first = witness.cosign(next_checkpoint(TREE, 4, None, [LOG]), (), 1000)
    assert TRUST.open(first).witnessed
    second = next_checkpoint(TREE, 9, None, [LOG])
    assert not TRUST.open(second).witnessed
    proof = TREE.consistency(4, 9)
    assert TRUST.open(witness.cosign(second, proof, 1001)).witnessed
    rewritten = Tree(Kept([leaf_hash(b"?")] * 12, tiles=False))
    for bad, path in [
        (next_checkpoint(TREE, 4, None, [LOG]), ()),
        (next_checkpoint(rewritten, 12, None, [LOG]), rewritten.consistency(9, 12)),
        (next_checkpoint(TREE, 9, None, [OTHER]), ()),
    ]:
        with pytest.raises(InputError):
            witness.cosign(bad, path, 1002)
    assert len(kept) == 2


def test_cosignature_is_bound_to_its_time() -> None:
    """Another time under the same signature is a forged cosignature."""
    text = Checkpoint(LOG.name, 9, TREE.root(9)).text()
    key = WITNESS.verifier
    blob = sign(text, [WITNESS], now=1000)
    assert open_note(blob, [key]).by == ((key, 1000),)
    with pytest.raises(InputError):
        key.verify(text, b"\0" * 7 + b"\1" + b"\0" * 64)


def test_quorum_counts_parties() -> None:
    """Two signatures of one witness are not two witnesses."""
    again = Signer("witness.example", b"4" * 32, COSIGNATURE)
    trust = Trust((LOG.verifier,), (WITNESS.verifier, again.verifier), quorum=2)
    note = sign(Checkpoint(LOG.name, 9, TREE.root(9)).text(), [LOG, WITNESS, again], now=1)
    assert not trust.open(note).witnessed


def test_trust_file() -> None:
    """A trust file names logs, witnesses and the quorum; a bad line is named."""
    text = f"# ours\nlog {LOG.verifier}\nwitness {WITNESS.verifier}\nquorum 1\n"
    assert Trust.parse(text) == TRUST
    for bad in (
        "", f"witness {LOG.verifier}", "log x", "quorum 0", "other x", f"{text}log a b",
        f"log {LOG.verifier} until 0", f"log {LOG.verifier} until", f"log {LOG.verifier} since 3",
    ):  # fmt: skip
        with pytest.raises(InputError):
            Trust.parse(bad)
    with pytest.raises(InputError, match="mine:5"):
        Trust.parse(text + "log nonsense", "mine")


@pytest.mark.parametrize("index", range(9))
def test_receipt_stands_without_a_database(index: int) -> None:
    """A receipt proves its record to whoever has the trust file alone."""
    anchored = TRUST.open(next_checkpoint(TREE, 9, None, [LOG]))
    text = receipt.make(TREE, index, BODIES[index], anchored)
    proven = receipt.check(text, TRUST)
    assert (proven.index, proven.entry.request) == (index, f"r{index}")


def test_forged_receipts_prove_nothing() -> None:
    """Any changed line of a receipt, and a receipt under another key, is refused."""
    anchored = TRUST.open(next_checkpoint(TREE, 9, None, [LOG]))
    text = receipt.make(TREE, 5, BODIES[5], anchored)
    lines = text.split("\n")
    for at, line in enumerate(lines[:-1]):
        if line:
            bad = [*lines]
            middle = len(line) // 2
            other = "A" if line[middle] != "A" else "B"
            bad[at] = line[:middle] + other + line[middle + 1 :]
            with pytest.raises(InputError):
                receipt.check("\n".join(bad), TRUST)
    for cut in (0, 10, len(text) // 2, len(text) - 5):
        with pytest.raises(InputError):
            receipt.check(text[:cut], TRUST)
    with pytest.raises(InputError):
        receipt.check(text, Trust((OTHER.verifier,)))
