"""A record and a decision become a view: nothing that was not granted, nothing in doubt."""

import dataclasses

import pytest

from acl_engine.domain.decision import CLEAR, HIDDEN, Decision, Effect, Grant, Show
from acl_engine.domain.errors import InputError
from acl_engine.domain.pack import FieldSpec, Kind, ResourceSpec
from acl_engine.domain.personal import PersonalRecord
from acl_engine.domain.text import Text
from acl_engine.masking import view
from acl_engine.masking.unsafe import unmasked_view

_REASON = Text("test", "试", "test").of()


def _field(name: str, kind: Kind) -> FieldSpec:
    return FieldSpec(name, kind, "contact", name, name)


RESOURCE = ResourceSpec(
    "waybill",
    "waybill_no",
    {
        "waybill_no": _field("waybill_no", Kind.CODE),
        "recipient_name": _field("recipient_name", Kind.NAME),
        "recipient_phone": _field("recipient_phone", Kind.PHONE),
        "remark": _field("remark", Kind.FREE_TEXT),
    },
    {"stage": "text"},
    ("ORDERED",),
)
RECORD = PersonalRecord(
    "waybill",
    "SF1",
    {"stage": "ORDERED"},
    {"waybill_no": "SF1", "recipient_name": "张三丰", "recipient_phone": "19012345678"},
)


def _allow(**grants: Grant) -> Decision:
    return Decision(Effect.ALLOW, ("r1",), _REASON, "v1", grants=grants)


MASKED = Grant(Show.MASK, ("screen-strict",))


def test_a_field_is_shown_as_granted_and_no_other_is_shown() -> None:
    decision = _allow(
        waybill_no=CLEAR, recipient_phone=MASKED, recipient_name=HIDDEN, remark=MASKED
    )
    assert dict(view(RECORD, decision, RESOURCE)) == {
        "waybill_no": "SF1",
        "recipient_phone": "*********78",
    }


def test_asking_for_fewer_fields_shows_fewer_and_asking_for_more_shows_no_more() -> None:
    decision = _allow(recipient_phone=MASKED)
    asked = ("recipient_phone", "recipient_name", "no_such_field")
    assert dict(view(RECORD, decision, RESOURCE, asked)) == {"recipient_phone": "*********78"}
    assert dict(view(RECORD, decision, RESOURCE, ("recipient_name",))) == {}


def test_a_denial_has_no_view_even_with_grants_left_on_it() -> None:
    denial = dataclasses.replace(_allow(waybill_no=CLEAR), effect=Effect.DENY)
    with pytest.raises(InputError):
        view(RECORD, denial, RESOURCE)


def test_a_grant_outside_the_catalogue_shows_nothing_at_all() -> None:
    with pytest.raises(InputError) as caught:
        view(RECORD, _allow(waybill_no=CLEAR, household=CLEAR), RESOURCE)
    assert caught.value.message.code == "mask-undeclared-field"


def test_a_record_of_another_type_shows_nothing() -> None:
    with pytest.raises(InputError):
        view(dataclasses.replace(RECORD, type="patient"), _allow(waybill_no=CLEAR), RESOURCE)


def test_the_unsafe_view_shows_masked_fields_in_clear_but_not_hidden_ones() -> None:
    decision = _allow(recipient_phone=MASKED, recipient_name=HIDDEN)
    assert dict(unmasked_view(RECORD, decision, RESOURCE)) == {"recipient_phone": "19012345678"}
