"""Building a world into a database: the company, then the parcels, streamed.

INVARIANTS
- The database carries the synthetic mark from the first row, and `finished` only at the last: a
  build that was killed is never taken for a world.
- Memory does not grow with the number of parcels.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from acl_engine.replay.world.company import (
    DAY,
    HOUR,
    NOW,
    World,
    device_key,
    strong_password,
    totp_secret,
)
from acl_engine.replay.world.parcels import Parcel, parcels
from acl_engine.replay.world.people import Customer
from acl_engine.replay.world.staff import Staff, person_of
from acl_engine.storage import bulk
from acl_engine.storage.database import Database

SecretsKind = Literal["strong", "weak"]
Batch = dict[str, list[tuple[Any, ...]]]
_BOARD = "p-board"
_FROM_START = {"shifts": 0, "roster": 0, "duties": 0}


@dataclass(frozen=True, slots=True)
class Sealing:
    """How secrets are stored: the same functions that identity verifies with.

    `password` hashes; `totp(login, base32)` seals a seed; `index` is the keyed phone index.
    `record(table, row, fields)` seals a payload and gives the row of its key; `data_key` is the
    row of the key that wraps those.
    """

    password: Callable[[str], str]
    totp: Callable[[str, str], bytes]
    index: Callable[[str], str]
    record: Callable[[str, object, Mapping[str, str]], tuple[bytes, tuple[Any, ...]]]
    data_key: tuple[Any, ...]


def build_world(
    database: Database,
    world: World,
    count: int,
    sealing: Sealing,
    *,
    secrets: SecretsKind = "strong",
    replace: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Write the world with at least its named parcels. `progress` is called with parcels done."""
    bulk.begin(database, pack=world.company.pack, seed=world.seed, at=world.now, replace=replace)
    bulk.load(database, [{"data_keys": [sealing.data_key]}])
    bulk.load(database, [company_rows(world, sealing, secrets)])
    bulk.load(database, _customer_batches(world, sealing))
    bulk.load(database, listed_batches(world, sealing))
    if not world.areas:
        bulk.load(database, [{"work_items": list(_work_items(world, {}))}])
    bulk.load(database, parcel_batches(world, parcels(world, count), sealing, progress))
    bulk.advance_sequences(database)
    bulk.finish(database)


def company_rows(
    world: World, sealing: Sealing, secrets: SecretsKind, last: Mapping[str, int] = _FROM_START
) -> Batch:
    """Rows by table, parents first: everything but customers and parcels.

    `last` holds the ids that shifts and roster go on after.
    """
    staff = list(world.staff.values())
    return {
        "units": [
            (u.id, u.kind, u.parent, world.paths[u.id], u.zh, u.en, u.city, u.district, u.franchise)
            for u in world.units.values()
        ],
        "areas": [
            (a.id, a.branch, a.route, a.city, a.district, a.street, a.name)
            for group in world.areas.values()
            for a in group
        ],
        "persons": [_person(world, one) for one in staff if one.employed],
        "accounts": list(_accounts(world, sealing, secrets)),
        "devices": list(_devices(world)),
        "shifts": list(_shifts(world, last["shifts"])),
        "roster": list(_roster(world, last["roster"])),
        "duties": list(_duties(world, last["duties"])),
    }


def _person(world: World, one: Staff) -> tuple[Any, ...]:
    """Everyone has signed and been trained, as the company of `after` asks."""
    text = world.company.undertaking
    signed = (text.version, text.digest) if text else ("", "")
    at = world.now - 60 * DAY
    employed = ("active", "regular", None, 0, None)
    member = (one.person, one.name, one.member.unit, one.superior)
    return (*member, *employed, *signed, at, "privacy-2026", at)


def _accounts(world: World, sealing: Sealing, secrets: SecretsKind) -> Iterator[tuple[Any, ...]]:
    # Generated staff cannot log in; one hash of a password nobody knows serves them all.
    nobody = sealing.password(strong_password(world.seed, "nobody"))
    desks = world.company.desks
    owner = person_of(desks.services)
    for one in world.staff.values():
        member = one.member
        weak = secrets == "weak"
        password = member.weak if weak else strong_password(world.seed, one.login)
        hashed = sealing.password(password) if one.cast else nobody
        seed = sealing.totp(one.login, totp_secret(world.seed, one.login)) if one.cast else None
        customer = world.customers[member.customer].id if member.customer else None
        yield (
            one.login,
            one.person if one.employed else owner if member.service else None,
            member.role,
            member.unit,
            member.tenant,
            customer,
            "active",
            "" if member.service else hashed,
            None if member.service else seed,
            0,
            0,
            0,
            0,
            member.role if member.service else "",
            member.made_by or (desks.accounts if one.employed else ""),
            world.now - 400 * DAY,
            world.now - 400 * DAY,
            world.now - member.idle * DAY - 2 * HOUR,
            world.now - 7 * DAY,
            "",
            None,
            "",
        )


def _devices(world: World) -> Iterator[tuple[Any, ...]]:
    lease = world.now + 30 * DAY
    for one in world.staff.values():
        member = one.member
        kind = "pc" if member.device.startswith(("pc-", "svc-", "api-")) else "app"
        whom = one.person if one.employed else one.login
        key = _public_key(world, member.device) if one.cast else None
        yield (member.device, kind, member.unit, whom, key, "active", lease, None)
    for stray in world.company.stray_devices:
        if stray.enrolled:
            key = _public_key(world, stray.id)
            yield (stray.id, stray.device_class, stray.unit, None, key, "active", lease, None)


