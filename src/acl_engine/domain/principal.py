"""Who asks: one accountable person, on one account, in one session, on one device."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A live session's person. Resolved anew at step 0 of every request, never from a token's text.

    `unit` is the organisation unit id, `device` the id of the device whose key signed the
    session's challenge (None: no device was proven), `tenant` a merchant's id, `customer` an
    outside customer's id.
    """

    account: str
    person: str
    role: str
    unit: str
    session: str
    device: str | None = None
    device_class: str | None = None
    tenant: str | None = None
    customer: str | None = None
