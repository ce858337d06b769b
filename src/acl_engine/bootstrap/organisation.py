"""Making the units of a company: by an account administrator, on record, all or nothing."""

from acl_engine.bootstrap.administration import Administration
from acl_engine.bootstrap.desk import Act
from acl_engine.domain.errors import InputError
from acl_engine.domain.organisation import Unit
from acl_engine.domain.staff_plan import Finding
from acl_engine.identity.organisation import UNIT_COLUMNS, UNIT_OPTIONAL, unit_rows, units_plan
from acl_engine.identity.staff_file import read_table


class UnitAdministration:
    """The acts of `acl unit` over one desk."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self._desk = administration.desk

    def units(self) -> tuple[Unit, ...]:
        return self._desk.organisation.units()

    def plan(
        self, data: bytes, file: str, *, encoding: str = "utf-8-sig"
    ) -> tuple[tuple[Unit, ...], list[Finding]]:
        """What a units file would add; why it must not (none: it may). Raises InputError."""
        table = read_table(data, file, UNIT_COLUMNS, UNIT_OPTIONAL, encoding=encoding)
        rows, bad = unit_rows(table)
        new, refused = units_plan(self.units(), rows)
        return new, bad or refused

    def add(self, new: tuple[Unit, ...], by: str) -> None:
        """Add units that `plan` gave, or one alone."""
        ids = tuple(one.id for one in new)
        act = Act("unit.add", ids, by)
        self._administration.permit(act, None)
        _, refused = units_plan(self.units(), list(enumerate(new, 1)))
        if refused:
            raise InputError(refused[0].message)
        self._desk.do(act, lambda _: self._desk.organisation.add(new))
