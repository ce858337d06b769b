"""Reading a spreadsheet leaves the process as it was."""

import csv
from pathlib import Path

from acl_engine.cli.spreadsheets import reading


def test_the_limit_of_a_cell_is_given_back(tmp_path: Path) -> None:
    """The csv module keeps one for everybody: what else is read must not depend on this file."""
    file = tmp_path / "a.csv"
    file.write_text("phone\n" + "x" * 200_000 + "\n")
    before = csv.field_size_limit()
    with reading(file, None, ",") as rows:
        assert len([cells for _, cells in rows]) == 2
    assert csv.field_size_limit() == before
