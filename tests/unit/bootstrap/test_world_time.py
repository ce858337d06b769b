"""Who administers a made-up company writes its log at its own time.

At ours the log would jump ahead: undertakings and trainings would be too old, and every
administrator of the company out of force.
"""

from pathlib import Path

from click.testing import CliRunner
from tests import signed_policy
from tests.contract.test_audit_store import store_of
from tests.line_world import template

from acl_engine.cli import cli
from acl_engine.storage.database import Database, world_time

_DAY_MILLIS = 86_400_000
SERVICE = ("--url", "https://query.example.com/", "--by", "acct-admin-01")


def test_services_and_policies_are_on_record_at_the_worlds_time(tmp_path: Path) -> None:
    database, _ = template(tmp_path)
    built = world_time(database) * 1000
    signed_policy.loaded(database, tmp_path)
    database.close()
    url = f"sqlite:///{tmp_path / 'line.db'}"
    for words in (
        ("service", "add", "--name", "old-query", *SERVICE),
        ("account", "issue-token", "svc-route", "--purpose", "metrics", "--by", "acct-admin-01"),
    ):
        done = CliRunner().invoke(cli, [*words, "--database", url], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    with Database.open(url) as again:
        found = [(entry.action, entry.at - built) for _, entry in store_of(again).entries()]
    assert {"policy.load", "service.add"} <= {action for action, _ in found}
    assert all(0 <= late < _DAY_MILLIS for _, late in found), found
