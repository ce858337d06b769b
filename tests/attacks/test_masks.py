"""C3, C14: what all roles together see of one parcel; what a photograph of its label shows."""

from collections import defaultdict

import pytest
from tests.line_world import Line

from acl_engine.domain.errors import AclError
from acl_engine.domain.pack import Kind
from acl_engine.masking.strength import Known, candidates
from acl_engine.replay.world.entry import Entry


def _token(line: Line, login: str) -> str:
    member = line.stage.truth.world.staff[login].member
    if not member.service:
        return line.token(login, member.device)
    assert line.stage.login(login, "", totp=False, device=member.device).allowed
    return line.stage._tokens[login, member.device]


def _entries(line: Line) -> dict[str, Entry]:
    return {one.key: one for one in line.stage.truth.by_name.values()}


def _seen_by_all(line: Line) -> dict[tuple[str, str], dict[str, str]]:
    """(parcel, field) -> what each account of the cast is shown of it."""
    seen: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    # Who may hold a value itself (the parties, a claim's decider, two services) joins no masks.
    clear = line.stage.site.pack.settings.masking.clear or {}
    holders = {role for roles in clear.values() for role in roles}
    for login, one in line.stage.truth.world.staff.items():
        if not one.cast or one.member.role in holders:
            continue
        try:
            token = _token(line, login)
        except AssertionError:
            continue  # an account that cannot log in sees nothing
        for name in line.stage.truth.by_name:
            try:
                views = line.engine.ask(token, line.read(name)).views
            except AclError:
                continue
            for field, value in views[0].fields.items() if views else ():
                seen[line.key(name), field][login] = value
    return seen


def test_all_staff_together_cannot_join_their_masks_to_a_person(line: Line) -> None:
    """Mask differencing: courier, keeper, station, customer service, label printer, all at once."""
    entries, seen = _entries(line), _seen_by_all(line)
    joined = 0
    for (key, field), shown in seen.items():
        views = set(shown.values())
        true = entries[key].fields.get(field, "")
        city = str(entries[key].facts["city"]).removesuffix("市")
        if field.endswith("_phone"):
            least, kind, known = 1000, Kind.PHONE, Known(city)
        elif field.endswith("_name"):
            least, kind, known = 10, Kind.NAME, Known()
        else:
            continue
        assert true not in views, (key, field)
        assert candidates(kind, sorted(views), known=known) >= least, (key, field, views)
        joined += len(shown) > 1
    assert joined >= 2, "no parcel is seen by two accounts: the test joins nothing"


@pytest.mark.parametrize("parcel", ["pickup-1"])
def test_a_photographed_label_has_no_number_no_name_and_no_door(line: Line, parcel: str) -> None:
    views = line.engine.ask(_token(line, "svc-label"), line.read(parcel)).views
    entry = _entries(line)[line.key(parcel)]
    said = " ".join(views[0].fields.values())
    fields = entry.fields
    for hidden in ("recipient_phone", "sender_phone", "recipient_name", "sender_name", "unit"):
        assert fields[hidden] not in said, hidden
    assert fields["recipient_phone"][:-2] not in said
    assert not {"item", "value", "remark", "pickup_code", "sender_address"} & set(views[0].fields)
    assert len(views[0].fields["recipient_phone"].replace("*", "")) <= 2
