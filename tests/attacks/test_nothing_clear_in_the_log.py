"""The audit log holds no clear personal data: every value of the seed is looked for in its bytes.

A busy day goes first, under both policies, with personal values typed into every field that takes
a word: a log that keeps what people type keeps what they should not have typed.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.killing import ROOT
from tests.line_world import Line, line_over

from acl_engine.bootstrap.accountability import Accountability
from acl_engine.bootstrap.inquiry import Inquiry
from acl_engine.bootstrap.keys import Keys
from acl_engine.bootstrap.watch import Watch, detector
from acl_engine.domain.errors import AclError
from acl_engine.domain.request import Query
from acl_engine.replay.world.truth import Truth
from acl_engine.storage.database import Database
from acl_engine.storage.scan_feed import ScanFeed
from acl_engine.storage.tables import audit_records, planted_marks

CAST = (
    ("courier-88", "pda-88"), ("keeper-07", "pc-31"), ("sup-0413", "pc-22"), ("cs-12", "pc-12"),
    ("claims-03", "pc-13"), ("station-06", "pc-16"), ("hq-ops-01", "pc-18"),
)  # fmt: skip
PARCELS = ("load-1", "keeper-parcel", "ticket-parcel")


def personal(truth: Truth) -> dict[str, str]:
    """Every personal value of the seed -> what it is. A short number stands between quotes."""
    found: dict[str, str] = {}
    for parcel in truth.parcels:
        for name, value in {**parcel.fields, "waybill_no": parcel.waybill_no}.items():
            if value and name not in ("city", "route", "value"):
                found[f'"{value}"' if value.isdigit() and len(value) < 8 else value] = name
    return {value: name for value, name in found.items() if len(value) > 1}


@dataclass
class Heard:
    """What everybody was told: answers by login, errors in both languages."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def __call__(self, login: str, act: Callable[[], object]) -> None:
        try:
            self.answers.setdefault(login, []).append(repr(act()))
        except AclError as error:
            said = [error.render(lang) for lang in ("zh", "en")]
            hints = [error.message.hint(lang) for lang in ("zh", "en")]
            self.errors += [repr(error), *said, *hints]


def a_busy_day(line: Line) -> Heard:
    """Every action by every role, answered and refused, and personal values in every field."""
    heard, engine = Heard(), line.engine
    parcels = [line.stage.truth.by_name[name] for name in PARCELS]
    for login, device in CAST:
        with suppress(AclError):
            line.token(login, device)
        token = line.stage._tokens.get((login, device), "none")
        for parcel in parcels:
            clear = parcel.fields
            by = {"recipient_phone": clear["recipient_phone"]}
            for query in (
                Query("read", "waybill", key=parcel.waybill_no, purpose="delivery"),
                Query("search", "waybill", by={"stage": str(parcel.facts["stage"])}),
                Query("reverse_lookup", "waybill", by=by),
                Query("count_by_phone", "waybill", by=by, ticket="t-1"),
                Query("search", "waybill", by={"recipient_name": clear["recipient_name"]}),
                Query("trace", "waybill", key=parcel.waybill_no),
                Query(clear["recipient_phone"], clear["recipient_name"], key=clear["unit"]),
                Query("read", "waybill", key=clear["recipient_phone"]),
                Query("read", "waybill", key=parcel.waybill_no, fields=(clear["recipient_name"],)),
                Query("read", "waybill", key=parcel.waybill_no, purpose=clear["recipient_phone"]),
                Query("read", "waybill", key=parcel.waybill_no, ticket=clear["id_number"]),
                Query("verify", "waybill", key=parcel.waybill_no,
                      params={"pickup_code": clear["pickup_code"]}),
            ):  # fmt: skip
                heard(login, partial(engine.ask, token, query))
            called = Query("dial", "waybill", key=parcel.waybill_no)
            heard(login, partial(engine.dial, token, called))
            spoken = {"source": clear["recipient_phone"], "caller": clear["recipient_phone"]}
            ticket = Query("open_ticket", "waybill", key=parcel.waybill_no, params=spoken)
            heard(login, partial(engine.act, token, ticket))
    for typed in (parcels[0].fields["recipient_phone"], parcels[0].fields["recipient_name"]):
        heard(typed, partial(engine.login, typed, typed, totp="000000"))
    for number in range(9):  # what a rule speaks up about
        odd = Query("read", "waybill", key=f"SN77777777777{number:02}")
        heard(login, partial(engine.ask, token, odd))
    return heard


def questions(line: Line, names_whom: bool) -> None:
    """What auditors ask, and what watching says, is on record too."""
    stage = line.stage
    desk = Accountability(stage.database, Keys.synthetic(stage.truth.world.seed))
    inquiry, parcel = Inquiry(desk, "auditor-01"), stage.truth.parcels[0]
    phone, sender = parcel.fields["recipient_phone"], str(parcel.facts["sender"])
    for subject in (parcel.waybill_no, phone, sender):
        inquiry.who_saw(subject)
    inquiry.trace([[parcel.waybill_no, phone]])
    inquiry.plant(["SN9999999999999"])
    rules = detector(ROOT / "policies" / "courier" / "detection")[0]
    watch = Watch(rules, desk.store, ScanFeed(stage.database), desk.pseudonyms, stage.clock)
    assert bool(watch.catch_up()) is names_whom
    desk.checkpoint(desk.trust(None))


@pytest.mark.parametrize("version", ["before", "after"])
def test_no_seeded_value_stands_in_the_log(
    line_template: tuple[Database, Truth], version: str, tmp_path: Path
) -> None:
    """Not one of some three thousand values, in records, export or copy, after all that."""
    database, truth = line_template
    with line_over(database, truth, version) as line:
        a_busy_day(line)
        questions(line, names_whom=version == "after")  # before, nobody wrote down at whom
        desk = Accountability(line.stage.database, Keys.synthetic(truth.world.seed))
        desk.copy(tmp_path / "copy")
        exported = "\n".join(Inquiry(desk, "auditor-01").export("ocsf"))
        with line.stage.database.read() as cx:
            rows = cx.execute(select(audit_records)).all()
            marks = cx.execute(select(planted_marks)).all()
        assert len(rows) > 200
    stored = "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for row in (*rows, *marks)
        for value in row
    )
    copied = (tmp_path / "copy" / "records.jsonl").read_text("utf-8")
    values = personal(truth)
    assert len(values) > 1_000
    for value, name in values.items():
        for place, held in (("records", stored), ("export", exported), ("copy", copied)):
            assert value not in held, f"a {name} stands in the log's {place}"
    assert "SN9999999999999" not in stored