def _public_key(world: World, device: str) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(device_key(world.seed, device))
    return key.public_key().public_bytes_raw()


def _shifts(world: World, last: int) -> Iterator[tuple[Any, ...]]:
    morning = int(NOW.replace(hour=8, minute=0).timestamp())
    for id_, one in enumerate(_people(world), last + 1):
        starts = world.now - 5 * HOUR if one.member.late else morning
        length = 8 * HOUR if one.member.late else 10 * HOUR
        # Made by the superior; nobody puts themself on duty.
        made_by = one.superior or _BOARD
        yield (id_, one.person, one.member.unit, starts, starts + length, made_by)


def _people(world: World) -> list[Staff]:
    return [one for one in world.staff.values() if one.employed]


def _roster(world: World, last: int) -> Iterator[tuple[Any, ...]]:
    id_, desk = last, person_of(world.company.desks.roster)
    for one in _people(world):
        for area in one.areas:
            id_ += 1
            kind = "relief" if one.member.relief else "regular"
            start, end = world.now - 30 * DAY, world.now + 30 * DAY
            yield (id_, one.person, area, kind, start, end, desk)


def _duties(world: World, last: int) -> Iterator[tuple[Any, ...]]:
    """Who answers for which desk: the seed's lines, and for any other branch its manager with the
    next branch's as the substitute."""
    start, end = world.now - 30 * DAY, world.now + 30 * DAY
    known = {one.login: one for one in _people(world)}
    lines = [(d.desk, known[d.login].person, d.substitute) for d in world.company.duties
             if d.login in known]  # fmt: skip
    named = {desk for desk, _, _ in lines}
    branches = [unit.id for unit in world.units.values() if unit.kind == "branch"]
    for at, branch in enumerate(branches):
        if branch not in named:
            other = branches[(at + 1) % len(branches)]
            lines.append((branch, world.manager(branch), False))
            if other != branch:
                lines.append((branch, world.manager(other), True))
    for id_, (desk, person, substitute) in enumerate(lines, last + 1):
        yield (id_, desk, person, substitute, start, end, _BOARD)


def _customer_batches(world: World, sealing: Sealing) -> Iterator[Batch]:
    named = chain(world.customers.values(), world.shops.values())
    others = map(world.customer_at, range(world.population))
    yield from customer_batches(chain(named, others), sealing)


def customer_batches(made: Iterable[Customer], sealing: Sealing) -> Iterator[Batch]:
    """Rows by table of customers, a few thousand at a time."""
    for chunk in bulk.chunks(made):
        batch: Batch = {"customers": [], "record_keys": []}
        for one in chunk:
            fields = {"name": one.name, "phone": one.phone}
            payload, key = sealing.record("customers", one.id, fields)
            batch["customers"].append((one.id, sealing.index(one.phone), one.bound_at, payload))
            batch["record_keys"].append(key)
        yield batch


def listed_batches(world: World, sealing: Sealing) -> Iterator[Batch]:
    """Rows by table of the company's lists."""
    for chunk in bulk.chunks(world.listed):
        sealed = [sealing.record("record_people", one.id, one.fields) for one in chunk]
        yield {
            "records": [(one.id, one.type, one.key, one.stage, _json(one.facts)) for one in chunk],
            "record_people": [
                (one.id, payload) for one, (payload, _) in zip(chunk, sealed, strict=True)
            ],
            "record_keys": [key for _, key in sealed],
        }


def _json(facts: Mapping[str, Any]) -> str:
    """Policy facts as the JSON column holds them; what is absent stays absent."""
    return json.dumps({k: v for k, v in facts.items() if v is not None}, ensure_ascii=False)


def parcel_batches(
    world: World, made: Iterable[Parcel], sealing: Sealing, progress: Callable[[int], None]
) -> Iterator[Batch]:
    """Rows by table of parcels, a few thousand at a time. `progress` hears how many are done."""
    names: dict[str, str] = {}
    done = 0
    for chunk in bulk.chunks(made):
        tables = ("waybills", "waybill_people", "record_keys", "scans", "assignments")
        batch: Batch = {table: [] for table in tables}
        for parcel in chunk:
            if parcel.name:
                names[parcel.name] = parcel.waybill_no
            _add(batch, parcel, world, sealing)
        if done == 0:
            batch["work_items"] = list(_work_items(world, names))
        yield batch
        done += len(chunk)
        progress(done)


def _add(batch: Batch, parcel: Parcel, world: World, sealing: Sealing) -> None:
    facts, fields = parcel.facts, parcel.fields
    payload, key = sealing.record("waybill_people", parcel.id, fields)
    batch["waybills"].append((parcel.id, *facts.values()))
    batch["waybill_people"].append(
        (
            parcel.id,
            sealing.index(fields["recipient_phone"]),
            sealing.index(fields["sender_phone"]),
            payload,
        )
    )
    batch["record_keys"].append(key)
    batch["scans"].extend(
        (s.id, parcel.id, s.kind, s.unit, s.counterpart, s.answers, s.account, s.device, s.at)
        for s in parcel.scans
    )
    if facts["assignee"]:
        made_by = world.manager(str(facts["dest_unit"]))
        at = facts["out_at"] or facts["ordered_at"]
        batch["assignments"].append((parcel.id, parcel.id, facts["assignee"], made_by, True, at))


def _work_items(world: World, names: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    for item in world.company.work_items:
        opened = world.now - 2 * HOUR
        key = names.get(item.parcel, item.parcel)
        yield (item.id, item.kind, key, item.holder, item.source, "svc-telephony", opened, None)
