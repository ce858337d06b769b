"""The file that a SQLite URL names is the file that is opened, whatever its name holds."""

from pathlib import Path

import pytest

from acl_engine.domain.errors import ConfigError
from acl_engine.storage.backup import backup
from acl_engine.storage.database import create_or_upgrade


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("a b.db", "a b.db"),
        ("a%3Fb.db", "a?b.db"),
        ("a%25b.db", "a%b.db"),
        ("a#b.db", "a#b.db"),
        ("快递 库.db", "快递 库.db"),
    ],
)
def test_a_file_of_any_name_is_made_and_copied(tmp_path: Path, written: str, name: str) -> None:
    url = f"sqlite:///{tmp_path}/{written}"
    create_or_upgrade(url).close()
    assert (tmp_path / name).is_file()
    assert backup(url, tmp_path / "copy") > 0


def test_a_path_that_begins_with_two_slashes_is_a_path(tmp_path: Path) -> None:
    url = f"sqlite:////{tmp_path}/a.db"
    create_or_upgrade(url).close()
    assert (tmp_path / "a.db").is_file()
    assert backup(url, tmp_path / "copy") > 0


@pytest.mark.parametrize(
    "url", ["sqlite:///{}/a?b.db", "sqlite:///{}/a.db?mode=ro", "sqlite://h/a"]
)
def test_what_would_name_another_file_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="database URL"):
        create_or_upgrade(url.format(tmp_path))
    assert not list(tmp_path.iterdir())
