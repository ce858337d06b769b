"""The public compliance checker (scim2-tester) against the running service, over TLS."""

import shutil
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from acl_engine.cli import cli
from acl_engine.replay.world.company import NOW
from tests.line_world import template
from tests.serving import Served, serving

scim2_tester = pytest.importorskip("scim2_tester")


@pytest.fixture(scope="module")
def scim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A service over the small company at the company's time, and HR's token."""
    folder = tmp_path_factory.mktemp("scim")
    template(folder)[0].close()
    shutil.move(folder / "line.db", folder / "world.db")
    url = f"sqlite:///{folder / 'world.db'}"
    words = ["account", "issue-token", "svc-hr", "--purpose", "scim", "--by", "acct-admin-01"]
    given = CliRunner().invoke(cli, [*words, "--database", url], catch_exceptions=False)
    assert given.exit_code == 0, given.output
    offset = str(int(NOW.timestamp() - time.time()))
    with serving(folder, "--database", url, ACL_SERVE_CLOCK_OFFSET=offset) as served:
        yield served, given.output.split()[-1]


def test_the_public_checker_passes(scim: tuple[Served, str]) -> None:
    """Every check of it, over HTTP with TLS, as an unmodified client sends it."""
    import httpx2
    from scim2_client.engines.httpx2 import SyncSCIMClient

    served, token = scim
    with httpx2.Client(
        base_url=f"{served.url}/scim/v2",
        headers={"Authorization": f"Bearer {token}"},
        verify=served.context,
        timeout=60,
    ) as client:
        results = scim2_tester.check_server(SyncSCIMClient(client))
    bad = [one for one in results if one.status.name in ("ERROR", "CRITICAL")]
    assert not bad, "\n".join(f"{one.title}: {one.reason}" for one in bad)
    passed = [one for one in results if one.status.name == "SUCCESS"]
    assert len(passed) > 60
