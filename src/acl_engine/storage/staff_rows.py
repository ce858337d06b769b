"""Rows of the staff directory to the domain's types, and back."""

from typing import Any

from acl_engine.domain.accounts import Undertaking
from acl_engine.domain.staff import AccountChange, Person, PersonChange, StaffAccount


def person_of(row: Any) -> Person:
    signed = Undertaking(row.undertaking, row.undertaking_digest) if row.undertaking else None
    return Person(
        id=row.id,
        name=row.name,
        unit=row.unit,
        superior=row.superior,
        status=row.status,
        kind=row.kind,
        sponsor=row.sponsor,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        signed=signed,
        signed_at=row.undertaking_at,
        training=row.training,
        trained_at=row.trained_at,
    )


def person_row(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "unit": person.unit,
        "superior": person.superior,
        "status": person.status,
        "kind": person.kind,
        "sponsor": person.sponsor,
        "starts_at": person.starts_at,
        "ends_at": person.ends_at,
        "undertaking": person.signed.version if person.signed else "",
        "undertaking_digest": person.signed.digest if person.signed else "",
        "undertaking_at": person.signed_at,
        "training": person.training,
        "trained_at": person.trained_at,
    }


def account_of(row: Any) -> StaffAccount:
    return StaffAccount(
        login=row.login,
        person=row.person,
        role=row.role,
        unit=row.unit,
        status=row.status,
        service=not row.password_hash,
        outside=row.tenant is not None or row.customer is not None,
        totp=row.totp_seed is not None,
        epoch=row.epoch,
        purpose=row.purpose,
        made_by=row.made_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        used_at=row.used_at,
        certified_at=row.certified_at,
        certified_by=row.certified_by,
        external_id=row.external_id,
        status_by=row.status_by,
    )


def account_row(account: StaffAccount, password_hash: str) -> dict[str, Any]:
    return {
        "login": account.login,
        "person": account.person,
        "role": account.role,
        "unit": account.unit,
        "status": account.status,
        "password_hash": password_hash,
        "purpose": account.purpose,
        "made_by": account.made_by,
        "created_at": account.created_at,
        "changed_at": account.changed_at,
        "used_at": account.used_at,
        "certified_at": account.certified_at,
        "certified_by": account.certified_by,
        "external_id": account.external_id,
        "status_by": account.status_by,
    }


def account_values(change: AccountChange) -> dict[str, Any]:
    """The columns that a change sets."""
    values = {
        "status": change.status,
        "status_by": change.status_by,
        "role": change.role,
        "unit": change.unit,
        "password_hash": change.password_hash,
        "totp_seed": change.totp_seed,
        "made_by": change.made_by,
        "used_at": change.used_at,
    }
    given: dict[str, Any] = {name: one for name, one in values.items() if one is not None}
    if change.totp_step is not None:
        given["totp_last_step"] = change.totp_step
    if change.totp_seed == b"":
        given["totp_seed"] = None
    if change.external_id is not None:
        given["external_id"] = change.external_id or None
    return given


def person_values(change: PersonChange) -> dict[str, Any]:
    values = {
        "name": change.name,
        "unit": change.unit,
        "status": change.status,
        "kind": change.kind,
        "starts_at": change.starts_at,
        "undertaking": change.signed.version if change.signed else None,
        "undertaking_digest": change.signed.digest if change.signed else None,
        "undertaking_at": change.signed_at,
        "training": change.training,
        "trained_at": change.trained_at,
    }
    given: dict[str, Any] = {name: one for name, one in values.items() if one is not None}
    emptied = {"superior": change.superior, "sponsor": change.sponsor, "ends_at": change.ends_at}
    for name, one in emptied.items():
        if one is not None:
            given[name] = one or None
    return given
