"""How an account begins, whoever makes it: the desk, an HR file, a provisioning service."""

from dataclasses import replace

from acl_engine.domain.staff import Person, StaffAccount, standing_of
from acl_engine.identity.standing import NO_ROLE, Rules


def new_account(
    rules: Rules,
    login: str,
    owner: Person,
    role: str,
    unit: str,
    by: str,
    now: int,
    *,
    purpose: str = "",
) -> StaffAccount:
    """An account that `by` makes at `now` (epoch seconds); with a `purpose` it is a service of its
    owner's. Confirmed by its making; pending while undertaking or training are lacking."""
    account = StaffAccount(
        login=login,
        person=owner.id,
        role=role or NO_ROLE,
        unit=unit,
        status="active",
        service=bool(purpose),
        outside=False,
        totp=False,
        epoch=0,
        purpose=purpose,
        made_by=by,
        created_at=now,
        changed_at=now,
        used_at=now,
        certified_at=now,
        certified_by=by,
        status_by=by,
    )
    return waiting(rules, account, owner, now)


def waiting(rules: Rules, account: StaffAccount, owner: Person, now: int) -> StaffAccount:
    """The account, pending if it would be active while something is lacking."""
    lacking = rules.lacking(standing_of(account, owner), account.service, now)
    return replace(account, status="pending") if lacking and account.status == "active" else account
