"""Units: all of a file or none, one head, and none that changes its place. Both databases."""

import pytest
from sqlalchemy import select

from acl_engine.bootstrap.organisation import UnitAdministration
from acl_engine.domain.errors import ChangeRefused, InputError
from acl_engine.domain.organisation import Unit
from acl_engine.storage.database import Database
from acl_engine.storage.tables import units
from tests.account_world import Company

HEADER = "id,parent,kind,zh,en,city,district,franchise\n"
GOOD = "b-2,u1,branch,二部,Branch 2,深圳市,宝安区,yes"


@pytest.fixture
def company(database: Database) -> Company:
    return Company(database)


def plan(company: Company, *rows: str) -> tuple[tuple[Unit, ...], list[str]]:
    """The new units, and `row code` of each refused row."""
    data = (HEADER + "\n".join(rows) + "\n").encode()
    new, findings = UnitAdministration(company.acts).plan(data, "units.csv")
    return new, [f"{one.row} {one.message.code}" for one in findings]


def test_a_file_adds_parents_first_and_their_paths_lead_down(company: Company) -> None:
    """Whatever the order of its rows; said again, it adds nothing."""
    rows = ("s-1,b-2,station,驿站,Station,,,", GOOD)
    new, refused = plan(company, *rows)
    assert refused == []
    UnitAdministration(company.acts).add(new, "weak-1")
    with company.database.read() as cx:
        paths = {row.id: row.path for row in cx.execute(select(units)).all()}
    assert paths["s-1"] == f"{paths['u1']}b-2/s-1/"
    assert company.log[-1].action == "unit.add"
    assert plan(company, *rows) == ((), [])


BAD = {
    "b 2,u1,branch,x,x,,,": "unit-bad-id",
    "b_2,u1,branch,x,x,,,": "unit-bad-id",
    "b/2,u1,branch,x,x,,,": "unit-bad-id",
    "b-2,ghost,branch,x,x,,,": "unit-no-parent",
    "b-2,b-2,branch,x,x,,,": "unit-no-parent",
    "b-2,,branch,x,x,,,": "unit-second-head",
    "b-2,u1,Branch!,x,x,,,": "staff-file-word",
    "b-2,u1,branch,,x,,,": "staff-file-lacks",
    "b-2,u1,branch,x,x,,,perhaps": "staff-file-word",
    "b-2,u1,branch,=x,x,,,": "staff-file-control",
    "u1,b-9,branch,x,x,,,": "unit-otherwise",
    "b-2,u1": "staff-file-width",
}


@pytest.mark.parametrize("row", BAD)
def test_one_bad_row_and_nothing_is_added(company: Company, row: str) -> None:
    _, refused = plan(company, GOOD.replace("b-2", "b-9"), row)
    assert refused == [f"3 {BAD[row]}"]


def test_a_circle_and_a_tower_are_refused(company: Company) -> None:
    circle = ("b-2,b-3,branch,x,x,,,", "b-3,b-2,branch,x,x,,,")
    assert plan(company, *circle)[1] == ["2 unit-no-parent", "3 unit-no-parent"]
    tower = [f"b-{n + 1},{f'b-{n}' if n else 'u1'},branch,x,x,,," for n in range(9)]
    assert {one.split()[1] for one in plan(company, *tower)[1]} == {"unit-too-deep"}
    assert plan(company, GOOD, GOOD)[1] == ["3 hr-twice"]


def test_two_at_once_add_one(company: Company) -> None:
    """What was planned before another's change is refused, and nothing of it is done."""
    acts = UnitAdministration(company.acts)
    new, _ = plan(company, GOOD, "b-3,u1,branch,x,x,,,")
    acts.add(new[:1], "weak-1")
    with pytest.raises(InputError):
        company.acts.desk.organisation.add(new)
    assert "b-3" not in company.directory.units()


def test_only_an_administrator_adds_units(company: Company) -> None:
    new, _ = plan(company, GOOD)
    with pytest.raises(ChangeRefused):
        UnitAdministration(company.acts).add(new, "courier-1")
